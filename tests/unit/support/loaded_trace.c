#include "loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void loaded_trace_load(struct loaded_trace *l, struct vbt_query query, bool with_sizes) {
    query.trace = tb_save(&l->b);
    assert_true(vbt_trace_load(&l->t, &query, with_sizes));
    vbt_trace_attribute(&l->t);
    assert_null(l->t.model.damage);
}

void loaded_trace_free(struct loaded_trace *l) {
    vbt_trace_free(&l->t);
    tb_free(&l->b);
}
