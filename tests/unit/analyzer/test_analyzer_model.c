/* From payloads to the model: known answers, and payloads with valid compression and checksum but
 * false contents. */
#include "format/count.h"
#include "analyzer/trace/counters.h"
#include "analyzer/trace/load.h"
#include "tests/unit/support/trace_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void the_sample_is_read_as_it_was_written(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_sample(&b);
    assert_null(vbt_model_load(&m, tb_save(&b), true));
    assert_true(vbt_model_complete(&m));
    assert_string_equal(m.end_reason, "exit");
    assert_int_equal(vbt_model_duration(&m), 2000000001);
    assert_int_equal(m.node_count, 7);
    assert_int_equal(m.site_count, 7);
    assert_int_equal(m.code_count, 3);
    assert_int_equal(m.nodes[3].parent, 2);
    assert_string_equal(vbt_model_string(&m, m.codes[2].name), "work");
    assert_string_equal(vbt_model_process(&m, "arg"), "python3");
    assert_null(vbt_model_process(&m, "nothing"));
    assert_int_equal(vbt_model_process_number(&m, "pid"), 4711);

    const struct vbt_model_counters counters = vbt_counters_of(&m, 3), *c = &counters;
    assert_int_equal(c->allocs, 5);
    assert_int_equal(c->allocated, 500);
    assert_int_equal(vbt_model_frees(c), 5);
    assert_int_equal(vbt_model_freed(c), 500);
    assert_int_equal(c->at_peak_bytes, 16);
    assert_int_equal(c->smallest, 50);
    assert_int_equal(c->largest, 200);
    assert_int_equal(c->sizes->count, 2);
    assert_int_equal(c->sizes->rows[1].bucket, 8);
    assert_int_equal(c->sizes->rows[1].allocs, 2);

    assert_int_equal(m.ticks.count, 2);
    assert_int_equal(m.ticks.rows[0].rss, 20 << 20);
    assert_int_equal(m.ticks.rows[1].heap, 1200);
    assert_int_equal(m.ticks.rows[1].python, 30);
    assert_int_equal(m.interval_count, 2);
    assert_int_equal(m.interval_site_count, 2);
    vbt_model_free(&m);
    tb_free(&b);
}

static void newer_values_replace_older_ones(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"pid", "1", "note", "old", NULL});
    tb_process(&b, (const char *const[]){"pid", "2", NULL});
    uint32_t site = tb_site(&b, VBT_SITE_NATIVE, 100, 1);
    uint32_t node = tb_node(&b, 0, site, VBT_DOMAIN_HEAP);
    tb_counters(&b, &(struct tb_counters){.node = node, .allocs = 1, .allocated = 8, .size_count = 1, .sizes = {{4, 1}}}, 1);
    tb_counters(
        &b, &(struct tb_counters){.node = node, .allocs = 9, .allocated = 72, .size_count = 3, .sizes = {{4, 1}, {5, 7}, {6, 1}}},
        1);
    tb_intervals(&b, &(struct tb_interval){.id = 3, .count = 1}, 1);
    tb_intervals(&b, (struct tb_interval[]){{.id = 3, .count = 8}, {.id = 1, .count = 2}}, 2);
    tb_interval_site(&b, 3, node, 1, 0, 8, 0);
    tb_interval_site(&b, 3, node, 4, 2, 32, 16);
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 10}, {VBT_STATE_RSS, 4096}, {0, 0}});
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 20}, {99999, 7}, {0, 0}}); /* a key of a later version */
    tb_end(&b, 30, "exec");
    tb_string(&b, "the exec failed");
    assert_null(vbt_model_load(&m, tb_save(&b), true));
    assert_int_equal(m.process_count, 1);
    assert_int_equal(vbt_model_process_number(&m, "pid"), 2);
    assert_int_equal(m.counted_nodes, 1);
    assert_int_equal(vbt_counters_of(&m, 1).allocs, 9);
    assert_int_equal(vbt_counters_of(&m, 1).sizes->count, 3);
    assert_int_equal(m.interval_count, 2);
    assert_int_equal(m.intervals[0].id, 1);
    assert_int_equal(m.intervals[1].count, 8);
    assert_int_equal(m.interval_site_count, 1);
    assert_int_equal(m.interval_sites[0].allocs, 4);
    assert_int_equal(m.state[VBT_STATE_RSS], 4096);
    assert_false(vbt_model_complete(&m));
    vbt_model_free(&m);
    tb_free(&b);
}

static void a_timeline_replaces_the_ticks_before_its_end(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    for (int64_t t = 1; t <= 4; t++)
        tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 10 * t}, {VBT_STATE_RSS, t}, {0, 0}});
    tb_timeline(&b, 2, (const uint64_t[]){15, 30}, (const int64_t[]){70, 60}, (const int64_t[]){7, 6}, (const int64_t[]){-1, 5});
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 50}, {VBT_STATE_RSS, 5}, {0, 0}});
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    const int64_t expected[][2] = {{15, 70}, {30, 60}, {40, 4}, {50, 5}};
    assert_int_equal(m.ticks.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(m.ticks.rows[i].time, expected[i][0]);
        assert_int_equal(m.ticks.rows[i].rss, expected[i][1]);
    }
    assert_int_equal(m.ticks.rows[0].python, -1);
    vbt_model_free(&m);
    tb_free(&b);
}

/* A file of one valid string, one site, two nodes, and a payload that the test writes. */
static void open_lie(struct trace_builder *b) {
    tb_begin(b);
    tb_string(b, "sound");
    tb_site(b, VBT_SITE_NATIVE, 100, 0);
    tb_node(b, 0, 1, VBT_DOMAIN_HEAP);
    tb_node(b, 1, 1, VBT_DOMAIN_HEAP);
    tb_open(b);
}

static void check_lie(struct trace_builder *b, enum vbt_chunk_kind kind, const char *says) {
    struct vbt_model m;
    tb_close(b, kind);
    assert_null(vbt_model_load(&m, tb_save(b), true));
    assert_non_null(m.damage);
    if (strstr(m.damage, says) == NULL)
        fail_msg("\"%s\" should say \"%s\"", m.damage, says);
    assert_int_equal(m.string_count, 1);
    assert_int_equal(m.site_count, 1);
    assert_int_equal(m.node_count, 2);
    assert_false(m.symbolized);
    assert_int_equal(m.named_site_count + m.named_frame_count + m.source_row_count + m.source_text_size, 0);
    vbt_model_free(&m);
    tb_free(b);
}

static void put(struct trace_builder *b, size_t count, const uint64_t *numbers) {
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(&b->w, numbers[i]);
}

#define LIE(kind, says, ...)                                                                                                       \
    do {                                                                                                                           \
        struct trace_builder b;                                                                                                    \
        const uint64_t numbers[] = {__VA_ARGS__};                                                                                  \
        open_lie(&b);                                                                                                              \
        put(&b, VBT_COUNT(numbers), numbers);                                                                                      \
        check_lie(&b, kind, says);                                                                                                 \
    } while (0)

static void parents_must_come_before_their_children(void **state) {
    (void)state;
    /* first, count, id - parent, site (zigzag), domain */
    LIE(VBT_CHUNK_NODES, "parent of node 3", 3, 1, 0, 2, 0);          /* its own parent */
    LIE(VBT_CHUNK_NODES, "parent of node 3", 3, 1, 4, 2, 0);          /* below the root */
    LIE(VBT_CHUNK_NODES, "parent of node 3", 3, 1, UINT64_MAX, 2, 0); /* a later node */
    LIE(VBT_CHUNK_NODES, "call site", 3, 1, 1, 4, 0);                 /* site 2 */
    LIE(VBT_CHUNK_NODES, "call site", 3, 1, 1, 1, 0);                 /* site -1 */
    LIE(VBT_CHUNK_NODES, "domain 3", 3, 1, 1, 2, 3);
}

static void ids_must_be_dense_and_known(void **state) {
    (void)state;
    LIE(VBT_CHUNK_NODES, "starts with id 4, expected 3", 4, 1, 1, 2, 0);
    LIE(VBT_CHUNK_NODES, "starts with id 1, expected 3", 1, 1, 1, 2, 0);
    LIE(VBT_CHUNK_CODES, "string 2", 1, 1, 2, 1, 10, 0);
    LIE(VBT_CHUNK_SITES, "code 1", 2, 1, VBT_SITE_PYTHON, 1, 0);
    LIE(VBT_CHUNK_SITES, "string 9", 2, 1, VBT_SITE_SPECIAL, 9, 0);
    LIE(VBT_CHUNK_SITES, "kind 3", 2, 1, 3, 9, 0);
    LIE(VBT_CHUNK_MODULES, "expected 0", 1, 1, 0, 1, 0, 0);
    LIE(VBT_CHUNK_INTERVAL_SITES, "node 3", 1, 2, 6, 0, 0, 0, 0); /* interval 1, node 3 */
}

static void counts_beyond_the_payload_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    const uint64_t huge[] = {1000, UINT32_MAX, UINT64_MAX / 2, UINT64_MAX};
    for (size_t i = 0; i < VBT_COUNT(huge); i++) {
        LIE(VBT_CHUNK_PROCESS, "room for", huge[i], 0, 0);
        LIE(VBT_CHUNK_STRINGS, "room for", 2, huge[i], 0);
        LIE(VBT_CHUNK_CODES, "room for", 1, huge[i], 0);
        LIE(VBT_CHUNK_SITES, "room for", 2, huge[i], 0);
        LIE(VBT_CHUNK_NODES, "room for", 3, huge[i], 0);
        LIE(VBT_CHUNK_MODULES, "room for", 0, huge[i], 0);
        LIE(VBT_CHUNK_COUNTERS, "room for", 0, huge[i], 0);
        LIE(VBT_CHUNK_INTERVALS, "room for", huge[i], 0);
        LIE(VBT_CHUNK_INTERVAL_SITES, "room for", huge[i], 0);
        LIE(VBT_CHUNK_TIMELINE, "room for", huge[i], 0);
        LIE(VBT_CHUNK_FRAMES, "room for", huge[i], 0);
        LIE(VBT_CHUNK_FRAMES, "call site without frames, or with more", 1, 1, 0, huge[i], 1, 0, 0, 0, 0);
        LIE(VBT_CHUNK_SOURCES, "room for", huge[i], 0);
        LIE(VBT_CHUNK_SOURCES, "ends too early", 1, 1, 1, 0, huge[i]);
        LIE(VBT_CHUNK_STRINGS, "ends too early", 2, 1, huge[i]);
        LIE(VBT_CHUNK_END, "ends too early", 5, huge[i]);
    }
}

static void counters_must_be_of_known_nodes_in_order(void **state) {
    (void)state;
    /* time, rows, nodes, then the rest of a row: eleven counters and the number of histogram
     * entries */
#define ROW_OF_ZEROS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    LIE(VBT_CHUNK_COUNTERS, "not defined", 0, 1, 3, ROW_OF_ZEROS);
    LIE(VBT_CHUNK_COUNTERS, "not defined", 0, 1, 0, ROW_OF_ZEROS);
    LIE(VBT_CHUNK_COUNTERS, "out of order", 0, 2, 1, 0, ROW_OF_ZEROS, ROW_OF_ZEROS);
    LIE(VBT_CHUNK_COUNTERS, "not defined", 0, 2, 2, UINT64_MAX, ROW_OF_ZEROS, ROW_OF_ZEROS);
    LIE(VBT_CHUNK_COUNTERS, "histogram of 49", 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 49);
    LIE(VBT_CHUNK_COUNTERS, "bucket 48", 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 48, 5);
    LIE(VBT_CHUNK_COUNTERS, "ends too early", 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5);
}

static void names_must_be_of_native_sites_in_order(void **state) {
    (void)state;
    /* rows; columns of site, state, number of frames; columns of function, file, line, and those of
     * its definition */
    LIE(VBT_CHUNK_FRAMES, "call sites that are not native", 1, 0, 0, 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "call sites that are not native", 1, 2, 0, 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "call sites that are not native", 1, UINT64_MAX, 0, 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "state 4", 1, 1, VBT_BINARY_STATES, 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "without frames", 1, 1, 0, 0, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "more than 256", 1, 1, 0, VBT_FRAMES_MAX + 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "claims 2 frames, has room for 1", 1, 1, 0, 2, 1, 1, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "without a name", 1, 1, 0, 1, 0, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "string 2", 1, 1, 0, 1, 2, 0, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "string 7", 1, 1, 0, 1, 1, 7, 0, 0, 0);
    LIE(VBT_CHUNK_FRAMES, "string 18446744073709551615", 1, 1, 0, 1, 1, 0, 0, UINT64_MAX, 0);
    LIE(VBT_CHUNK_SOURCES, "string 2", 1, 2, 1, 0, 0);
    LIE(VBT_CHUNK_SOURCES, "ends too early", 1, 1, 1, 0, 1);
}

/* Sites 1 and 2 are native, site 3 is not. */
static void check_named_sites(uint64_t first, uint64_t second, bool sound) {
    struct trace_builder b;
    struct vbt_model m;
    open_lie(&b);
    tb_close(&b, VBT_CHUNK_STATE);
    tb_site(&b, VBT_SITE_NATIVE, 200, 0);
    tb_site(&b, VBT_SITE_PYTHON, tb_code(&b, "a.py", "f", 1, 0), 1);
    tb_open(&b);
    put(&b, 17, (const uint64_t[]){2, first, second, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
    tb_close(&b, VBT_CHUNK_FRAMES);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_int_equal(m.symbolized, sound);
    if (sound)
        assert_null(m.damage);
    else
        assert_non_null(strstr(m.damage, "not native, not defined before it, or out of order"));
    vbt_model_free(&m);
    tb_free(&b);
}

static void only_native_sites_have_names(void **state) {
    (void)state;
    check_named_sites(1, 1, true);
    check_named_sites(1, 0, false);          /* the same again */
    check_named_sites(2, UINT64_MAX, false); /* and back */
    check_named_sites(1, 2, false);          /* Python */
    check_named_sites(1, 3, false);          /* none */
}

/* Correct rows, twice: the later ones hold. */
static void newer_names_replace_older_ones(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    open_lie(&b);
    put(&b, 14, (const uint64_t[]){1, 1, VBT_BINARY_GONE, 2, 1, 1, 0, 1, 0, UINT64_MAX, 0, 0, 0, 0});
    tb_close(&b, VBT_CHUNK_FRAMES);
    tb_open(&b);
    put(&b, 9, (const uint64_t[]){1, 1, 0, 1, 1, 1, 7, 1, 5});
    tb_close(&b, VBT_CHUNK_FRAMES);
    tb_open(&b);
    put(&b, 4, (const uint64_t[]){1, 1, 7, 1});
    vbt_put_string(&b.w, "line", 4);
    tb_close(&b, VBT_CHUNK_SOURCES);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_null(m.damage);
    assert_true(m.symbolized);
    const struct vbt_named_site *site = vbt_model_named_site(&m, 1);
    assert_int_equal(site->count, 1);
    assert_int_equal(site->state, VBT_BINARY_SAME);
    const struct vbt_named_frame *frame = &m.named_frames[site->first];
    assert_string_equal(vbt_model_string(&m, frame->function), "sound");
    assert_int_equal(frame->line, 7);
    assert_int_equal(frame->declared_line, 5);
    assert_int_equal(m.named_frames[0].line, 0); /* of the older row; its second line number is too large */
    assert_int_equal(m.named_frames[1].line, 0);
    assert_int_equal(m.source_row_count, 1);
    assert_int_equal(m.source_rows[0].size, 4);
    assert_true(m.source_rows[0].changed);
    vbt_model_free(&m);
    tb_free(&b);
}

static void an_overlong_varint_is_damage(void **state) {
    (void)state;
    struct trace_builder b;
    open_lie(&b);
    for (int i = 0; i < 30; i++)
        vbt_put_bytes(&b.w, "\xff", 1);
    check_lie(&b, VBT_CHUNK_STATE, "malformed");
    const enum vbt_chunk_kind kinds[] = {VBT_CHUNK_FRAMES, VBT_CHUNK_SOURCES};
    for (size_t k = 0; k < 2; k++) {
        open_lie(&b);
        put(&b, 2, (const uint64_t[]){1, 1});
        for (int i = 0; i < 30; i++)
            vbt_put_bytes(&b.w, "\xff", 1);
        check_lie(&b, kinds[k], "malformed");
    }
}

static void numbers_at_their_limits_do_no_harm(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    open_lie(&b);
    put(&b, 17,
        (const uint64_t[]){0, 1, 1, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                           UINT64_MAX, UINT64_MAX, UINT64_MAX, 0, 0, 0});
    tb_close(&b, VBT_CHUNK_COUNTERS);
    assert_null(vbt_model_load(&m, tb_save(&b), true));
    assert_null(m.damage);
    assert_int_equal(vbt_counters_of(&m, 1).allocs, UINT64_MAX);
    vbt_model_free(&m);
    tb_free(&b);
}

/* An empty string is no name, like none. */
static void a_function_has_a_name(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    open_lie(&b);
    uint32_t empty = tb_string(&b, "");
    tb_open(&b);
    put(&b, 9, (const uint64_t[]){1, 1, VBT_BINARY_SAME, 1, empty, 0, 0, 0, 0});
    tb_close(&b, VBT_CHUNK_FRAMES);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_string_equal(m.damage, "FRAMES: a function without a name");
    vbt_model_free(&m);
    tb_free(&b);
}

/* A string longer than any name is truncated, the next one is complete. */
static void long_names_are_cut(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    char *name = malloc(2 * VBT_NAME_MAX + 1);
    memset(name, 'x', 2 * VBT_NAME_MAX);
    name[2 * VBT_NAME_MAX] = '\0';
    tb_begin(&b);
    uint32_t cut = tb_string(&b, name), whole = tb_string(&b, "whole");
    tb_module(&b, 1, 2, 0, name);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_int_equal(strlen(vbt_model_string(&m, cut)), VBT_NAME_MAX);
    assert_string_equal(vbt_model_string(&m, whole), "whole");
    assert_int_equal(strlen(m.modules[0].path), VBT_NAME_MAX);
    vbt_model_free(&m);
    tb_free(&b);
    free(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_read_as_it_was_written),
        cmocka_unit_test(newer_values_replace_older_ones),
        cmocka_unit_test(a_timeline_replaces_the_ticks_before_its_end),
        cmocka_unit_test(parents_must_come_before_their_children),
        cmocka_unit_test(ids_must_be_dense_and_known),
        cmocka_unit_test(counts_beyond_the_payload_are_refused_before_memory_is_taken),
        cmocka_unit_test(counters_must_be_of_known_nodes_in_order),
        cmocka_unit_test(names_must_be_of_native_sites_in_order),
        cmocka_unit_test(only_native_sites_have_names),
        cmocka_unit_test(newer_names_replace_older_ones),
        cmocka_unit_test(an_overlong_varint_is_damage),
        cmocka_unit_test(numbers_at_their_limits_do_no_harm),
        cmocka_unit_test(a_function_has_a_name),
        cmocka_unit_test(long_names_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
