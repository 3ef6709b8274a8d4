/* Reading a trace file: complete, truncated anywhere, damaged anywhere, and crafted to mislead. */
#include "format/count.h"
#include "analyzer/trace/load.h"
#include "tests/unit/support/trace_builder.h"
#include "analyzer/trace/trace_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct trace_builder sample;

static int make_sample(void **state) {
    (void)state;
    tb_sample(&sample);
    return 0;
}

static int free_sample(void **state) {
    (void)state;
    tb_free(&sample);
    return 0;
}

/* Offsets at which a chunk of the sample ends. */
static bool is_chunk_end(size_t offset) {
    size_t at = VBT_FILE_HEADER_SIZE;
    while (at < offset) {
        struct vbt_chunk_header header;
        assert_null(vbt_unpack_chunk_header(sample.bytes + at, &header));
        at += VBT_CHUNK_HEADER_SIZE + header.stored_size;
    }
    return at == offset;
}

static void a_whole_file_is_read_to_its_end(void **state) {
    (void)state;
    struct vbt_trace_file file;
    struct vbt_chunk chunk;
    assert_null(vbt_trace_open(&file, tb_save(&sample)));
    size_t count = 0;
    while (vbt_trace_next(&file, &chunk)) {
        assert_int_equal(chunk.header.sequence, count);
        assert_non_null(chunk.raw);
        count++;
    }
    assert_int_equal(count, sample.sequence);
    assert_int_equal(file.offset, sample.size);
    assert_null(file.damage);
    vbt_trace_close(&file);
}

static void what_is_no_trace_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *says;
    } cases[] = {
        {"", 0, "empty"},
        {"short", 5, "5 bytes"},
        {"this is a text, and no trace at all", 35, "not a vbtrace trace"},
        {"\x93VBT\r\n\x1a\n\x09\x01\x08\0\0\0\0\0", 16, "newer"},
        {"\x93VBT\r\n\x1a\n\x01\x01\x08\0\0\0\0\0", 16, "no chunk"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        struct vbt_model model;
        char *problem = vbt_model_load(&model, tb_save_bytes(cases[i].bytes, cases[i].size), false);
        assert_non_null(problem);
        if (strstr(problem, cases[i].says) == NULL)
            fail_msg("\"%s\" should say \"%s\"", problem, cases[i].says);
        free(problem);
        vbt_model_free(&model);
    }
    struct vbt_model model;
    char *problem = vbt_model_load(&model, "/tmp", false);
    assert_non_null(strstr(problem, "directory"));
    free(problem);
    vbt_model_free(&model);
    problem = vbt_model_load(&model, "/nonexistent/trace.vbt", false);
    assert_non_null(strstr(problem, "No such file"));
    free(problem);
    vbt_model_free(&model);
}

static void a_file_cut_anywhere_holds_what_was_whole(void **state) {
    (void)state;
    for (size_t size = 0; size <= sample.size; size++) {
        struct vbt_model model;
        char *problem = vbt_model_load(&model, tb_save_bytes(sample.bytes, size), true);
        if (problem == NULL) {
            assert_true(model.file_bytes <= size);
            assert_int_equal(model.damage == NULL, is_chunk_end(size));
            assert_int_equal(vbt_model_complete(&model), size == sample.size);
            if (model.damage != NULL)
                assert_int_equal(model.damage_offset, size);
        } else {
            assert_int_equal(model.file_bytes, 0);
        }
        free(problem);
        vbt_model_free(&model);
    }
}

static void a_flipped_bit_never_passes(void **state) {
    (void)state;
    uint8_t *bytes = malloc(sample.size);
    for (size_t at = VBT_FILE_HEADER_SIZE; at < sample.size; at++) {
        memcpy(bytes, sample.bytes, sample.size);
        bytes[at] ^= (uint8_t)(1 << at % 8);
        struct vbt_model model;
        char *problem = vbt_model_load(&model, tb_save_bytes(bytes, sample.size), false);
        assert_true(problem != NULL || model.damage != NULL);
        assert_true(model.damage_offset <= at || problem != NULL || model.damage_offset == sample.size);
        free(problem);
        vbt_model_free(&model);
    }
    free(bytes);
}

/* Opens a file with one valid chunk and one made by the test, and returns the message about the
 * second. */
static void check_damage(struct trace_builder *b, const char *says) {
    struct vbt_model model;
    char *problem = vbt_model_load(&model, tb_save(b), false);
    assert_null(problem);
    assert_non_null(model.damage);
    if (strstr(model.damage, says) == NULL)
        fail_msg("\"%s\" should say \"%s\"", model.damage, says);
    vbt_model_free(&model);
    tb_free(b);
}

static void a_raw_size_that_lies_is_damage(void **state) {
    (void)state;
    const uint32_t lies[] = {0, 1, 99, 101, 100000, VBT_CHUNK_RAW_MAX};
    for (size_t i = 0; i < VBT_COUNT(lies); i++) {
        struct trace_builder b;
        tb_begin(&b);
        tb_string(&b, "sound");
        tb_open(&b);
        for (int k = 0; k < 100; k++)
            vbt_put_varint(&b.w, 0);
        tb_close_lying(&b, VBT_CHUNK_STATE, lies[i]);
        check_damage(&b, "raw size");
    }
}

static void a_wrong_sequence_number_is_damage(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_string(&b, "sound");
    b.sequence = 5;
    tb_string(&b, "from elsewhere");
    check_damage(&b, "expected chunk 1, found chunk 5");
}

static void an_unknown_kind_is_skipped(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_open(&b);
    vbt_put_varint(&b.w, 12345);
    tb_close(&b, (enum vbt_chunk_kind)77);
    tb_string(&b, "known");
    tb_end(&b, 1, "exit");
    struct vbt_model model;
    assert_null(vbt_model_load(&model, tb_save(&b), false));
    assert_true(vbt_model_complete(&model));
    assert_int_equal(model.chunks[0].count, 1);
    assert_int_equal(model.string_count, 1);
    vbt_model_free(&model);
    tb_free(&b);
}

/* A megabyte of zeros in fifty bytes, again and again: read within the limits, and not beyond. */
static void what_unpacks_without_end_is_damage(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    for (uint32_t i = 0; i <= VBT_UNPACKED_MIN / VBT_CHUNK_RAW_MAX; i++) {
        tb_open(&b);
        memset(b.payload, 0, VBT_CHUNK_RAW_MAX);
        b.w.at = b.w.end;
        tb_close(&b, VBT_CHUNK_SOURCES);
    }
    struct vbt_trace_file file;
    struct vbt_chunk chunk;
    assert_null(vbt_trace_open(&file, tb_save(&b)));
    for (uint32_t i = 0; i < VBT_UNPACKED_MIN / VBT_CHUNK_RAW_MAX; i++)
        assert_true(vbt_trace_next(&file, &chunk));
    assert_false(vbt_trace_next(&file, &chunk));
    assert_string_equal(file.damage, "unpacks to more than 1000 times its size, as no trace does");
    vbt_trace_close(&file);
    tb_free(&b);
}

/* Three million calls of a function by itself, from a hundred places: nearly all nodes are alike,
 * and take 600 times the room of what is stored. */
static void a_deep_recursion_is_no_damage(void **state) {
    (void)state;
    enum { CHUNKS = 200, ROWS = 16384, DEPTH = 32768 };
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_site(&b, VBT_SITE_NATIVE, 1000, 1);
    tb_site(&b, VBT_SITE_NATIVE, 2000, 1);
    for (uint64_t chunk = 0; chunk < CHUNKS; chunk++) {
        uint64_t first = 1 + chunk * ROWS;
        tb_open(&b);
        vbt_put_varint(&b.w, first);
        vbt_put_varint(&b.w, ROWS);
        for (uint64_t id = first; id < first + ROWS; id++)
            vbt_put_varint(&b.w, id % DEPTH == 1 ? id : 1);
        for (uint64_t id = first; id < first + ROWS; id++)
            vbt_put_zigzag(&b.w, id == first ? 1 : 0);
        for (uint64_t id = first; id < first + ROWS; id++)
            vbt_put_varint(&b.w, VBT_DOMAIN_HEAP);
        tb_close(&b, VBT_CHUNK_NODES);
    }
    tb_end(&b, 1, "exit");
    assert_true(b.size < 32 * 1024);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_null(m.damage);
    assert_true(vbt_model_complete(&m));
    assert_int_equal(m.node_count, CHUNKS * ROWS);
    vbt_model_free(&m);
    tb_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_file_is_read_to_its_end),
        cmocka_unit_test(what_is_no_trace_is_refused),
        cmocka_unit_test(a_file_cut_anywhere_holds_what_was_whole),
        cmocka_unit_test(a_flipped_bit_never_passes),
        cmocka_unit_test(a_raw_size_that_lies_is_damage),
        cmocka_unit_test(a_wrong_sequence_number_is_damage),
        cmocka_unit_test(an_unknown_kind_is_skipped),
        cmocka_unit_test(what_unpacks_without_end_is_damage),
        cmocka_unit_test(a_deep_recursion_is_no_damage),
    };
    return cmocka_run_group_tests(tests, make_sample, free_sample);
}
