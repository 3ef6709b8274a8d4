/* What formats with whole call stacks leave out: never more than asked for, and nothing is lost. */
#include "analyzer/export/folding.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { NODES = 2000 };

static uint64_t seed = 21;

static uint32_t random_below(uint32_t bound) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % bound;
}

static void random_tree(struct loaded_trace *l, struct vbt_call_tree *tree) {
    static struct tb_counters counters[NODES];
    tb_begin(&l->b);
    for (uint32_t i = 0; i < NODES; i++) {
        uint32_t site = tb_site(&l->b, VBT_SITE_PYTHON, tb_code(&l->b, "a.py", "f", 1, 1), i + 1);
        uint32_t node = tb_node(&l->b, i > 0 && random_below(4) > 0 ? i - random_below(i < 5 ? i : 5) : 0, site, VBT_DOMAIN_HEAP);
        counters[i] = (struct tb_counters){.node = node, .allocs = 1, .allocated = random_below(3) * random_below(1000)};
    }
    tb_counters(&l->b, counters, NODES);
    loaded_trace_load(l, (struct vbt_query){0}, false);
    loaded_trace_tree(l, tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    vbt_call_tree_clamp(tree, VBT_MEASURE_BYTES);
}

static void the_sum_stays_the_whole(void **state) {
    (void)state;
    static const uint64_t limits[] = {0, 1, 10, 100, 1000, 10000, UINT64_MAX};
    struct loaded_trace l;
    struct vbt_call_tree tree;
    random_tree(&l, &tree);
    size_t before = SIZE_MAX;
    for (size_t at = 0; at < sizeof limits / sizeof *limits; at++) {
        struct vbt_folding folding;
        vbt_folding_begin(&folding, &tree, VBT_MEASURE_BYTES, limits[at]);
        int64_t sum = 0;
        uint64_t frames = 0;
        size_t kept = 0;
        for (uint32_t i = 0; i < tree.count; i++) {
            int64_t all = tree.sums[VBT_MEASURE_BYTES][i], self = vbt_call_self_of(&tree, i, VBT_MEASURE_BYTES);
            if (!vbt_call_is_kept(&tree, i)) {
                assert_true(all == 0 || all < folding.least);
                continue;
            }
            kept++;
            assert_true(vbt_call_is_kept(&tree, tree.calls[i].parent) && folding.rest[i] >= 0);
            sum += self + folding.rest[i];
            frames += self > 0 ? tree.calls[i].depth : 0;
            frames += folding.rest[i] > 0 ? tree.calls[i].depth + 1 : 0;
        }
        assert_int_equal(sum, tree.totals[VBT_MEASURE_BYTES]);
        assert_true(frames <= limits[at] || kept == 1);
        assert_true(folding.folded <= before);
        before = folding.folded;
        if (limits[at] == UINT64_MAX) {
            assert_int_equal(folding.folded, 0);
            assert_int_equal(folding.least, 0);
        }
        vbt_folding_end(&folding);
    }
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_sum_stays_the_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
