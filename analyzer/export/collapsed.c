/* See collapsed.h. */
#include "collapsed.h"

#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/report/stack_text.h"

#include <stdlib.h>

void vbt_export_collapsed(const struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    vbt_call_tree_clamp(&tree, query->measure);
    if (query->reverse)
        vbt_call_tree_reverse(&tree, query->measure, 1);
    size_t limit = vbt_stack_limit(&tree, query->measure);
    struct vbt_stack_names *names = vbt_stack_names_new(&tree);
    for (uint32_t i = 1; i < tree.count; i++) {
        int64_t value = tree.calls[i].self[query->measure];
        if (value <= 0)
            continue;
        char *stack = vbt_stack_text(names, i, limit);
        fprintf(out, "%s %lld\n", stack, (long long)value);
        free(stack);
    }
    vbt_stack_names_free(names);
    vbt_call_tree_free(&tree);
}
