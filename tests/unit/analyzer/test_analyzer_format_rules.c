/* The rules of FORMAT.md that no trace of the library's shows: what is damage, what is not, and
 * what replaces what. */
#include "format/chunk.h"
#include "format/count.h"
#include "analyzer/trace/counters.h"
#include "analyzer/trace/load.h"
#include "tests/unit/support/trace_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void put(struct trace_builder *b, size_t count, const uint64_t *numbers) {
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(&b->w, numbers[i]);
}

/* A chunk of these numbers. */
#define CHUNK(b, kind, ...)                                                                                                        \
    do {                                                                                                                           \
        const uint64_t numbers[] = {__VA_ARGS__};                                                                                  \
        tb_open(b);                                                                                                                \
        put(b, VBT_COUNT(numbers), numbers);                                                                                       \
        tb_close(b, kind);                                                                                                         \
    } while (0)

/* The whole trace is sound. */
static void load(struct vbt_model *m, struct trace_builder *b) {
    char *problem = vbt_model_load(m, tb_save(b), true);
    if (problem != NULL || m->damage != NULL)
        fail_msg("%s", problem != NULL ? problem : m->damage);
    tb_free(b);
}

/* Only its last chunk is damaged. */
static void check_damaged(struct trace_builder *b, const char *says) {
    struct vbt_model m;
    assert_null(vbt_model_load(&m, tb_save(b), true));
    assert_non_null(m.damage);
    if (strstr(m.damage, says) == NULL)
        fail_msg("\"%s\" should say \"%s\"", m.damage, says);
    assert_int_equal(m.string_count, b->strings);
    vbt_model_free(&m);
    tb_free(b);
}

static void a_number_may_be_longer_than_necessary(void **state) {
    (void)state;
    static const uint8_t zero_of_10[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    static const uint8_t highest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_open(&b);
    vbt_put_bytes(&b.w, "\x82\x00\x86\x80\x00", 5); /* RSS: 3 */
    vbt_put_bytes(&b.w, "\x05", 1);                 /* PEAK: 0 */
    vbt_put_bytes(&b.w, zero_of_10, sizeof zero_of_10);
    vbt_put_bytes(&b.w, "\x03", 1); /* MAX_RSS: the lowest that there is */
    vbt_put_bytes(&b.w, highest, sizeof highest);
    tb_close(&b, VBT_CHUNK_STATE);
    load(&m, &b);
    assert_int_equal(m.state[VBT_STATE_RSS], 3);
    assert_int_equal(m.state[VBT_STATE_PEAK], 0);
    assert_true(m.state[VBT_STATE_MAX_RSS] == INT64_MIN);
    vbt_model_free(&m);

    static const uint8_t too_large[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2};
    static const uint8_t of_11[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    for (int i = 0; i < 2; i++) {
        tb_begin(&b);
        tb_string(&b, "sound");
        tb_open(&b);
        vbt_put_bytes(&b.w, "\x05", 1);
        vbt_put_bytes(&b.w, i == 0 ? too_large : of_11, i == 0 ? sizeof too_large : sizeof of_11);
        tb_close(&b, VBT_CHUNK_STATE);
        check_damaged(&b, "malformed");
    }
}

static void reserved_bytes_mean_nothing(void **state) {
    (void)state;
    enum { FILE_RESERVED = 11, CHUNK_RESERVED = 5, CHECKSUM = 24 };
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_end(&b, 7, "exit");
    memset(b.bytes + FILE_RESERVED, 0xaa, VBT_FILE_HEADER_SIZE - FILE_RESERVED);
    uint8_t *chunk = b.bytes + VBT_FILE_HEADER_SIZE;
    memset(chunk + CHUNK_RESERVED, 0xaa, 3);
    uint64_t checksum =
        vbt_chunk_checksum(chunk, chunk + VBT_CHUNK_HEADER_SIZE, b.size - VBT_FILE_HEADER_SIZE - VBT_CHUNK_HEADER_SIZE);
    for (int i = 0; i < 8; i++)
        chunk[CHECKSUM + i] = (uint8_t)(checksum >> (8 * i));
    load(&m, &b);
    assert_true(vbt_model_complete(&m));
    vbt_model_free(&m);
}

static void machines_that_are_not_known_are_refused(void **state) {
    (void)state;
    enum { VERSION = 8, BYTE_ORDER_OF_IT = 9, POINTER = 10 };
    static const struct {
        int at;
        uint8_t value;
        bool sound;
    } cases[] = {{VERSION, 1, true},           {VERSION, 0, false},          {VERSION, 2, false}, {BYTE_ORDER_OF_IT, 2, true},
                 {BYTE_ORDER_OF_IT, 0, false}, {BYTE_ORDER_OF_IT, 3, false}, {POINTER, 4, false}, {POINTER, 8, true}};
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        struct trace_builder b;
        struct vbt_model m;
        tb_begin(&b);
        tb_end(&b, 7, "exit");
        b.bytes[cases[i].at] = cases[i].value;
        char *problem = vbt_model_load(&m, tb_save(&b), true);
        assert_int_equal(problem == NULL, cases[i].sound);
        free(problem);
        vbt_model_free(&m);
        tb_free(&b);
    }
}

/* In each kind but STATE, which is read to its end. */
static void what_follows_the_last_field_is_ignored(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    CHUNK(&b, VBT_CHUNK_PROCESS, 0, 77, 78, 79);
    CHUNK(&b, VBT_CHUNK_STRINGS, 1, 1, 1, 'f', 77);
    CHUNK(&b, VBT_CHUNK_CODES, 1, 1, 1, 1, 5, 0, 77);
    CHUNK(&b, VBT_CHUNK_MODULES, 0, 1, 10, 20, 0, 0, 1, 10, 1, 0, 77);
    CHUNK(&b, VBT_CHUNK_SITES, 1, 2, 0, 1, 1, 15, 10, 0, 0, 1, 77);
    CHUNK(&b, VBT_CHUNK_NODES, 1, 1, 1, 2, 0, 77);
    CHUNK(&b, VBT_CHUNK_COUNTERS, 9, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77);
    CHUNK(&b, VBT_CHUNK_INTERVALS, 0, 77);
    CHUNK(&b, VBT_CHUNK_INTERVAL_SITES, 0, 77);
    CHUNK(&b, VBT_CHUNK_TIMELINE, 0, 77);
    CHUNK(&b, VBT_CHUNK_FRAMES, 1, 2, 0, 1, 1, 0, 0, 0, 0, 77);
    CHUNK(&b, VBT_CHUNK_SOURCES, 0, 77);
    CHUNK(&b, VBT_CHUNK_LINES, 1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 10, 6, 77);
    CHUNK(&b, VBT_CHUNK_MAPS, 0, 0, 0, 77);
    CHUNK(&b, VBT_CHUNK_THREADS, 0, 77);
    CHUNK(&b, VBT_CHUNK_THREAD_COUNTERS, 0, 0, 77);
    CHUNK(&b, VBT_CHUNK_END, 5, 0, 77);
    load(&m, &b);
    assert_true(vbt_model_complete(&m));
    assert_int_equal(m.sites[2].module, 1);
    assert_int_equal(vbt_counters_of(&m, 1).allocs, 3);
    assert_int_equal(m.line_counts[0].own.objects, 4);
    assert_int_equal(m.line_counts[0].called.objects, 5);
    assert_int_equal(m.line_counts[0].entries, 6);
    vbt_model_free(&m);
}

/* A trace of one string, a Python site 1 and a native one 2. */
static void begin(struct trace_builder *b) {
    tb_begin(b);
    uint32_t code = tb_code(b, "a.py", "f", 1, 0);
    tb_site(b, VBT_SITE_PYTHON, code, 5);
    tb_site(b, VBT_SITE_NATIVE, 100, 0);
    tb_node(b, 0, 2, VBT_DOMAIN_HEAP);
}

#define DAMAGED(kind, says, ...)                                                                                                   \
    do {                                                                                                                           \
        struct trace_builder of;                                                                                                   \
        begin(&of);                                                                                                                \
        CHUNK(&of, kind, __VA_ARGS__);                                                                                             \
        check_damaged(&of, says);                                                                                                  \
    } while (0)

static void columns_that_belong_together_are_missing_together(void **state) {
    (void)state;
    DAMAGED(VBT_CHUNK_MODULES, "ends too early", 0, 1, 10, 20, 0, 0, 1, 10);
    DAMAGED(VBT_CHUNK_LINES, "ends too early", 1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8);
}

static void the_file_goes_by_what_is_defined(void **state) {
    (void)state;
    DAMAGED(VBT_CHUNK_MODULES, "defines id 2, expected 1", 0, 1, 10, 20, 0, 0, 2, 10, 1, 0);
    DAMAGED(VBT_CHUNK_SITES, "module 1", 3, 1, 1, 9, 0, 1);
    DAMAGED(VBT_CHUNK_LINES, "a Python line", 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    DAMAGED(VBT_CHUNK_LINES, "a Python line", 1, 4, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    DAMAGED(VBT_CHUNK_FRAMES, "not native", 1, 1, 0, 1, 1, 0, 0, 0, 0);
    DAMAGED(VBT_CHUNK_INTERVALS, "kind 2", 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0);
    DAMAGED(VBT_CHUNK_THREAD_COUNTERS, "no threads, or more", 0, 1, 1, 1, 1);
}

/* No line has such a number. */
static void lines_beyond_31_bits_are_unknown(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    tb_site(&b, VBT_SITE_PYTHON, 1, INT64_C(1) << 31);
    tb_site(&b, VBT_SITE_PYTHON, 1, INT32_MAX);
    CHUNK(&b, VBT_CHUNK_CODES, 2, 2, 1, 1, 1, 1, INT32_MAX, UINT64_C(1) << 31, 0, 0);
    load(&m, &b);
    assert_int_equal(m.sites[3].b, 0);
    assert_int_equal(m.sites[4].b, INT32_MAX);
    assert_int_equal(m.codes[2].first_line, INT32_MAX);
    assert_int_equal(m.codes[3].first_line, 0);
    vbt_model_free(&m);
}

/* Also of one chunk. */
static void of_repeated_rows_the_newest_holds(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin(&b);
    /* three times site 1: the columns of site, flags, hits; 18 of zeros */
    tb_open(&b);
    put(&b, 10, (const uint64_t[]){3, 2, 0, 0, 1, 0, 0, 7, 8, 9});
    for (int i = 0; i < 3 * 18; i++)
        vbt_put_varint(&b.w, 0);
    tb_close(&b, VBT_CHUNK_LINES);
    CHUNK(&b, VBT_CHUNK_INTERVAL_SITES, 2, 2, 0, 2, 0, 5, 6, 0, 0, 50, 60, 0, 0);
    CHUNK(&b, VBT_CHUNK_MAPS, 3, 1, 1, 0, 4096, 0, 0, 0, 0, 2, 0, 3, 0, 0, 1, 11, 1, 3, 0, 0, 1, 22);
    CHUNK(&b, VBT_CHUNK_MAPS, 4, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 8192, 0, 0, 0, 0, 2, 0, 4, 0, 0, 1, 12, 0, 5, 0, 0, 1, 13);
    load(&m, &b);
    assert_int_equal(m.line_counts_count, 1);
    assert_int_equal(m.line_counts[0].hits, 9);
    assert_false(m.line_counts[0].decorated);
    assert_int_equal(m.interval_site_count, 1);
    assert_int_equal(m.interval_sites[0].allocs, 6);
    assert_int_equal(m.interval_sites[0].allocated, 60);
    assert_int_equal(m.maps[VBT_MAP_ANONYMOUS][VBT_FIELD_ALLOCATED], 0); /* all kinds together */
    assert_int_equal(m.maps[VBT_MAP_FILE][VBT_FIELD_ALLOCATED], 8192);
    assert_int_equal(m.resident[VBT_RESIDENT_LATEST].bytes[0], 13);
    assert_int_equal(m.resident[VBT_RESIDENT_HIGHEST].bytes[0], 22); /* one by one */
    vbt_model_free(&m);
}

/* The snapshot that TIMELINE contains; one that is older than its end; newer ones; the same time
 * again. */
static void a_timeline_also_replaces_what_comes_after_it(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_timeline(&b, 3, (const uint64_t[]){15, 15, 30}, (const int64_t[]){70, 71, 60}, (const int64_t[]){7, 7, 6},
                (const int64_t[]){1, 2, 3});
    static const int64_t times[] = {30, 20, 40, 40, 35};
    for (size_t i = 0; i < VBT_COUNT(times); i++)
        tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, times[i]}, {VBT_STATE_RSS, (int64_t)i + 1}, {0, 0}});
    load(&m, &b);
    static const int64_t expected[][2] = {{15, 70}, {30, 60}, {40, 3}};
    assert_int_equal(m.ticks.count, VBT_COUNT(expected));
    for (size_t i = 0; i < VBT_COUNT(expected); i++) {
        assert_int_equal(m.ticks.rows[i].time, expected[i][0]);
        assert_int_equal(m.ticks.rows[i].rss, expected[i][1]);
    }
    assert_int_equal(m.state[VBT_STATE_TIME], 35); /* the newest state is the last in the file */
    assert_int_equal(m.state[VBT_STATE_RSS], 5);
    vbt_model_free(&m);
}

static void a_key_that_is_missing_keeps_its_value(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    CHUNK(&b, VBT_CHUNK_STATE, VBT_STATE_TIME, 20, VBT_STATE_RSS, 8, VBT_STATE_KEYS, 2, UINT64_MAX, 2, 90, 10, 90, 12);
    CHUNK(&b, VBT_CHUNK_STATE, VBT_STATE_TIME, 40, VBT_STATE_THREADS, 2);
    load(&m, &b);
    assert_int_equal(m.state[VBT_STATE_TIME], 20);
    assert_int_equal(m.state[VBT_STATE_RSS], 4);
    assert_int_equal(m.state[VBT_STATE_THREADS], 1);
    assert_int_equal(m.state[VBT_STATE_STACKS_CAPTURED], 6); /* given twice */
    assert_int_equal(m.state[VBT_STATE_PEAK], 0);            /* never given */
    vbt_model_free(&m);
}

static void a_trace_may_go_on_after_its_end(void **state) {
    (void)state;
    for (int chunks = 1; chunks <= 4; chunks++) {
        struct trace_builder b;
        struct vbt_model m;
        tb_begin(&b);
        tb_end(&b, 10, "exec");
        if (chunks > 1)
            tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 20}, {0, 0}});
        if (chunks > 2)
            tb_end(&b, 30, "exit");
        if (chunks > 3)
            CHUNK(&b, (enum vbt_chunk_kind)200, 1, 2, 3);
        load(&m, &b);
        assert_int_equal(vbt_model_complete(&m), chunks % 2);
        assert_string_equal(m.end_reason, chunks > 2 ? "exit" : "exec");
        vbt_model_free(&m);
    }
    struct trace_builder b;
    tb_begin(&b);
    tb_string(&b, "a");
    tb_end(&b, 10, "exit");
    tb_close(&b, VBT_CHUNK_STRINGS); /* the payload before, which is none of these */
    check_damaged(&b, "STRINGS");
}

/* Of kinds that are not known nothing is unpacked. */
static void skipped_chunks_do_not_count(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    for (uint32_t i = 0; i <= VBT_UNPACKED_MIN / VBT_CHUNK_RAW_MAX; i++) {
        tb_open(&b);
        memset(b.payload, 0, VBT_CHUNK_RAW_MAX);
        b.w.at = b.w.end;
        tb_close(&b, (enum vbt_chunk_kind)200);
    }
    tb_end(&b, 1, "exit");
    load(&m, &b);
    assert_true(vbt_model_complete(&m));
    vbt_model_free(&m);
}

/* Sizes are open at the end. */
static void the_last_bucket_has_all_larger_sizes(void **state) {
    (void)state;
    assert_int_equal(vbt_size_bucket(0), 0);
    assert_int_equal(vbt_size_bucket(1), 1);
    for (unsigned bits = 1; bits < 64; bits++) {
        unsigned bucket = bits < VBT_SIZE_BUCKETS ? bits : VBT_SIZE_BUCKETS - 1;
        assert_int_equal(vbt_size_bucket((UINT64_C(1) << bits) - 1), bucket);
        assert_int_equal(vbt_size_bucket(UINT64_C(1) << (bits - 1)), bucket);
    }
    assert_int_equal(vbt_size_bucket(UINT64_MAX), 47);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_may_be_longer_than_necessary),
        cmocka_unit_test(reserved_bytes_mean_nothing),
        cmocka_unit_test(machines_that_are_not_known_are_refused),
        cmocka_unit_test(what_follows_the_last_field_is_ignored),
        cmocka_unit_test(columns_that_belong_together_are_missing_together),
        cmocka_unit_test(the_file_goes_by_what_is_defined),
        cmocka_unit_test(lines_beyond_31_bits_are_unknown),
        cmocka_unit_test(of_repeated_rows_the_newest_holds),
        cmocka_unit_test(a_timeline_also_replaces_what_comes_after_it),
        cmocka_unit_test(a_key_that_is_missing_keeps_its_value),
        cmocka_unit_test(a_trace_may_go_on_after_its_end),
        cmocka_unit_test(skipped_chunks_do_not_count),
        cmocka_unit_test(the_last_bucket_has_all_larger_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
