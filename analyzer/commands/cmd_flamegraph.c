/* vbtrace flamegraph: the call tree as a picture, or as collapsed stacks for other tools. */
#include "commands.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/flamegraph/flamegraph.h"
#include "analyzer/report/stack_text.h"

#include <stdlib.h>
#include <unistd.h>

/* What sums to less than nothing, as damaged traces and those of forked processes can have it, has no width. */
static void leave_out_negative(struct vbt_call_tree *tree, enum vbt_measure measure) {
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->calls[i].self[measure] < 0)
            tree->calls[i].self[measure] = 0;
        tree->calls[i].cumulative[measure] = tree->calls[i].self[measure];
    }
    for (size_t i = tree->count - 1; i > 0; i--) {
        int64_t *sum = &tree->calls[tree->calls[i].parent].cumulative[measure];
        if (__builtin_add_overflow(*sum, tree->calls[i].cumulative[measure], sum))
            *sum = INT64_MAX;
    }
}

/* Says how many frames are too narrow to be drawn, and how much of the measure ends in them; "" if all are drawn. */
static char *left_out(const struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    size_t count = 0;
    int64_t sum = 0;
    for (size_t i = 1; i < tree->count; i++) {
        int64_t value = tree->calls[i].cumulative[measure];
        if (value <= 0 || value >= least)
            continue;
        count++;
        if (tree->calls[tree->calls[i].parent].cumulative[measure] >= least && __builtin_add_overflow(sum, value, &sum))
            sum = INT64_MAX;
    }
    if (count == 0)
        return vbt_copy("", 0);
    int64_t whole = tree->calls[0].cumulative[measure];
    char *share = vbt_text("%s", vbt_share(sum, whole).text);
    char *text =
        vbt_text("%s frames of less than %s are not drawn; they hold %s (%s). --min draws more.", vbt_count((int64_t)count).text,
                 vbt_measure_text(measure, least).text, vbt_measure_text(measure, sum).text, share);
    free(share);
    return text;
}

static void print_svg(const struct vbt_call_tree *tree, const struct vbt_model *model, const struct vbt_query *query, int64_t least,
                      FILE *out) {
    enum vbt_measure measure = query->measure;
    char *command = vbt_command_line(model), *missing = left_out(tree, measure, least);
    char *title = vbt_text("%s%s: %s", vbt_measure_title(measure), query->reverse ? ", from the innermost call" : "",
                           vbt_measure_text(measure, tree->calls[0].cumulative[measure]).text);
    vbt_flamegraph_print(
        &(struct vbt_flamegraph){
            .tree = tree, .measure = measure, .icicle = query->reverse, .title = title, .subtitle = command, .left_out = missing},
        out);
    free(title);
    free(missing);
    free(command);
}

/* "outermost;...;innermost N", a line for each call stack with anything of the measure. */
static void print_collapsed(const struct vbt_call_tree *tree, enum vbt_measure measure, FILE *out) {
    size_t limit = vbt_stack_limit(tree, measure);
    struct vbt_stack_names *names = vbt_stack_names_new(tree);
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->calls[i].self[measure] > 0) {
            char *stack = vbt_stack_text(names, i, limit);
            fprintf(out, "%s %lld\n", stack, (long long)tree->calls[i].self[measure]);
            free(stack);
        }
    vbt_stack_names_free(names);
}

int vbt_cmd_flamegraph(const struct vbt_query *query) {
    if (query->format == VBT_SVG && query->output == NULL && isatty(STDOUT_FILENO))
        return vbt_fail("flamegraph: expected a file for the picture, as in: vbtrace flamegraph -o graph.svg %s", query->trace);
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    enum vbt_measure measure = query->measure;
    struct vbt_call_tree tree;
    vbt_call_tree_build(
        &tree, &trace,
        &(struct vbt_call_tree_shape){.unit = query->by_function ? VBT_CALL_FUNCTION : VBT_CALL_LINE, .by = query->by});
    leave_out_negative(&tree, measure);
    int64_t least = vbt_least(query, tree.calls[0].cumulative[measure]);
    least = least > 0 && query->format == VBT_SVG ? least : 1;
    if (query->reverse)
        vbt_call_tree_reverse(&tree, measure, least);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    if (query->format == VBT_SVG) {
        vbt_call_tree_sort(&tree, measure, least);
        print_svg(&tree, &trace.model, query, least, output.stream);
    } else {
        print_collapsed(&tree, measure, output.stream);
    }
    vbt_call_tree_free(&tree);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
