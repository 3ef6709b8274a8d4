/* The merged call tree: exact sums of known trees, also reversed, grouping, and the functions on
 * it. */
#include "format/count.h"
#include "analyzer/base/allocate.h"
#include "analyzer/report/call_report.h"
#include "analyzer/analysis/calls/call_reverse.h"
#include "analyzer/analysis/calls/functions.h"
#include "analyzer/analysis/calls/runtime_groups.h"
#include "analyzer/report/stack_text.h"
#include "analyzer/analysis/totals.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Loads the trace built in l->b, through a filter unless that is NULL. */
static void load(struct loaded_trace *l, const char *filter) {
    loaded_trace_load(l, (struct vbt_query){.filters = {filter}, .filter_count = filter != NULL}, false);
}

/* The call at the end of a stack, given in the format of vbt_stack_text. */
static uint32_t find(const struct vbt_call_tree *tree, const char *stack) {
    struct vbt_stack_names *names = vbt_stack_names_new(tree);
    uint32_t call = 0;
    for (uint32_t i = 1; i < tree->count && call == 0; i++) {
        char *text = vbt_stack_text(names, i, SIZE_MAX);
        if (strcmp(text, stack) == 0)
            call = i;
        free(text);
    }
    vbt_stack_names_free(names);
    if (call == 0)
        fail_msg("no call %s", stack);
    return call;
}

static int64_t self(const struct vbt_call_tree *tree, const char *stack, enum vbt_measure measure) {
    return vbt_call_self(tree, find(tree, stack)).of[measure];
}

static int64_t cumulative(struct vbt_call_tree *tree, const char *stack, enum vbt_measure measure) {
    return vbt_call_tree_sum(tree, measure)[find(tree, stack)];
}

/* Self counts of all calls add up to the root; every call's cumulative counts are the sum of its
 * self counts and its children's. */
static void check_sums(struct vbt_call_tree *tree) {
    int64_t *sums = calloc(tree->count, sizeof *sums);
    for (int k = 0; k < VBT_MEASURES; k++) {
        const int64_t *cumulative_of = vbt_call_tree_sum(tree, (enum vbt_measure)k);
        int64_t all = 0;
        memset(sums, 0, tree->count * sizeof *sums);
        for (uint32_t i = (uint32_t)tree->count; i-- > 0;) {
            all += vbt_call_self(tree, i).of[k];
            sums[i] += vbt_call_self(tree, i).of[k];
            assert_int_equal(sums[i], cumulative_of[i]);
            if (i > 0)
                sums[tree->calls[i].parent] += sums[i];
        }
        assert_int_equal(all, tree->totals[k]);
    }
    free(sums);
    uint32_t *rows = vbt_call_tree_sum_all(tree); /* the same, all at once */
    for (uint32_t i = 0; i < tree->count; i++)
        for (int k = 0; k < VBT_MEASURES; k++)
            assert_int_equal(vbt_measures_of(&tree->counts, rows[i]).of[k], tree->sums[k][i]);
    free(rows);
}

static void check_total(const struct vbt_call_tree *tree, const struct vbt_model *model) {
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, model);
    const int64_t *root = tree->totals;
    assert_int_equal(root[VBT_MEASURE_ALLOCS], totals.all.allocs);
    assert_int_equal(root[VBT_MEASURE_BYTES], totals.all.allocated);
    assert_int_equal(root[VBT_MEASURE_PEAK], totals.all.at_peak_bytes);
    assert_int_equal(root[VBT_MEASURE_LEAKS], totals.all.live_bytes);
    assert_int_equal(root[VBT_MEASURE_BLOCKS], totals.all.live_blocks);
    assert_int_equal(root[VBT_MEASURE_TEMPORARY], totals.all.temporary);
}

#define MODULE "<module> (bench.py:8)"
#define WORK MODULE ";work (bench.py:3)"
#define ONES WORK ";ones (numeric.py:200)"
#define MALLOC "libones.so+0x100f"

static void the_tree_of_the_sample(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    tb_sample(&l.b);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    assert_int_equal(tree.count, 8);
    check_sums(&tree);
    check_total(&tree, &l.t.model);
    assert_int_equal(self(&tree, MODULE, VBT_MEASURE_BYTES), 90);
    assert_int_equal(cumulative(&tree, MODULE, VBT_MEASURE_BYTES), 90 + 240 + 500 + 5000 + 168);
    assert_int_equal(cumulative(&tree, WORK, VBT_MEASURE_ALLOCS), 20);
    assert_int_equal(self(&tree, ONES, VBT_MEASURE_BYTES), 500);
    assert_int_equal(cumulative(&tree, ONES, VBT_MEASURE_LEAKS), 1000);
    assert_int_equal(self(&tree, ONES ";" MALLOC, VBT_MEASURE_PEAK), 2000);
    struct vbt_stack_names *names = vbt_stack_names_new(&tree);
    char *cut = vbt_stack_text(names, find(&tree, ONES), 2);
    assert_string_equal(cut, "[1 more frame];work (bench.py:3);ones (numeric.py:200)");
    free(cut);
    vbt_stack_names_free(names);
    assert_int_equal(vbt_stack_limit(&tree, VBT_MEASURE_BYTES), SIZE_MAX);
    vbt_call_tree_sort(&tree, VBT_MEASURE_BYTES, 200);
    assert_int_equal(vbt_call_children(&tree, 0), 3);
    uint32_t module = vbt_call_child(&tree, 0, 0);
    assert_int_equal(module, find(&tree, MODULE));
    assert_int_equal(vbt_call_children(&tree, module), 1); /* 168 bytes of work at line 4 are less than 200 */
    assert_int_equal(vbt_call_child(&tree, module, 0), find(&tree, WORK));
    vbt_call_tree_free(&tree);

    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION});
    check_sums(&tree);
    assert_int_equal(tree.count, 7); /* lines 3 and 4 merged */
    assert_int_equal(self(&tree, "<module> (bench.py:1);work (bench.py:1)", VBT_MEASURE_ALLOCS), 17);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

static void read_from_the_innermost_call(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    tb_sample(&l.b);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION});
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, 1);
    check_sums(&tree);
    check_total(&tree, &l.t.model);
    assert_int_equal(cumulative(&tree, "work (bench.py:1)", VBT_MEASURE_ALLOCS), 17);
    assert_int_equal(cumulative(&tree, "ones (numeric.py:150)", VBT_MEASURE_BYTES), 500);
    assert_int_equal(self(&tree, "<module> (bench.py:1)", VBT_MEASURE_BYTES), 90);
    static const char end[] = MALLOC ";ones (numeric.py:150);work (bench.py:1);<module> (bench.py:1)";
    assert_int_equal(self(&tree, end, VBT_MEASURE_BYTES), 5000);
    vbt_call_tree_free(&tree);

    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION, .by = VBT_BY_DOMAIN});
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, 1000);
    assert_int_equal(cumulative(&tree, "[python]", VBT_MEASURE_BYTES), 998); /* too small to show children */
    assert_int_equal(cumulative(&tree, "[heap];" MALLOC, VBT_MEASURE_BYTES), 5000);
    for (uint32_t i = 1; i < tree.count; i++)
        assert_true(tree.calls[i].parent == 0 || strcmp(vbt_call_place(&tree, tree.calls[i].parent)->function, "[python]") != 0);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

static void groups_are_the_first_level(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    tb_sample(&l.b);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE, .by = VBT_BY_DOMAIN});
    check_sums(&tree);
    check_total(&tree, &l.t.model);
    assert_int_equal(cumulative(&tree, "[heap]", VBT_MEASURE_BYTES), 5600);
    assert_int_equal(cumulative(&tree, "[python]", VBT_MEASURE_BYTES), 998);
    assert_int_equal(self(&tree, "[heap];" ONES ";" MALLOC, VBT_MEASURE_ALLOCS), 5);
    assert_int_equal(self(&tree, "[heap];" ONES, VBT_MEASURE_ALLOCS), 0);
    assert_int_equal(self(&tree, "[python];" ONES, VBT_MEASURE_ALLOCS), 5);
    vbt_call_tree_free(&tree);

    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE, .by = VBT_BY_MODULE});
    check_sums(&tree);
    assert_int_equal(cumulative(&tree, "numpy", VBT_MEASURE_BYTES), 500);
    assert_int_equal(cumulative(&tree, "bench.py", VBT_MEASURE_BYTES), 498);
    assert_int_equal(cumulative(&tree, "libones.so", VBT_MEASURE_BYTES), 5000);
    assert_int_equal(cumulative(&tree, "[vbtrace]", VBT_MEASURE_BYTES), 200);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

/* A thousand modules below a stack of a thousand calls: each group repeats the stack, up to a limit
 * on the number of calls. */
static void callers_beyond_all_bounds_are_left_out(void **state) {
    (void)state;
    enum { DEPTH = 1100, MODULES = 1100 };
    struct loaded_trace l;
    struct vbt_call_tree tree;
    static struct tb_counters counters[MODULES];
    tb_begin(&l.b);
    uint32_t node = 0;
    for (unsigned i = 0; i < DEPTH; i++)
        node = tb_node(&l.b, node, tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "deep.py", "deep", i, VBT_CODE_USER), i + 1),
                       VBT_DOMAIN_PYTHON);
    for (unsigned i = 0; i < MODULES; i++) {
        char *file = vbt_text("/usr/lib/python3/dist-packages/package%u/file.py", i);
        uint32_t site = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, file, "leaf", 1, 0), 2);
        counters[i] = (struct tb_counters){.node = tb_node(&l.b, node, site, VBT_DOMAIN_PYTHON), .allocs = 1, .allocated = 10};
        free(file);
    }
    tb_counters(&l.b, counters, MODULES);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE, .by = VBT_BY_MODULE});
    check_sums(&tree);
    assert_int_equal(tree.totals[VBT_MEASURE_ALLOCS], MODULES);
    assert_in_range(tree.count, 1 << 20, (1 << 20) + 5 * (DEPTH + MODULES) + DEPTH);
    assert_int_equal(tree.calls[tree.count - 1].depth, 2); /* its group and itself */
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, 0);
    check_sums(&tree);
    assert_int_equal(tree.totals[VBT_MEASURE_ALLOCS], MODULES);
    vbt_call_tree_free(&tree);

    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    assert_int_equal(tree.count, 1 + DEPTH + MODULES);
    vbt_call_tree_reverse(&tree, VBT_MEASURE_BYTES, 0);
    check_sums(&tree);
    assert_in_range(tree.count, 1 << 20, (1 << 20) + 5 * (DEPTH + MODULES) + DEPTH);
    assert_int_equal(tree.totals[VBT_MEASURE_ALLOCS], MODULES);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

static void filters_leave_whole_stacks(void **state) {
    (void)state;
    static const struct {
        const char *filter;
        int64_t bytes;
    } cases[] = {
        {"function=^ones$", 5500},
        {"function!=^ones$", 1098},
        {"module=numpy", 5500},
        {"module=libones", 5000},
        {"file!=.", 0},
        {"file=bench\\.py$", 5998},
        {"domain=heap", 5600},
        {"domain!=heap", 998},
        {"domain=map", 0},
        {"numeric", 5500},
        {"libother", 400},
        {"function=work|other", 6308},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        struct loaded_trace l;
        struct vbt_call_tree tree;
        tb_sample(&l.b);
        load(&l, cases[i].filter);
        loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
        check_sums(&tree);
        if (tree.totals[VBT_MEASURE_BYTES] != cases[i].bytes)
            fail_msg("%s: %lld bytes", cases[i].filter, (long long)tree.totals[VBT_MEASURE_BYTES]);
        vbt_call_tree_free(&tree);
        loaded_trace_free(&l);
    }
}

static const struct vbt_function *find_function(const struct vbt_functions *functions, const char *name) {
    for (size_t i = 0; i < functions->count; i++)
        if (strcmp(functions->rows[i].place->function, name) == 0)
            return &functions->rows[i];
    fail_msg("no function %s", name);
    return NULL;
}

static void functions_with_full_native_stacks(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    struct vbt_functions f;
    tb_sample(&l.b);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION});
    vbt_functions_build(&f, &tree);
    assert_int_equal(find_function(&f, "ones")->self[VBT_MEASURE_BYTES], 500);
    assert_int_equal(find_function(&f, "ones")->cumulative[VBT_MEASURE_BYTES], 5500);
    assert_int_equal(find_function(&f, MALLOC)->self[VBT_MEASURE_BYTES], 5000);
    int64_t sum = 0;
    for (size_t i = 0; i < f.count; i++)
        sum += f.rows[i].self[VBT_MEASURE_BYTES];
    assert_int_equal(sum, tree.totals[VBT_MEASURE_BYTES]);
    vbt_functions_sort(&f, "cum-bytes");
    assert_string_equal(f.rows[0].place->function, "<module>");
    vbt_functions_sort(&f, "leaks");
    assert_string_equal(f.rows[0].place->function, MALLOC);
    vbt_functions_free(&f);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

static void functions_of_the_sample(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    struct vbt_functions f;
    tb_sample(&l.b);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION, .python_owns = true});
    vbt_functions_build(&f, &tree);
    assert_int_equal(f.count, 5);
    const struct vbt_function *work = find_function(&f, "work");
    assert_int_equal(work->self[VBT_MEASURE_ALLOCS], 17);
    assert_int_equal(work->self[VBT_MEASURE_BYTES], 408);
    assert_int_equal(work->cumulative[VBT_MEASURE_ALLOCS], 27);
    assert_int_equal(work->cumulative[VBT_MEASURE_BYTES], 5908);
    assert_int_equal(find_function(&f, "<module>")->cumulative[VBT_MEASURE_ALLOCS], 30);
    assert_int_equal(find_function(&f, "ones")->self[VBT_MEASURE_ALLOCS], 10);
    vbt_functions_free(&f);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

/* f > g > f > f, each allocating once: f costs 4 in all, not 4 + 2 + 1. And a chain too deep for
 * recursion. */
static void recursion_counts_once(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_call_tree tree;
    struct vbt_functions f;
    enum { DEEP = 20000 };
    tb_begin(&l.b);
    uint32_t code_f = tb_code(&l.b, "a.py", "f", 1, 1), code_g = tb_code(&l.b, "a.py", "g", 9, 1);
    uint32_t site_f = tb_site(&l.b, VBT_SITE_PYTHON, code_f, 2), site_g = tb_site(&l.b, VBT_SITE_PYTHON, code_g, 10);
    const uint32_t sites[] = {site_f, site_g, site_f, site_f};
    struct tb_counters counters[4];
    for (uint32_t i = 0; i < 4; i++) {
        counters[i] = (struct tb_counters){.node = tb_node(&l.b, i, sites[i], VBT_DOMAIN_PYTHON), .allocs = 1, .allocated = 10};
    }
    tb_counters(&l.b, counters, 4);
    tb_open(&l.b);
    vbt_put_varint(&l.b.w, 5);
    vbt_put_varint(&l.b.w, DEEP);
    for (int i = 0; i < DEEP; i++)
        vbt_put_varint(&l.b.w, 1);
    for (int i = 0; i < DEEP; i++)
        vbt_put_zigzag(&l.b.w, i == 0 ? site_g : 0);
    for (int i = 0; i < DEEP; i++)
        vbt_put_varint(&l.b.w, VBT_DOMAIN_PYTHON);
    tb_close(&l.b, VBT_CHUNK_NODES);
    tb_counters(&l.b, &(struct tb_counters){.node = 4 + DEEP, .allocs = 100, .allocated = 1000}, 1);
    load(&l, NULL);
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_FUNCTION, .python_owns = true});
    vbt_functions_build(&f, &tree);
    assert_int_equal(find_function(&f, "f")->self[VBT_MEASURE_ALLOCS], 3);
    assert_int_equal(find_function(&f, "f")->cumulative[VBT_MEASURE_ALLOCS], 104);
    assert_int_equal(find_function(&f, "g")->self[VBT_MEASURE_ALLOCS], 101);
    assert_int_equal(find_function(&f, "g")->cumulative[VBT_MEASURE_ALLOCS], 103);
    assert_int_equal(find_function(&f, "g")->cumulative[VBT_MEASURE_BYTES], 1030);
    vbt_functions_free(&f);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

/* A native site in a new module, which is at an address. */
static uint32_t site_in_module(struct trace_builder *b, uint64_t address, const char *path) {
    tb_module(b, address, address + 0x10000, 0, path);
    return tb_site(b, VBT_SITE_NATIVE, address + 0x10, 0);
}

/* A trace of stacks of one frame each, unless stated otherwise; names from modules that do not
 * exist are "module+0x...". */
static void what_only_the_runtime_reaches(void **state) {
    (void)state;
    struct loaded_trace l;
    static const char *const process[] = {"python", "3.11.2", "native", "full", NULL};
    tb_begin(&l.b);
    tb_process(&l.b, process);
    uint32_t user = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "/home/me/a.py", "f", 1, VBT_CODE_USER), 2);
    uint32_t library = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "/usr/lib/python3.11/json/__init__.py", "<module>", 1, 0), 3);
    uint32_t import = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "<frozen importlib._bootstrap>", "_load", 1, 0), 4);
    uint32_t own = tb_site(&l.b, VBT_SITE_SPECIAL, tb_string(&l.b, "[vbtrace]"), 0);
    static const char *const paths[] = {"/nowhere/bin/python3.11", "/nowhere/libc.so.6", "/nowhere/libstdc++.so.6",
                                        "/nowhere/ext.so"};
    uint32_t native[4];
    for (uint64_t i = 0; i < 4; i++)
        native[i] = site_in_module(&l.b, 0x10000 * (i + 1), paths[i]);
    const struct {
        uint32_t sites[4]; /* outermost first */
        enum vbt_runtime_group group;
    } cases[] = {
        {{user, import, library}, VBT_RUNTIME_IMPORTS},
        {{user, import, user}, VBT_RUNTIME_NONE},
        {{user, library}, VBT_RUNTIME_NONE},
        {{import, library, native[3]}, VBT_RUNTIME_IMPORTS},
        {{own}, VBT_RUNTIME_VBTRACE},
        {{native[0]}, VBT_RUNTIME_INTERPRETER},
        {{native[0], native[1]}, VBT_RUNTIME_INTERPRETER},
        {{native[0], native[3]}, VBT_RUNTIME_NONE},
        {{native[1]}, VBT_RUNTIME_C_LIBRARY},
        {{native[1], native[2]}, VBT_RUNTIME_CXX},
        {{native[3], native[2]}, VBT_RUNTIME_NONE},
        {{user, native[1]}, VBT_RUNTIME_NONE},
        {{native[3], native[1]}, VBT_RUNTIME_NONE},
    };
    enum { CASES = VBT_COUNT(cases) };
    struct tb_counters counters[CASES];
    for (size_t i = 0; i < CASES; i++) {
        uint32_t node = 0;
        for (int k = 0; k < 4 && cases[i].sites[k] != 0; k++)
            node = tb_node(&l.b, node, cases[i].sites[k], VBT_DOMAIN_HEAP);
        counters[i] = (struct tb_counters){.node = node, .allocs = 1, .allocated = 1u << i, .live_blocks = 1, .live_bytes = 1 << i};
    }
    tb_counters(&l.b, counters, CASES);
    load(&l, NULL);
    struct vbt_call_tree tree;
    loaded_trace_tree(&l, &tree, (struct vbt_call_tree_shape){.unit = VBT_CALL_LINE});
    uint8_t *groups = vbt_runtime_groups(&tree, &l.t.model);
    size_t found = 0;
    for (uint32_t i = 1; i < tree.count; i++)
        for (size_t k = 0; k < CASES; k++)
            if (vbt_call_self(&tree, i).of[VBT_MEASURE_LEAKS] == 1 << k) {
                found++;
                if (groups[i] != cases[k].group)
                    fail_msg("stack %zu is in group %d", k, groups[i]);
            }
    assert_int_equal(found, CASES);
    free(groups);
    vbt_call_tree_free(&tree);
    loaded_trace_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_of_the_sample),
        cmocka_unit_test(read_from_the_innermost_call),
        cmocka_unit_test(groups_are_the_first_level),
        cmocka_unit_test(callers_beyond_all_bounds_are_left_out),
        cmocka_unit_test(filters_leave_whole_stacks),
        cmocka_unit_test(functions_of_the_sample),
        cmocka_unit_test(functions_with_full_native_stacks),
        cmocka_unit_test(recursion_counts_once),
        cmocka_unit_test(what_only_the_runtime_reaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
