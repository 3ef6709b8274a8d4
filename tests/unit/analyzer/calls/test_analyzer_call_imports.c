/* Frames of Python's import machinery as one call, with nothing lost; and two trees as one. */
#include "analyzer/analysis/calls/reshape/call_diff.h"
#include "analyzer/analysis/calls/reshape/call_imports.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The only child of a call whose function has this name; fails if there is none, or another. */
static uint32_t child(const struct vbt_call_tree *tree, uint32_t parent, const char *function) {
    uint32_t found = 0;
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->calls[i].parent == parent && strcmp(vbt_call_place(tree, i)->function, function) == 0) {
            assert_int_equal(found, 0);
            found = i;
        }
    assert_int_not_equal(found, 0);
    return found;
}

static int64_t bytes_at(const struct vbt_call_tree *tree, uint32_t call) { return vbt_call_self_of(tree, call, VBT_MEASURE_BYTES); }

/* f imports b in two ways, through a native function that calls Python again, and through one that
 * does not, which stays. */
static void imports_are_one_call(void **state) {
    (void)state;
    static const char machinery[] = "<frozen importlib._bootstrap>";
    struct loaded_trace l;
    struct vbt_call_tree tree;
    tb_begin(&l.b);
    uint32_t f = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "a.py", "f", 1, 1), 2);
    uint32_t find = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, machinery, "find", 1, 1), 3);
    uint32_t load = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, machinery, "load", 9, 1), 10);
    uint32_t b = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "b.py", "b", 1, 1), 1);
    tb_module(&l.b, 0x1000, 0x3000, 0, "/nowhere/lib.so");
    uint32_t exec = tb_site(&l.b, VBT_SITE_NATIVE, 0x1100, 0), read = tb_site(&l.b, VBT_SITE_NATIVE, 0x1200, 0);
    const uint32_t paths[][6] = {{f, find, exec, load, b}, {f, load, b}, {f, find, read}, {find}};
    struct tb_counters counters[16];
    uint32_t nodes[4][6] = {{0}};
    size_t count = 0;
    for (size_t path = 0; path < 4; path++)
        for (size_t i = 0; i < 6 && paths[path][i] != 0; i++) {
            for (size_t k = 0; k < path; k++)
                if (memcmp(paths[k], paths[path], (i + 1) * sizeof paths[0][0]) == 0)
                    nodes[path][i] = nodes[k][i];
            if (nodes[path][i] != 0)
                continue;
            nodes[path][i] = tb_node(&l.b, i > 0 ? nodes[path][i - 1] : 0, paths[path][i], VBT_DOMAIN_HEAP);
            counters[count] = (struct tb_counters){.node = nodes[path][i], .allocs = 1, .allocated = UINT64_C(1) << count};
            count++;
        }
    tb_counters(&l.b, counters, count);
    loaded_trace_load(&l, (struct vbt_query){0}, false);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    vbt_call_tree_fold_imports(&tree);
    uint32_t in_f = child(&tree, 0, "f"), folded = child(&tree, in_f, VBT_IMPORTS_NAME);
    assert_int_equal(bytes_at(&tree, in_f), 1);
    assert_int_equal(bytes_at(&tree, folded), 2 + 4 + 8 + 32); /* find, exec, load; load */
    assert_int_equal(bytes_at(&tree, child(&tree, folded, "b")), 16 + 64);
    assert_int_equal(bytes_at(&tree, child(&tree, folded, "lib.so+0x1ff")), 128);
    assert_int_equal(bytes_at(&tree, child(&tree, 0, VBT_IMPORTS_NAME)), 256);
    assert_int_equal(tree.count, 6);
    assert_int_equal(tree.counted, 5);
    assert_int_equal(vbt_call_tree_sum(&tree, VBT_MEASURE_BYTES)[0], 511);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

/* A run of main, and two functions of two files below it. */
static void make_run(struct loaded_trace *l, struct vbt_call_tree *tree, const char *const files[2], const char *const names[2],
                     uint64_t first, uint64_t second) {
    tb_begin(&l->b);
    uint32_t top = tb_node(&l->b, 0, tb_site(&l->b, VBT_SITE_PYTHON, tb_code(&l->b, files[0], "main", 1, 1), 2), VBT_DOMAIN_HEAP);
    struct tb_counters counters[2];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t site = tb_site(&l->b, VBT_SITE_PYTHON, tb_code(&l->b, files[i], names[i], 10 + i, 1), 20 + i);
        counters[i] = (struct tb_counters){.node = tb_node(&l->b, top, site, VBT_DOMAIN_HEAP), .allocs = 1};
    }
    counters[0].allocated = first;
    counters[1].allocated = second;
    tb_counters(&l->b, counters, 2);
    loaded_trace_load(l, (struct vbt_query){0}, false);
    loaded_trace_tree(l, tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION});
    vbt_call_tree_clamp(tree, VBT_MEASURE_BYTES);
}

static void check_call(struct vbt_call_tree *diff, uint32_t call, int64_t before, int64_t after, int64_t width) {
    assert_int_equal(vbt_call_tree_sum(diff, VBT_DIFF_BEFORE)[call], before);
    assert_int_equal(vbt_call_tree_sum(diff, VBT_DIFF_AFTER)[call], after);
    assert_int_equal(vbt_call_tree_sum(diff, VBT_MEASURE_BYTES)[call], width);
}

/* A file that moved is the same; one of which there are two is not; each call has both numbers. */
static void two_runs_are_one_tree(void **state) {
    (void)state;
    static const char *const names[2] = {"f", "g"}, *const others[2] = {"f", "h"};
    static const char *const old_files[2] = {"/old/a.py", "/old/x/same.py"}, *const new_files[2] = {"/new/a.py", "/new/y/other.py"};
    struct loaded_trace old, new;
    struct vbt_call_tree before, after, diff;
    make_run(&old, &before, old_files, names, 100, 50);
    make_run(&new, &after, new_files, others, 70, 8);
    vbt_call_tree_diff(&diff, &before, &after, VBT_MEASURE_BYTES);
    uint32_t top = child(&diff, 0, "main");
    check_call(&diff, 0, 150, 78, 158);
    check_call(&diff, top, 150, 78, 158);
    check_call(&diff, child(&diff, top, "f"), 100, 70, 100);
    check_call(&diff, child(&diff, top, "g"), 50, 0, 50);
    check_call(&diff, child(&diff, top, "h"), 0, 8, 8);
    assert_string_equal(vbt_call_place(&diff, top)->file, "/new/a.py");
    assert_int_equal(diff.count, 5);
    vbt_call_tree_free(&diff);
    vbt_call_tree_free(&before);
    vbt_call_tree_free(&after);
    loaded_trace_free(&old);
    loaded_trace_free(&new);
}

/* Two files of the old run could be the one of the new run: neither is. */
static void ambiguous_files_are_not_paired(void **state) {
    (void)state;
    static const char *const names[2] = {"f", "f"}, *const old_files[2] = {"/p/a.py", "/q/a.py"},
                             *const new_files[2] = {"/r/a.py", "/r/a.py"};
    struct loaded_trace old, new;
    struct vbt_call_tree before, after, diff;
    make_run(&old, &before, old_files, names, 1, 2);
    make_run(&new, &after, new_files, names, 4, 8);
    vbt_call_tree_diff(&diff, &before, &after, VBT_MEASURE_BYTES);
    assert_int_equal(vbt_call_tree_sum(&diff, VBT_MEASURE_BYTES)[0], 15);
    assert_int_equal(diff.counted, 3); /* the new f; two old ones */
    vbt_call_tree_free(&diff);
    vbt_call_tree_free(&before);
    vbt_call_tree_free(&after);
    loaded_trace_free(&old);
    loaded_trace_free(&new);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(imports_are_one_call), cmocka_unit_test(two_runs_are_one_tree),
                                       cmocka_unit_test(ambiguous_files_are_not_paired)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
