/* The limits of FORMAT.md: one more than may be is damage, or is left out. */
#include "format/varint.h"
#include "analyzer/trace/decode/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

/* Decodes one chunk, in whatever state the model is. */
static char *decode(struct vbt_model *m, enum vbt_chunk_kind kind, size_t count, const uint64_t *numbers) {
    static uint8_t payload[VBT_CHUNK_RAW_MAX];
    struct vbt_writer w = {payload, payload + sizeof payload, false};
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(&w, numbers[i]);
    assert_false(w.overrun);
    struct vbt_chunk chunk = {.header = {.kind = kind, .raw_size = (uint32_t)(w.at - payload)}, .raw = payload};
    return vbt_decode(m, &chunk);
}

#define DECODE(m, kind, ...)                                                                                                       \
    decode(m, kind, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), (const uint64_t[]){__VA_ARGS__})

static void says(char *wrong, const char *what) {
    assert_non_null(wrong);
    if (strstr(wrong, what) == NULL)
        fail_msg("\"%s\" should say \"%s\"", wrong, what);
    free(wrong);
}

/* As if there were as many rows as there may be: one more is too many. */
#define LIMITED(count, limit, message, kind, ...)                                                                                  \
    do {                                                                                                                           \
        count = (limit);                                                                                                           \
        says(DECODE(&m, kind, __VA_ARGS__), message);                                                                              \
        assert_int_equal(count, limit);                                                                                            \
        count = 0;                                                                                                                 \
    } while (0)

static void what_exceeds_a_limit_is_damage(void **state) {
    (void)state;
    struct vbt_model m = {0};
    vbt_decode_begin(&m);
    LIMITED(m.string_count, VBT_MAX_STRINGS, "more than 16777216 rows", VBT_CHUNK_STRINGS, VBT_MAX_STRINGS + 1, 1, 0);
    LIMITED(m.code_count, VBT_MAX_CODES, "more than 16777216 rows", VBT_CHUNK_CODES, VBT_MAX_CODES + 1, 1, 0, 0, 0, 0);
    LIMITED(m.site_count, VBT_MAX_SITES, "more than 16777216 rows", VBT_CHUNK_SITES, VBT_MAX_SITES + 1, 1, 1, 0, 0);
    LIMITED(m.node_count, VBT_MAX_NODES - 1, "more than 67108863 rows", VBT_CHUNK_NODES, VBT_MAX_NODES, 1, 1, 0, 0);
    LIMITED(m.module_count, VBT_MAX_MODULES, "more than 1048576 rows", VBT_CHUNK_MODULES, 0, 1, 0, 0, 0, 0);
    m.interval_compacted = VBT_MAX_INTERVALS;
    LIMITED(m.interval_count, VBT_MAX_INTERVALS, "more than 1048576 rows", VBT_CHUNK_INTERVALS, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    m.interval_compacted = 0;
    m.interval_site_compacted = VBT_MAX_INTERVAL_SITES;
    LIMITED(m.interval_site_count, VBT_MAX_INTERVAL_SITES, "more than 16777216 rows", VBT_CHUNK_INTERVAL_SITES, 1, 0, 0, 0, 0, 0,
            0);
    m.interval_site_compacted = 0;
    LIMITED(m.source_row_count, VBT_MAX_SOURCES, "more than 16777216 rows", VBT_CHUNK_SOURCES, 1, 0, 0, 0, 0);
    assert_null(DECODE(&m, VBT_CHUNK_SITES, 1, 1, VBT_SITE_NATIVE, 100, 0));
    LIMITED(m.named_frame_count, VBT_MAX_FRAMES, "more than 16777216 frames", VBT_CHUNK_FRAMES, 1, 1, 0, 1, 1, 0, 0, 0, 0);
    assert_null(DECODE(&m, VBT_CHUNK_NODES, 1, 1, 1, 2, 0));
    assert_null(DECODE(&m, VBT_CHUNK_THREADS, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    LIMITED(m.part_count, VBT_MAX_PARTS, "more than 67108864 rows", VBT_CHUNK_THREAD_COUNTERS, 0, 1, 1, 1, 1);
    vbt_decode_finish(&m);
    vbt_model_free(&m);
}

static void threads_and_mappings_have_limits(void **state) {
    (void)state;
    enum { A_THREAD = 20, A_KIND = 7 };
    static uint64_t numbers[2 + A_THREAD * (VBT_MAX_THREADS + 1)];
    struct vbt_model m = {0};
    vbt_decode_begin(&m);
    numbers[0] = VBT_MAX_THREADS + 1;
    says(decode(&m, VBT_CHUNK_THREADS, 1 + A_THREAD * (VBT_MAX_THREADS + 1), numbers), "more than 4096 rows");
    numbers[0] = VBT_MAX_THREADS;
    assert_null(decode(&m, VBT_CHUNK_THREADS, 1 + A_THREAD * VBT_MAX_THREADS, numbers));
    numbers[0] = VBT_MAX_THREADS - 1;
    says(decode(&m, VBT_CHUNK_THREADS, 1 + A_THREAD * (VBT_MAX_THREADS - 1), numbers), "fewer than before: 4096");

    numbers[0] = 0;
    numbers[1] = VBT_MAX_MAP_ROWS;
    assert_null(decode(&m, VBT_CHUNK_MAPS, 3 + A_KIND * VBT_MAX_MAP_ROWS, numbers));
    numbers[1]++;
    says(decode(&m, VBT_CHUNK_MAPS, 3 + A_KIND * (VBT_MAX_MAP_ROWS + 1), numbers), "more than 1024 rows");
    numbers[1] = 0;
    numbers[2] = VBT_MAX_MAP_ROWS + 1;
    says(decode(&m, VBT_CHUNK_MAPS, 3 + 5 * (VBT_MAX_MAP_ROWS + 1), numbers), "more than 1024 rows");
    numbers[2] = 1;
    numbers[7] = VBT_MAX_MAP_ROWS;
    assert_null(decode(&m, VBT_CHUNK_MAPS, 8 + VBT_MAX_MAP_ROWS, numbers));
    numbers[7]++;
    says(decode(&m, VBT_CHUNK_MAPS, 8 + VBT_MAX_MAP_ROWS + 1, numbers), "more than 1024 rows");
    vbt_decode_finish(&m);
    vbt_model_free(&m);
}

/* Address space that nothing is in. */
static void *room(size_t size) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(at != MAP_FAILED);
    return at;
}

static void text_has_a_limit(void **state) {
    (void)state;
    enum { SPARE = 4096 };
    struct vbt_model m = {0};
    vbt_decode_begin(&m);
    char *old = m.text, *text = room(VBT_MAX_TEXT + SPARE);
    size_t old_capacity = m.text_capacity;
    m.text = text;
    m.text_capacity = VBT_MAX_TEXT + SPARE;
    m.text_size = VBT_MAX_TEXT - 4;
    says(DECODE(&m, VBT_CHUNK_STRINGS, 1, 1, 4, 'a', 'b', 'c', 'd'), "more than 536870912 bytes of text");
    assert_null(DECODE(&m, VBT_CHUNK_STRINGS, 1, 1, 3, 'a', 'b', 'c'));
    assert_int_equal(m.text_size, VBT_MAX_TEXT);
    says(DECODE(&m, VBT_CHUNK_STRINGS, 2, 1, 0), "more than 536870912 bytes of text");
    m.text = old;
    m.text_capacity = old_capacity;
    m.text_size = 1;

    m.source_text = text;
    m.source_text_capacity = VBT_MAX_TEXT + SPARE;
    m.source_text_size = VBT_MAX_TEXT - 3;
    says(DECODE(&m, VBT_CHUNK_SOURCES, 1, 0, 5, 0, 4, 'a', 'b', 'c', 'd'), "more than 536870912 bytes of text");
    assert_null(DECODE(&m, VBT_CHUNK_SOURCES, 1, 0, 5, 0, 3, 'a', 'b', 'c'));
    says(DECODE(&m, VBT_CHUNK_SOURCES, 1, 0, 5, 0, 1, 'a'), "more than 536870912 bytes of text");
    m.source_text = NULL;
    munmap(text, VBT_MAX_TEXT + SPARE);
    vbt_decode_finish(&m);
    vbt_model_free(&m);
}

/* No damage: what was counted after 46 hours of ticks holds all the same. */
static void the_course_of_memory_ends_with_its_limit(void **state) {
    (void)state;
    struct vbt_model m = {0};
    size_t size = VBT_MAX_TICKS * sizeof *m.ticks.rows;
    vbt_decode_begin(&m);
    m.ticks.rows = room(size);
    m.ticks.count = m.ticks.capacity = VBT_MAX_TICKS;
    assert_null(DECODE(&m, VBT_CHUNK_STATE, VBT_STATE_TIME, 100, VBT_STATE_PEAK, 14));
    assert_int_equal(m.ticks.count, VBT_MAX_TICKS);
    assert_int_equal(m.state[VBT_STATE_PEAK], 7);
    munmap(m.ticks.rows, size);
    m.ticks = (struct vbt_model_ticks){0};
    vbt_decode_finish(&m);
    vbt_model_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_exceeds_a_limit_is_damage),
        cmocka_unit_test(threads_and_mappings_have_limits),
        cmocka_unit_test(text_has_a_limit),
        cmocka_unit_test(the_course_of_memory_ends_with_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
