/* The line an allocation belongs to; sums over lines equal the totals. */
#include "format/count.h"
#include "analyzer/analysis/attribute.h"
#include "analyzer/analysis/conservation.h"
#include "analyzer/analysis/lines.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/analysis/trace.h"
#include "tests/unit/support/loaded_trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* Loads the trace built in l->b, through a filter unless that is NULL. */
static void load_filtered(struct loaded_trace *l, const char *filter) {
    loaded_trace_load(l, (struct vbt_query){.filters = {filter}, .filter_count = filter != NULL, .filters_rows = true}, true);
}

static void load(struct loaded_trace *l) { load_filtered(l, NULL); }

static const struct vbt_line_row *find(const struct vbt_lines *lines, const char *function, int64_t line) {
    for (size_t i = 0; i < lines->count; i++)
        if (strcmp(lines->rows[i].place->function, function) == 0 && lines->rows[i].place->line == line)
            return &lines->rows[i];
    fail_msg("no row for %s, line %lld", function, (long long)line);
    return NULL;
}

static void check_total(const struct vbt_lines *lines, const struct vbt_model *m) {
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    struct vbt_sums sums = vbt_lines_total(lines);
    assert_int_equal(sums.allocs, totals.all.allocs);
    assert_int_equal(sums.frees, totals.all.frees);
    assert_int_equal(sums.allocated, totals.all.allocated);
    assert_int_equal(sums.freed, totals.all.freed);
    assert_int_equal(sums.live_blocks, totals.all.live_blocks);
    assert_int_equal(sums.live_bytes, totals.all.live_bytes);
    assert_int_equal(sums.temporary, totals.all.temporary);
    assert_int_equal(sums.at_peak_bytes, totals.all.at_peak_bytes);
}

static void leaf_lines_of_the_sample(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_lines lines;
    tb_sample(&l.b);
    load(&l);
    vbt_lines_build(&lines, &l.t.model, l.t.places, l.t.attribution.leaf, l.t.counts, false);
    assert_int_equal(lines.count, 6);
    assert_int_equal(find(&lines, "<module>", 8)->sums.allocs, 3);
    assert_int_equal(find(&lines, "work", 3)->sums.allocated, 240);
    assert_int_equal(find(&lines, "work", 4)->sums.temporary, 7);
    const struct vbt_line_row *ones = find(&lines, "ones", 200); /* with its malloc */
    assert_int_equal(ones->sums.allocs, 10);
    assert_int_equal(ones->sums.allocated, 5500);
    assert_int_equal(ones->sums.smallest, 50);
    assert_int_equal(ones->sums.largest, 1000);
    assert_int_equal(ones->sums.max_rss_bytes, 40 << 20);
    assert_int_equal(ones->sizes[6], 3);
    assert_int_equal(ones->sizes[8], 2);
    assert_int_equal(ones->sizes[10], 5); /* without its own histogram: 5 of 1000 bytes */
    assert_int_equal(find(&lines, "[vbtrace]", 0)->sums.live_bytes, 200);
    assert_int_equal(find(&lines, "libother.so+0x1f", 0)->sums.allocs, 4);
    check_total(&lines, &l.t.model);
    vbt_lines_free(&lines);
    loaded_trace_free(&l);
}

static void user_lines_of_the_sample(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_lines lines;
    tb_sample(&l.b);
    load_filtered(&l, "bench.py");
    vbt_lines_build(&lines, &l.t.model, l.t.places, l.t.attribution.user, l.t.counts, true);
    assert_int_equal(lines.count, 5);
    assert_int_equal(find(&lines, "work", 3)->sums.allocs, 20);
    assert_int_equal(find(&lines, "work", 3)->sums.allocated, 5740);
    assert_int_equal(find(&lines, "[vbtrace]", 0)->sums.allocs, 2);
    assert_int_equal(find(&lines, VBT_OUTSIDE, 0)->sums.allocs, 4);
    check_total(&lines, &l.t.model);
    vbt_lines_sort(&lines, "bytes");
    assert_int_equal(lines.rows[0].sums.allocated, 5740);
    vbt_lines_sort(&lines, "allocs");
    assert_int_equal(lines.rows[1].sums.allocs, 7);
    assert_false(vbt_lines_sort(&lines, "colour"));
    vbt_lines_filter(&lines, l.t.filter);
    assert_int_equal(lines.count, 3);
    vbt_lines_free(&lines);
    loaded_trace_free(&l);
}

/* native paths: 1 main program > 2 library; 3 library only; with exe and, if it is not NULL, a
 * version of Python. */
static void build_native(struct trace_builder *b, const char *exe, const char *python) {
    tb_begin(b);
    tb_process(b, (const char *const[]){"exe", exe, python != NULL ? "python" : NULL, python, NULL});
    uint32_t program = tb_site(b, VBT_SITE_NATIVE, 0x1010, 1), library = tb_site(b, VBT_SITE_NATIVE, 0x2010, 0);
    uint32_t one = tb_node(b, 0, program, VBT_DOMAIN_HEAP);
    tb_node(b, one, library, VBT_DOMAIN_HEAP);
    tb_node(b, 0, library, VBT_DOMAIN_HEAP);
}

static void the_main_program_is_user_code_without_python(void **state) {
    (void)state;
    struct loaded_trace l;
    build_native(&l.b, "/bin/tool", NULL);
    load(&l);
    const uint32_t leaf[] = {0, 1, 2, 2}, user[] = {0, 1, 1, 0};
    assert_memory_equal(l.t.attribution.leaf, leaf, sizeof leaf);
    assert_memory_equal(l.t.attribution.user, user, sizeof user);
    loaded_trace_free(&l);
}

static void an_interpreter_is_not_user_code(void **state) {
    (void)state;
    struct loaded_trace l;
    build_native(&l.b, "/usr/bin/python3.11", "3.11.2");
    load(&l);
    const uint32_t user[] = {0, 0, 0, 0};
    assert_memory_equal(l.t.attribution.user, user, sizeof user);
    loaded_trace_free(&l);
    build_native(&l.b, "/opt/game/game", "3.11.2"); /* embeds Python */
    load(&l);
    assert_int_equal(l.t.attribution.user[2], 1);
    loaded_trace_free(&l);
}

/* [truncated: ...] > 2 main program > 3 library; > 4 library; > 5 Python of the user's > 6
 * library. */
static void a_cut_stack_has_the_lines_that_are_known(void **state) {
    (void)state;
    struct loaded_trace l;
    tb_begin(&l.b);
    tb_process(&l.b, (const char *const[]){"exe", "/bin/tool", NULL});
    uint32_t program = tb_site(&l.b, VBT_SITE_NATIVE, 0x1010, 1), library = tb_site(&l.b, VBT_SITE_NATIVE, 0x2010, 0);
    uint32_t cut = tb_site(&l.b, VBT_SITE_SPECIAL, tb_string(&l.b, "[truncated: generated code]"), 0);
    uint32_t line = tb_site(&l.b, VBT_SITE_PYTHON, tb_code(&l.b, "a.py", "f", 1, VBT_CODE_USER), 5);
    uint32_t top = tb_node(&l.b, 0, cut, VBT_DOMAIN_HEAP);
    tb_node(&l.b, tb_node(&l.b, top, program, VBT_DOMAIN_HEAP), library, VBT_DOMAIN_HEAP);
    tb_node(&l.b, top, library, VBT_DOMAIN_HEAP);
    tb_node(&l.b, tb_node(&l.b, top, line, VBT_DOMAIN_HEAP), library, VBT_DOMAIN_HEAP);
    load(&l);
    const uint32_t leaf[] = {0, cut, program, library, library, line, line}, user[] = {0, cut, program, program, cut, line, line};
    assert_memory_equal(l.t.attribution.leaf, leaf, sizeof leaf);
    assert_memory_equal(l.t.attribution.user, user, sizeof user);
    loaded_trace_free(&l);
}

static void the_same_line_compiled_twice_is_one_row(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_lines lines;
    tb_begin(&l.b);
    for (uint32_t i = 1; i <= 3; i++) {
        uint32_t code = tb_code(&l.b, "a.py", i < 3 ? "f" : "g", 1, VBT_CODE_USER);
        tb_node(&l.b, 0, tb_site(&l.b, VBT_SITE_PYTHON, code, 5), VBT_DOMAIN_PYTHON);
        tb_counters(&l.b, &(struct tb_counters){.node = i, .allocs = 10 * i, .allocated = i, .live_blocks = 0}, 1);
    }
    load(&l);
    vbt_lines_build(&lines, &l.t.model, l.t.places, l.t.attribution.leaf, l.t.counts, false);
    assert_int_equal(lines.count, 2);
    assert_int_equal(find(&lines, "f", 5)->sums.allocs, 30);
    assert_int_equal(find(&lines, "g", 5)->sums.allocs, 30);
    vbt_lines_free(&lines);
    loaded_trace_free(&l);
}

static void mapped_memory_is_no_part_of_lines_and_totals(void **state) {
    (void)state;
    struct loaded_trace l;
    struct vbt_lines lines;
    struct vbt_trace_totals totals;
    tb_begin(&l.b);
    uint32_t site = tb_site(&l.b, VBT_SITE_NATIVE, 0x1010, 1);
    tb_node(&l.b, 0, site, VBT_DOMAIN_MAP);
    tb_node(&l.b, 0, site, VBT_DOMAIN_HEAP);
    tb_counters(&l.b, (struct tb_counters[]){{.node = 1, .allocs = 1, .allocated = 4096}, {.node = 2, .allocs = 2, .allocated = 7}},
                2);
    load(&l);
    vbt_lines_build(&lines, &l.t.model, l.t.places, l.t.attribution.leaf, l.t.counts, false);
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.rows[0].sums.allocated, 7);
    vbt_totals_get(&totals, &l.t.model); /* no STATE: from the counters */
    assert_int_equal(totals.all.allocated, 7);
    assert_int_equal(totals.domain[VBT_DOMAIN_MAP].allocated, 4096);
    vbt_lines_free(&lines);
    loaded_trace_free(&l);
}

static void conservation_is_checked_when_the_trace_is_complete(void **state) {
    (void)state;
    struct vbt_conservation c;
    struct loaded_trace l;
    tb_sample(&l.b);
    load(&l);
    vbt_conservation_check(&c, &l.t.model);
    assert_true(c.checked && c.holds);
    vbt_conservation_free(&c);
    loaded_trace_free(&l);

    tb_sample(&l.b); /* one more in the totals than by path */
    tb_state(&l.b, (const int64_t[][2]){{VBT_STATE_DOMAIN + 16 + VBT_FIELD_ALLOCS, 26}, {0, 0}});
    load(&l);
    vbt_conservation_check(&c, &l.t.model);
    assert_false(c.checked); /* no END after it */
    vbt_conservation_free(&c);
    loaded_trace_free(&l);

    tb_sample(&l.b);
    tb_state(&l.b, (const int64_t[][2]){{VBT_STATE_DOMAIN + 16 + VBT_FIELD_ALLOCS, 26}, {0, 0}});
    tb_end(&l.b, 5, "exit");
    load(&l);
    vbt_conservation_check(&c, &l.t.model);
    assert_true(c.checked && !c.holds);
    assert_string_equal(c.difference, "Python allocations: 25 over all call paths, 26 in the totals");
    vbt_conservation_free(&c);
    loaded_trace_free(&l);
}

/* Two kinds, one with inherited mappings; classes of the resident set, the last one unknown to
 * every version. */
static void put_maps(struct trace_builder *b, uint64_t allocs) {
    const uint64_t payload[] = {5,    2, allocs, 1, 8192, 4096, 0, 0, 0, 1, 0, 4096, 0, 0, 1,
                                4096, 1, 1,      7, 200,  60,   8, 1, 2, 3, 4, 5,    6, 7, 8};
    tb_open(b);
    for (size_t i = 0; i < VBT_COUNT(payload); i++)
        vbt_put_varint(&b->w, payload[i]);
    tb_close(b, VBT_CHUNK_MAPS);
}

static void put_mapped(struct trace_builder *b, uint64_t allocs, int64_t held) {
    tb_sample(b);
    uint32_t node = tb_node(b, 0, tb_site(b, VBT_SITE_NATIVE, 0x9010, 1), VBT_DOMAIN_MAP);
    tb_counters(b,
                &(struct tb_counters){.node = node,
                                      .allocs = 3,
                                      .allocated = 12288,
                                      .live_blocks = 3,
                                      .live_bytes = 12288,
                                      .inherited_blocks = 1,
                                      .inherited_bytes = 4096},
                1);
    put_maps(b, allocs);
    const int64_t map = VBT_STATE_DOMAIN + 16 * VBT_DOMAIN_MAP;
    tb_state(b, (const int64_t[][2]){{map + VBT_FIELD_ALLOCS, 3},
                                     {map + VBT_FIELD_FREES, 1},
                                     {map + VBT_FIELD_ALLOCATED, 12288},
                                     {map + VBT_FIELD_FREED, 4096},
                                     {map + VBT_FIELD_INHERITED_BLOCKS, 1},
                                     {map + VBT_FIELD_INHERITED_BYTES, 4096},
                                     {VBT_STATE_MAPS_HELD, held},
                                     {0, 0}});
    tb_end(b, 5, "exit");
}

static void mapped_memory_is_read_by_kind_and_must_add_up(void **state) {
    (void)state;
    static const char *const differences[] = {NULL, "map allocations: 2 over all kinds, 3 in the totals",
                                              "map: 12288 bytes live, addresses of 8192 bytes held"};
    for (int i = 0; i < 3; i++) {
        struct vbt_conservation c;
        struct loaded_trace l;
        put_mapped(&l.b, i == 1 ? 1 : 2, i == 2 ? 8192 : 12288);
        load(&l);
        vbt_conservation_check(&c, &l.t.model);
        assert_true(c.checked);
        assert_int_equal(c.holds, i == 0);
        if (i > 0)
            assert_string_equal(c.difference, differences[i]);
        vbt_conservation_free(&c);
        const struct vbt_model_resident *highest = &l.t.model.resident[VBT_RESIDENT_HIGHEST];
        assert_false(l.t.model.resident[VBT_RESIDENT_LATEST].known);
        assert_true(highest->known);
        assert_int_equal(highest->time, 7);
        assert_int_equal(highest->live_heap, 100); /* zigzag */
        assert_int_equal(highest->live_python, 30);
        assert_int_equal(highest->bytes[VBT_RESIDENT_HEAP], 1);
        assert_int_equal(highest->bytes[VBT_RESIDENT_UNKNOWN], 7 + 8);
        assert_int_equal(l.t.model.maps[VBT_MAP_FILE][VBT_FIELD_INHERITED_BYTES], 4096);
        loaded_trace_free(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf_lines_of_the_sample),
        cmocka_unit_test(user_lines_of_the_sample),
        cmocka_unit_test(the_main_program_is_user_code_without_python),
        cmocka_unit_test(an_interpreter_is_not_user_code),
        cmocka_unit_test(a_cut_stack_has_the_lines_that_are_known),
        cmocka_unit_test(the_same_line_compiled_twice_is_one_row),
        cmocka_unit_test(mapped_memory_is_no_part_of_lines_and_totals),
        cmocka_unit_test(conservation_is_checked_when_the_trace_is_complete),
        cmocka_unit_test(mapped_memory_is_read_by_kind_and_must_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
