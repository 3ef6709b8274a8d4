/* See stacks_csv.h. */
#include "stacks_csv.h"

#include "stack_tables.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/stack_text.h"

#include <stdlib.h>

static void print_rows(const struct vbt_call_tree *tree, size_t limit, FILE *out) {
    char *measures = vbt_csv_measure_titles(""), *own = vbt_csv_own_titles(""),
         *titles = vbt_text("stack,group%s%s", measures, own);
    struct vbt_stack_names *names = vbt_stack_names_new(tree);
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, titles);
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->calls[i].counts == 0)
            continue;
        const struct vbt_measures self = vbt_call_self(tree, i);
        uint32_t group = vbt_call_group(tree, i);
        char *stack = vbt_stack_text(names, i, limit);
        vbt_csv_text(&csv, stack);
        free(stack);
        vbt_csv_text(&csv, group != 0 ? vbt_call_place(tree, group)->function : NULL);
        vbt_csv_measures(&csv, self.of);
        vbt_csv_own(&csv, self.of);
        vbt_csv_end_row(&csv);
    }
    vbt_stack_names_free(names);
    free(measures);
    free(own);
    free(titles);
}

void vbt_export_csv(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    size_t limit = vbt_export_limit(&tree, query);
    if (vbt_stacks_are_many(&tree, VBT_MEASURE_ALLOCS)) {
        FILE *rehearsal = vbt_output_rehearse();
        print_rows(&tree, limit, rehearsal);
        vbt_output_rehearsed(rehearsal);
    }
    print_rows(&tree, limit, out);
    vbt_call_tree_free(&tree);
}
