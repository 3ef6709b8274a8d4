/* vbtrace flamegraph: the call tree as a picture. */
#include "commands.h"
#include "analyzer/analysis/calls/reshape/call_diff.h"
#include "analyzer/analysis/calls/reshape/call_imports.h"
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
    int64_t change;  /* of two runs: the sum of the differences of the same */
    size_t too_deep; /* frames below the deepest level */
    bool crowded;    /* some are not drawn only because there are so many */
};

static struct missing find_missing(const struct vbt_call_tree *tree, int64_t least) {
    struct missing missing = {0};
    const int64_t *before = tree->sums[VBT_DIFF_BEFORE], *after = tree->sums[VBT_DIFF_AFTER];
    for (uint32_t i = 1; i < tree->count; i++) {
        int64_t value = tree->choice.sums[i];
        if (value <= 0 || vbt_call_is_kept(tree, i))
            continue;
        bool top = vbt_call_is_kept(tree, tree->calls[i].parent);
        if (top && before != NULL && after != NULL)
            missing.change = (int64_t)((uint64_t)missing.change + (uint64_t)after[i] - (uint64_t)before[i]);
        if (tree->calls[i].depth >= VBT_FLAMEGRAPH_LEVELS && value >= least) {
            missing.too_deep++;
            continue;
        }
        missing.frames++;
        missing.crowded = missing.crowded || value >= least;
        if (top && __builtin_add_overflow(missing.sum, value, &missing.sum))
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

/* How much of the difference is in frames that are not drawn, as a sentence before others. Takes
 * ownership of the text. */
static char *with_change(char *text, const struct missing *missing, enum vbt_measure measure) {
    if (text[0] == '\0')
        return text;
    const char *sign = missing->change > 0 ? "+" : "";
    char *both =
        vbt_text("%s Of the difference, %s%s is in frames not drawn.", text, sign, vbt_measure_text(measure, missing->change).text);
    free(text);
    return both;
}

/* "Bytes allocated: 12.0 MiB", "..., was 10.0 MiB: +2.0 MiB, +20.0%"; for the caller to free. */
static char *title_of(struct vbt_call_tree *tree, const struct vbt_query *query) {
    enum vbt_measure measure = query->measure;
    const char *name = vbt_measure_title(measure), *reversed = query->reverse ? ", from the innermost call" : "";
    if (query->diff == NULL)
        return vbt_text("%s%s: %s", name, reversed, vbt_measure_text(measure, tree->totals[measure]).text);
    int64_t before = vbt_call_tree_sum(tree, VBT_DIFF_BEFORE)[0], after = vbt_call_tree_sum(tree, VBT_DIFF_AFTER)[0];
    char *now = vbt_text("%s", vbt_measure_text(measure, after).text), *change = vbt_change_text(measure, before, after);
    char *title = vbt_text("%s%s: %s, was %s (%s)", name, reversed, now, vbt_measure_text(measure, before).text, change);
    free(now);
    free(change);
    return title;
}

/* Which part of the run, what it is compared with, and what ran; for the caller to free. */
static char *subtitle_of(const struct vbt_model *model, const struct vbt_query *query) {
    char *command = vbt_command_line(model), *part = vbt_part_text(model, query);
    char *old = query->diff != NULL ? vbt_text("compared with %s · ", query->diff) : vbt_copy("", 0);
    char *subtitle = vbt_text("%s%s%s%s", part != NULL ? part : "", part != NULL ? " · " : "", old, command);
    free(command);
    free(part);
    free(old);
    return subtitle;
}

/* Draws as many frames as there is room for, and returns the picture, for the caller to free. */
static char *draw(struct vbt_call_tree *tree, const struct vbt_model *model, const struct vbt_query *query, int64_t least,
                  size_t *size) {
    enum vbt_measure measure = query->measure;
    char *title = title_of(tree, query), *subtitle = subtitle_of(model, query), *text = NULL;
    for (size_t most = MOST_FRAMES; text == NULL;) {
        size_t count = vbt_call_tree_sort_largest(tree, measure, least, most, VBT_FLAMEGRAPH_LEVELS - 1);
        struct missing found = find_missing(tree, least);
        char *missing = left_out(&found, tree, measure, least);
        missing = query->diff != NULL ? with_change(missing, &found, measure) : missing;
        const struct vbt_flamegraph graph = {.tree = tree,
                                             .measure = measure,
                                             .reversed = query->reverse,
                                             .root_at_bottom = query->root_at_bottom,
                                             .diff = query->diff != NULL,
                                             .title = title,
                                             .subtitle = subtitle,
                                             .left_out = missing};
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
    free(subtitle);
    return text;
}

/* Builds the tree of a run, with no number below 0. */
static void build_tree(struct vbt_call_tree *tree, struct vbt_trace *trace, const struct vbt_query *query) {
    struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    if (query->diff != NULL)
        shape.unit = VBT_CALL_FUNCTION; /* lines move when something is written above them */
    vbt_call_tree_build(tree, trace, &shape);
    if (!query->imports)
        vbt_call_tree_fold_imports(tree);
    vbt_call_tree_clamp(tree, query->measure);
}

/* A loaded trace, and the tree that was made of it. */
struct drawn_run {
    struct vbt_trace trace;
    struct vbt_call_tree tree;
};

static bool load(struct drawn_run *run, const struct vbt_query *query) {
    if (!vbt_trace_load(&run->trace, query, false))
        return false;
    vbt_trace_warn_if_empty(&run->trace, query, SIZE_MAX);
    build_tree(&run->tree, &run->trace, query);
    return true;
}

static void unload(struct drawn_run *run) {
    vbt_call_tree_free(&run->tree);
    vbt_trace_free(&run->trace);
}

/* The run that another one is compared with: the same part of it, with the same filters. --process
 * is about the other one. */
static bool load_old(struct drawn_run *run, const struct vbt_query *query) {
    struct vbt_query of_old = *query;
    of_old.trace = query->diff;
    of_old.traces = &query->diff;
    of_old.trace_count = 1;
    of_old.process = 0;
    return load(run, &of_old);
}

/* Draws the tree to the output. Returns the exit status. */
static int print(struct vbt_call_tree *tree, const struct vbt_model *model, const struct vbt_query *query) {
    int64_t whole = vbt_call_tree_sum(tree, query->measure)[0], least = vbt_least(query, whole);
    size_t size;
    least = least > 0 ? least : 1;
    if (query->reverse)
        vbt_call_tree_reverse(tree, query->measure, least);
    if (query->diff != NULL) { /* for what is not drawn */
        vbt_call_tree_sum(tree, VBT_DIFF_BEFORE);
        vbt_call_tree_sum(tree, VBT_DIFF_AFTER);
    }
    char *text = draw(tree, model, query, least, &size);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    fwrite(text, 1, size, output.stream);
    free(text);
    return vbt_output_finish(&output);
}

int vbt_cmd_flamegraph(const struct vbt_query *query) {
    if (query->format == VBT_SVG && query->output == NULL && isatty(STDOUT_FILENO))
        return vbt_fail("flamegraph: expected a file for the picture, as in: vbtrace flamegraph -o graph.svg %s", query->trace);
    if (query->format == VBT_EXPORT)
        return vbt_cmd_export(query);
    struct drawn_run now, old;
    int status;
    if (!load(&now, query))
        return 2;
    if (query->diff == NULL) {
        status = print(&now.tree, &now.trace.model, query);
    } else if (load_old(&old, query)) {
        struct vbt_call_tree diff;
        vbt_call_tree_diff(&diff, &old.tree, &now.tree, query->measure);
        vbt_call_tree_clamp(&diff, query->measure);
        status = print(&diff, &now.trace.model, query);
        vbt_call_tree_free(&diff);
        unload(&old);
    } else {
        status = 2;
    }
    unload(&now);
    return status;
}
