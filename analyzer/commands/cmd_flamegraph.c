/* vbtrace flamegraph: the call tree as a picture. */
#include "commands.h"
#include "analyzer/analysis/calls/call_reverse.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/flamegraph/flamegraph.h"

#include <stdlib.h>
#include <unistd.h>

/* Browsers draw larger pictures slowly or not at all; a frame takes 220 or more. */
enum { MOST_BYTES = 5000000, MOST_FRAMES = MOST_BYTES / 227 };

/* What is not drawn. */
struct missing {
    size_t frames;
    int64_t sum;     /* of the measure, in those whose caller is drawn */
    size_t too_deep; /* frames below the deepest level */
    bool crowded;    /* some are not drawn only because there are so many */
};

static struct missing find_missing(const struct vbt_call_tree *tree, int64_t least) {
    struct missing missing = {0};
    for (uint32_t i = 1; i < tree->count; i++) {
        int64_t value = tree->choice.sums[i];
        if (value <= 0 || vbt_call_is_kept(tree, i))
            continue;
        if (tree->calls[i].depth >= VBT_FLAMEGRAPH_LEVELS && value >= least) {
            missing.too_deep++;
            continue;
        }
        missing.frames++;
        missing.crowded = missing.crowded || value >= least;
        if (vbt_call_is_kept(tree, tree->calls[i].parent) && __builtin_add_overflow(missing.sum, value, &missing.sum))
            missing.sum = INT64_MAX;
    }
    return missing;
}

/* Sentences on the frames that are not drawn, and how much of the measure ends in them; "" if all
 * are drawn. The caller frees it. */
static char *left_out(const struct missing *missing, const struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    char *narrow = vbt_copy("", 0), *deep = vbt_copy("", 0), *less = vbt_copy("", 0);
    bool one = missing->frames == 1;
    if (!missing->crowded) {
        free(less);
        less = vbt_text(" of less than %s", vbt_measure_text(measure, least).text);
    }
    if (missing->frames > 0) {
        char *share = vbt_text("%s", vbt_share(missing->sum, tree->totals[measure]).text);
        free(narrow);
        narrow = vbt_text("%s%s %s not drawn%s; %s %s (%s). %s", vbt_counted((int64_t)missing->frames, "frame").text, less,
                          one ? "is" : "are", missing->crowded ? ", since the picture would be larger than 5 MB" : "",
                          one ? "it holds" : "they hold", vbt_measure_text(measure, missing->sum).text, share,
                          missing->crowded ? "--filter and --frames function draw more." : "--min draws more.");
        free(share);
    }
    if (missing->too_deep > 0) {
        free(deep);
        deep = vbt_text("%sOf deeper stacks, only %d levels are drawn: %s %s left out.", missing->frames > 0 ? " " : "",
                        VBT_FLAMEGRAPH_LEVELS, vbt_counted((int64_t)missing->too_deep, "frame").text,
                        missing->too_deep == 1 ? "is" : "are");
    }
    char *both = vbt_text("%s%s", narrow, deep);
    free(narrow);
    free(deep);
    free(less);
    return both;
}

/* Draws as many frames as there is room for, and returns the picture, for the caller to free. */
static char *draw(struct vbt_call_tree *tree, const struct vbt_model *model, const struct vbt_query *query, int64_t least,
                  size_t *size) {
    enum vbt_measure measure = query->measure;
    char *command = vbt_command_line(model), *text = NULL, *part = vbt_part_text(model, query);
    if (part != NULL) {
        char *both = vbt_text("%s · %s", part, command);
        free(command);
        command = both;
    }
    free(part);
    char *title = vbt_text("%s%s: %s", vbt_measure_title(measure), query->reverse ? ", from the innermost call" : "",
                           vbt_measure_text(measure, tree->totals[measure]).text);
    for (size_t most = MOST_FRAMES; text == NULL;) {
        size_t count = vbt_call_tree_sort_largest(tree, measure, least, most, VBT_FLAMEGRAPH_LEVELS - 1);
        struct missing found = find_missing(tree, least);
        char *missing = left_out(&found, tree, measure, least);
        const struct vbt_flamegraph graph = {
            .tree = tree, .measure = measure, .icicle = query->reverse, .title = title, .subtitle = command, .left_out = missing};
        size_t room = vbt_flamegraph_print(&graph, MOST_BYTES, &text, size);
        if (room != SIZE_MAX && count > 0) {
            free(text);
            text = NULL;
            most = room < count ? room - room / 10 : count - count / 10 - 1;
        } else if (found.crowded || found.too_deep > 0) {
            vbt_warn("%s: %s", query->trace, missing);
        }
        free(missing);
    }
    free(title);
    free(command);
    return text;
}

/* Builds the tree. Stores the least of the measure that calls must have to be drawn. */
static void build_tree(struct vbt_call_tree *tree, struct vbt_trace *trace, const struct vbt_query *query, int64_t *least) {
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(tree, trace, &shape);
    vbt_call_tree_clamp(tree, query->measure);
    *least = vbt_least(query, tree->totals[query->measure]);
    *least = *least > 0 ? *least : 1;
    if (query->reverse)
        vbt_call_tree_reverse(tree, query->measure, *least);
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
    int64_t least;
    size_t size;
    build_tree(&tree, &trace, query, &least);
    char *text = draw(&tree, &trace.model, query, least, &size);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    fwrite(text, 1, size, output.stream);
    free(text);
    vbt_call_tree_free(&tree);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
