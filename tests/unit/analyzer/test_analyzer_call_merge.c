/* Which nodes of a trace are one call of the tree: random trees, against a comparison of all with
 * all, and calls with many children. */
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint32_t seed;

static uint32_t random_below(uint32_t end) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % end;
}

/* Two sites in each line that is not divisible by 3, one in others. */
static uint32_t sites_in_lines(struct trace_builder *b, uint32_t lines, uint32_t *line_of) {
    uint32_t code = tb_code(b, "a.py", "f", 1, 1), again = tb_code(b, "a.py", "f", 1, 1), site = 0;
    for (uint32_t line = 1; line <= lines; line++) {
        line_of[site = tb_site(b, VBT_SITE_PYTHON, code, line)] = line;
        if (line % 3 != 0)
            line_of[site = tb_site(b, VBT_SITE_PYTHON, again, line)] = line;
    }
    return site;
}

/* Nodes are one call just if the places on their stacks are the same. */
static void the_same_places_are_one_call(void **state) {
    (void)state;
    enum { NODES = 700, LINES = 12 };
    for (uint32_t round = 0; round < 8; round++) {
        seed = round;
        struct loaded_trace l;
        struct vbt_call_tree tree;
        struct tb_counters counters[NODES];
        uint32_t line_of[2 * LINES + 1], parent[NODES + 1] = {0}, line[NODES + 1] = {0}, call[NODES + 1] = {0}, calls = 1;
        static bool used[NODES + 1][2 * LINES + 1][2];
        memset(used, 0, sizeof used);
        tb_begin(&l.b);
        uint32_t sites = sites_in_lines(&l.b, LINES, line_of);
        int64_t expected[NODES + 1] = {0}; /* by call */
        for (uint32_t i = 1; i <= NODES; i++) {
            uint32_t site, python; /* a line may have requests to malloc and to Python */
            do {
                parent[i] = random_below(2) ? random_below(i) : i - 1;
                site = 1 + random_below(sites);
                python = random_below(2);
            } while (used[parent[i]][site][python]);
            used[parent[i]][site][python] = true;
            line[i] = line_of[site];
            assert_int_equal(tb_node(&l.b, parent[i], site, python ? VBT_DOMAIN_PYTHON : VBT_DOMAIN_HEAP), i);
            call[i] = 0;
            for (uint32_t k = 1; k < i && call[i] == 0; k++)
                if (line[k] == line[i] && call[parent[k]] == call[parent[i]])
                    call[i] = call[k];
            call[i] = call[i] != 0 ? call[i] : calls++;
            counters[i - 1] = (struct tb_counters){.node = i, .allocs = 1, .allocated = random_below(100000)};
            expected[call[i]] += (int64_t)counters[i - 1].allocated;
        }
        tb_counters(&l.b, counters, NODES);
        loaded_trace_load(&l, (struct vbt_query){0}, false);
        loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
        assert_int_equal(tree.count, calls); /* and both number calls in order of their first node */
        for (uint32_t i = 1; i < tree.count; i++)
            assert_int_equal(vbt_call_self_of(&tree, i, VBT_MEASURE_BYTES), expected[i]);
        vbt_call_tree_free(&tree);
        loaded_trace_free(&l);
    }
}

/* A function that is called from thousands of lines, each with two sites. */
static void calls_with_many_children(void **state) {
    (void)state;
    enum { LINES = 20000, WIDE = LINES / 3 * 5 + LINES % 3 * 2 };
    struct loaded_trace l;
    struct vbt_call_tree tree;
    static struct tb_counters counters[WIDE];
    static uint32_t line_of[2 * LINES + 1];
    tb_begin(&l.b);
    uint32_t sites = sites_in_lines(&l.b, LINES, line_of), top = tb_node(&l.b, 0, 1, VBT_DOMAIN_PYTHON);
    assert_int_equal(sites, WIDE);
    for (uint32_t i = 0; i < WIDE; i++)
        counters[i] = (struct tb_counters){.node = tb_node(&l.b, top, i + 1, VBT_DOMAIN_PYTHON), .allocs = 1, .allocated = 1};
    for (uint32_t i = 0; i < WIDE; i += 1000) /* a chunk has a limit */
        tb_counters(&l.b, counters + i, WIDE - i < 1000 ? WIDE - i : 1000);
    loaded_trace_load(&l, (struct vbt_query){0}, false);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    assert_int_equal(tree.count, 2 + LINES);
    for (uint32_t i = 2; i < tree.count; i++)
        assert_int_equal(vbt_call_self_of(&tree, i, VBT_MEASURE_ALLOCS), (i - 1) % 3 == 0 ? 1 : 2);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_places_are_one_call),
        cmocka_unit_test(calls_with_many_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
