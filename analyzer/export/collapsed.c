/* See collapsed.h. */
#include "collapsed.h"

#include "folding.h"
#include "analyzer/analysis/calls/call_reverse.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/stack_text.h"

#include <stdlib.h>

/* What of each call's measure is in calls that are too small to be listed. */
static int64_t *left_out(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    const int64_t *sums = vbt_call_tree_sum(tree, measure);
    int64_t *rest = vbt_new(tree->count, sizeof *rest);
    for (uint32_t i = 0; i < tree->count; i++)
        rest[i] = (int64_t)((uint64_t)sums[i] - (uint64_t)vbt_call_self_of(tree, i, measure));
    for (size_t i = 1; i < tree->count; i++) {
        int64_t *above = &rest[tree->calls[i].parent];
        if (sums[i] >= least)
            *above = (int64_t)((uint64_t)*above - (uint64_t)sums[i]);
    }
    return rest;
}

static void print_stacks(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least, FILE *out) {
    int64_t *rest = left_out(tree, measure, least);
    size_t limit = vbt_stack_limit(tree, measure);
    struct vbt_stack_names *names = vbt_stack_names_new(tree);
    for (uint32_t i = 0; i < tree->count; i++) {
        int64_t self = i > 0 ? vbt_call_self_of(tree, i, measure) : 0;
        if (tree->sums[measure][i] < least || (self <= 0 && rest[i] <= 0))
            continue;
        char *stack = i > 0 ? vbt_stack_text(names, i, limit) : vbt_copy("", 0);
        if (self > 0)
            fprintf(out, "%s %lld\n", stack, (long long)self);
        if (rest[i] > 0)
            fprintf(out, "%s%s%s %lld\n", stack, i > 0 ? ";" : "", VBT_SMALLER, (long long)rest[i]);
        free(stack);
    }
    vbt_stack_names_free(names);
    free(rest);
}

void vbt_export_collapsed(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    vbt_call_tree_clamp(&tree, query->measure);
    int64_t least = vbt_least(query, tree.totals[query->measure]);
    least = least > 0 ? least : 1;
    if (query->reverse)
        vbt_call_tree_reverse(&tree, query->measure, least);
    if (vbt_stacks_are_many(&tree, query->measure)) {
        FILE *rehearsal = vbt_output_rehearse();
        print_stacks(&tree, query->measure, least, rehearsal);
        vbt_output_rehearsed(rehearsal);
    }
    print_stacks(&tree, query->measure, least, out);
    vbt_call_tree_free(&tree);
}
