/* vbtrace flamegraph: the call tree as a picture. */
#include "commands.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/flamegraph/flamegraph.h"

#include <stdlib.h>
#include <unistd.h>

/* A sentence on the frames that are too narrow to be drawn, and how much of the measure ends in
 * them; "" if all are drawn. The caller frees it. */
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
        vbt_text("%s of less than %s %s not drawn; %s %s (%s). --min draws more.", vbt_counted((int64_t)count, "frame").text,
                 vbt_measure_text(measure, least).text, count == 1 ? "is" : "are", count == 1 ? "it holds" : "they hold",
                 vbt_measure_text(measure, sum).text, share);
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

/* Builds the tree with only the children that are drawn. Returns the least of the measure that
 * these have. */
static int64_t build_tree(struct vbt_call_tree *tree, const struct vbt_trace *trace, const struct vbt_query *query) {
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(tree, trace, &shape);
    vbt_call_tree_clamp(tree, query->measure);
    int64_t least = vbt_least(query, tree->calls[0].cumulative[query->measure]);
    least = least > 0 ? least : 1;
    if (query->reverse)
        vbt_call_tree_reverse(tree, query->measure, least);
    vbt_call_tree_sort(tree, query->measure, least);
    return least;
}

int vbt_cmd_flamegraph(const struct vbt_query *query) {
    if (query->format == VBT_SVG && query->output == NULL && isatty(STDOUT_FILENO))
        return vbt_fail("flamegraph: expected a file for the picture, as in: vbtrace flamegraph -o graph.svg %s", query->trace);
    if (query->format == VBT_EXPORT)
        return vbt_cmd_export(query);
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    struct vbt_call_tree tree;
    int64_t least = build_tree(&tree, &trace, query);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    print_svg(&tree, &trace.model, query, least, output.stream);
    vbt_call_tree_free(&tree);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
