#include "loaded_trace.h"

#include "format/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void load(struct loaded_trace *l) {
    l->query.trace = tb_save(&l->b);
    assert_true(vbt_trace_load(&l->t, &l->query, l->with_sizes));
    vbt_trace_attribute(&l->t);
    assert_null(l->t.model.damage);
}

void loaded_trace_load(struct loaded_trace *l, struct vbt_query query, bool with_sizes) {
    l->query = query;
    l->with_sizes = with_sizes;
    l->used_count = 0;
    load(l);
}

void loaded_trace_tree(struct loaded_trace *l, struct vbt_call_tree *tree, struct vbt_call_tree_shape shape) {
    struct vbt_trace *trace = &l->used[l->used_count++];
    assert_true(l->used_count <= VBT_COUNT(l->used));
    *trace = l->t;
    load(l);
    vbt_call_tree_build(tree, trace, &shape);
}

void loaded_trace_free(struct loaded_trace *l) {
    for (size_t i = 0; i < l->used_count; i++)
        vbt_trace_free(&l->used[i]);
    vbt_trace_free(&l->t);
    tb_free(&l->b);
}
