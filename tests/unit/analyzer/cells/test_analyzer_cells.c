/* What was counted at each call, by step of the history: sums that are known, and that are the same
 * when small calls are not told apart. */
#include "analyzer/analysis/cells/cells_fold.h"
#include "format/count.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* main calls CALLERS lines of the user's, of which each calls, by MIDDLES others, LEAVES lines of a
 * library. */
enum { CALLERS = 20, MIDDLES = 4, LEAVES = 6, PATHS = CALLERS * MIDDLES * LEAVES, FIRST = 1000, SECOND = 2000, STEPS = 3 };

static uint64_t allocs_of(int caller, int leaf, int step) {
    return step == 1 ? 1 + (uint64_t)caller + (uint64_t)leaf : (caller + leaf) % 3 == 0 ? 5 : 0;
}

static uint64_t frees_of(int caller, int leaf, int step) { return step == 2 ? allocs_of(caller, leaf, 1) / 2 : 0; }

static struct tb_counters row_of(uint32_t node, int caller, int leaf, int step) {
    uint64_t allocs = 0, frees = 0;
    for (int i = 1; i <= step; i++) {
        allocs += allocs_of(caller, leaf, i);
        frees += frees_of(caller, leaf, i);
    }
    return (struct tb_counters){.node = node,
                                .allocs = allocs,
                                .allocated = 10 * allocs,
                                .smallest = 10,
                                .largest = 10,
                                .live_blocks = (int64_t)(allocs - frees),
                                .live_bytes = 10 * (int64_t)(allocs - frees),
                                .at_peak_bytes = 7};
}

static void put_state(struct trace_builder *b, int64_t time) {
    const int64_t pairs[][2] = {{VBT_STATE_TIME, time}, {VBT_STATE_THREADS, 1}, {VBT_STATE_PEAK, 7}, {0, 0}};
    tb_state(b, pairs);
}

static void load(struct loaded_trace *l) {
    uint32_t nodes[PATHS], leaves[LEAVES], middles[MIDDLES];
    struct tb_counters rows[PATHS];
    struct trace_builder *b = &l->b;
    *l = (struct loaded_trace){0};
    tb_begin(b);
    uint32_t user = tb_code(b, "/app/main.py", "caller", 1, VBT_CODE_USER), library = tb_code(b, "/lib/library.py", "leaf", 1, 0);
    uint32_t root = tb_node(b, 0, tb_site(b, VBT_SITE_PYTHON, user, 1), VBT_DOMAIN_PYTHON);
    for (int leaf = 0; leaf < LEAVES; leaf++)
        leaves[leaf] = tb_site(b, VBT_SITE_PYTHON, library, 100 + leaf);
    for (int middle = 0; middle < MIDDLES; middle++)
        middles[middle] = tb_site(b, VBT_SITE_PYTHON, library, 50 + middle);
    for (int path = 0; path < PATHS; path++) {
        static uint32_t caller, middle; /* of the path before */
        if (path % (MIDDLES * LEAVES) == 0)
            caller = tb_node(b, root, tb_site(b, VBT_SITE_PYTHON, user, 10 + path / (MIDDLES * LEAVES)), VBT_DOMAIN_PYTHON);
        if (path % LEAVES == 0)
            middle = tb_node(b, caller, middles[path / LEAVES % MIDDLES], VBT_DOMAIN_PYTHON);
        nodes[path] = tb_node(b, middle, leaves[path % LEAVES], VBT_DOMAIN_PYTHON);
    }
    for (int step = 1; step < STEPS; step++) {
        for (int path = 0; path < PATHS; path++)
            rows[path] = row_of(nodes[path], path / (MIDDLES * LEAVES), path % LEAVES, step);
        tb_counters(b, rows, PATHS);
        put_state(b, step == 1 ? FIRST : SECOND);
    }
    tb_end(b, SECOND, "exit");
    loaded_trace_load(l, (struct vbt_query){.everything = true}, false);
}

/* By line, from 0 to 200: what was counted at it in each step. */
struct line_counts {
    uint64_t allocs[STEPS], frees[STEPS];
    int64_t at_peak, start;
};

static int64_t line_at(const struct vbt_call_tree *tree, uint32_t call, uint32_t levels) {
    for (; levels > 0; levels--)
        call = tree->calls[call].parent;
    assert_true(call != 0);
    return vbt_call_place(tree, call)->line;
}

static struct line_counts *count_lines(const struct vbt_cells *cells, bool users) {
    struct line_counts *lines = calloc(201, sizeof *lines);
    for (size_t i = 0; i < cells->count; i++) {
        const struct vbt_cell *cell = &cells->rows[i];
        assert_true(cell->user > 0 && cell->domain == VBT_DOMAIN_PYTHON);
        struct line_counts *line = &lines[line_at(&cells->tree, cell->call, users ? cell->user - 1 : cell->leaf)];
        line->at_peak += cell->at_peak_bytes;
        line->start += cell->start_blocks;
        for (size_t k = 0; k < cells->change_count; k++)
            if (cells->changes[k].node == i) {
                line->allocs[cells->changes[k].step] += cells->changes[k].allocs;
                line->frees[cells->changes[k].step] += cells->changes[k].frees;
            }
    }
    return lines;
}

/* The sums by line are what they must be. */
static void check_lines(const struct vbt_cells *cells) {
    struct line_counts *leaves = count_lines(cells, false), *users = count_lines(cells, true);
    for (int step = 1; step < STEPS; step++) {
        for (int leaf = 0; leaf < LEAVES; leaf++) {
            uint64_t allocs = 0, frees = 0;
            for (int caller = 0; caller < CALLERS; caller++) {
                allocs += MIDDLES * allocs_of(caller, leaf, step);
                frees += MIDDLES * frees_of(caller, leaf, step);
            }
            assert_int_equal(leaves[100 + leaf].allocs[step], allocs);
            assert_int_equal(leaves[100 + leaf].frees[step], frees);
            assert_int_equal(leaves[100 + leaf].at_peak, 7 * CALLERS * MIDDLES);
        }
        for (int caller = 0; caller < CALLERS; caller++) {
            uint64_t allocs = 0;
            for (int leaf = 0; leaf < LEAVES; leaf++)
                allocs += MIDDLES * allocs_of(caller, leaf, step);
            assert_int_equal(users[10 + caller].allocs[step], allocs);
            assert_int_equal(users[10 + caller].start, 0);
        }
    }
    free(leaves);
    free(users);
}

static void check_order(const struct vbt_cells *cells) {
    for (size_t i = 0; i < cells->change_count; i++) {
        const struct vbt_change *change = &cells->changes[i];
        assert_true(change->step >= 1 && change->step < STEPS && change->node < cells->count);
        assert_true(i == 0 || change[-1].step < change->step ||
                    (change[-1].step == change->step && change[-1].node < change->node));
    }
    for (uint32_t i = 1; i < cells->tree.count; i++)
        assert_true(cells->tree.calls[i].parent < i);
}

static void cells_have_what_was_counted_in_each_step(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_cells cells;
    load(&l);
    assert_int_equal(l.t.steps.count, STEPS);
    assert_int_equal(l.t.steps.ns[1], FIRST);
    assert_int_equal(l.t.steps.ns[2], SECOND);
    vbt_cells_build(&cells, &l.t);
    assert_int_equal(cells.count, PATHS);
    assert_int_equal(cells.tree.count, 1 + 1 + CALLERS + CALLERS * MIDDLES + PATHS);
    check_lines(&cells);
    check_order(&cells);
    assert_int_equal(vbt_cells_folded(&cells, cells.tree.count).calls, 0);
    vbt_cells_free(&cells);
    loaded_trace_free(&l);
}

static void folded_calls_keep_the_sums_by_line(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_cells cells;
    load(&l);
    vbt_cells_build(&cells, &l.t);
    size_t before = cells.tree.count, last = before;
    for (size_t most = 12; most >= 1; most /= 3) { /* folded again and again */
        vbt_cells_fold(&cells, most);
        assert_true(cells.tree.count < last);
        last = cells.tree.count;
        check_lines(&cells);
        check_order(&cells);
        struct vbt_folded folded = vbt_cells_folded(&cells, before);
        uint64_t allocs = 0, below = 0;
        for (size_t i = 0; i < cells.change_count; i++) {
            uint32_t call = cells.rows[cells.changes[i].node].call;
            allocs += cells.changes[i].allocs;
            while (call != 0 && strcmp(vbt_call_place(&cells.tree, call)->function, VBT_SMALLER_CALLS) != 0)
                call = cells.tree.calls[call].parent;
            below += call != 0 ? cells.changes[i].allocs : 0;
        }
        assert_int_equal(folded.allocs, below);
        assert_int_equal(folded.bytes, 10 * below);
        assert_true(below > 0 && below <= allocs && folded.calls > 0 && folded.calls < before);
    }
    vbt_cells_free(&cells);
    loaded_trace_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_have_what_was_counted_in_each_step),
        cmocka_unit_test(folded_calls_keep_the_sums_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
