/* The subcommands on traces that are damaged, deep, at the limits of numbers, or altered at
 * random. */
#include "format/chunk.h"
#include "format/count.h"
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <cmocka.h>

static void a_damaged_trace_is_reported_up_to_the_damage(void **state) {
    (void)state;
    struct trace_builder b;
    tb_sample(&b);
    b.bytes[b.size - 5] ^= 1; /* in the END chunk */
    assert_int_equal(run_command("report", tb_save(&b), NULL), 0);
    has(message, "warning: ");
    has(message, "damaged at byte");
    assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
    has(output_text(), "· damaged\n");
    json_t *root = run_json("report", tb_save(&b), NULL);
    has(message, "damaged at byte");
    assert_true(at(json_object_get(root, "damage"), "byte") > 2000);
    assert_true(json_is_false(json_object_get(root, "complete")));
    assert_true(json_is_null(json_object_get(root, "end_reason")));
    assert_true(json_is_null(json_object_get(json_object_get(root, "conservation"), "holds")));
    has(json_string_value(json_array_get(json_object_get(root, "notes"), 0)), "damaged at byte");
    assert_int_equal(at(json_object_get(root, "totals"), "allocs"), 36);
    json_decref(root);
    assert_int_equal(run_command("info", "--format", "json", tb_save(&b), NULL), 2);
    root = json_loads(output_text(), 0, NULL);
    assert_true(at(json_object_get(root, "damage"), "byte") > 2000);
    json_decref(root);
    tb_free(&b);
}

/* A line of a file with this name was counted, and the file was changed later. */
static void count_a_line(struct trace_builder *b, const char *name) {
    uint32_t site = tb_site(b, VBT_SITE_PYTHON, tb_code(b, name, "f\033[1m", 1, VBT_CODE_USER), 2);
    tb_open(b);
    vbt_put_varint(&b->w, 1);
    vbt_put_zigzag(&b->w, site);
    vbt_put_varint(&b->w, 0);
    vbt_put_varint(&b->w, 5);
    for (int column = 0; column < 2 * 7 + 3 + 1; column++)
        vbt_put_varint(&b->w, 2);
    tb_close(b, VBT_CHUNK_LINES);
    for (unsigned line = 1; line <= 2; line++) {
        tb_open(b);
        vbt_put_varint(&b->w, 1);
        vbt_put_varint(&b->w, 1); /* the name is the first string */
        vbt_put_varint(&b->w, line);
        vbt_put_varint(&b->w, 1);
        vbt_put_string(&b->w, "x = \033[7m1", strlen("x = \033[7m1"));
        tb_close(b, VBT_CHUNK_SOURCES);
    }
}

/* The names in a trace and the reason of its end are printed to a terminal. */
static void a_report_has_no_control_characters(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"pid", "\033[1m", "host", "\033[2J\a", "python", "3\n", "libc", "\x9b", "note",
                                         "\033]0;\a", "exe", "\033c", "note", "no lines were counted \033[5m", NULL});
    count_a_line(&b, "\033[31m.py");
    tb_end(&b, 1, "\033[31m");
    const char *trace = tb_save(&b);
    for (int i = 0; i < COMMANDS; i++) {
        assert_int_equal(run_command(commands[i], trace, NULL), 0);
        for (const char *at = output_text(); *at != '\0'; at++)
            if ((unsigned char)*at < 0x20 && *at != '\n')
                fail_msg("%s prints character %d before: %.40s", commands[i], *at, at + 1);
    }
    tb_free(&b);
}

/* Sums overflow and lines cross; the sanitizers check that nothing is read or written out of
 * bounds. */
static void numbers_at_their_limits_do_no_harm(void **state) {
    (void)state;
    struct trace_builder b;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"started", "9223372036854775807", "native", "full", NULL});
    uint32_t site = tb_site(&b, VBT_SITE_NATIVE, UINT64_MAX, 1), parent = 0;
    struct tb_counters counters[8];
    for (size_t i = 0; i < 8; i++) {
        uint32_t node = tb_node(&b, i % 2 == 0 ? parent : 0, site, VBT_DOMAIN_HEAP);
        parent = i < 2 ? node : parent;
        counters[i] = (struct tb_counters){.node = node,
                                           .allocs = UINT64_MAX / 2,
                                           .allocated = UINT64_MAX / 2 + i % 2,
                                           .live_blocks = INT64_MAX,
                                           .live_bytes = i % 3 == 0 ? INT64_MIN : INT64_MAX,
                                           .at_peak_bytes = INT64_MAX,
                                           .inherited_blocks = UINT64_MAX - i,
                                           .inherited_bytes = UINT64_C(1) << 63,
                                           .temporary = UINT64_MAX / 2};
    }
    tb_counters(&b, counters, 8);
    struct tb_interval interval = {.kind = VBT_INTERVAL_SECTION, .count = UINT64_MAX, .iterations = UINT64_MAX, .m2 = 1e300};
    for (int q = 0; q < VBT_QUANTITIES; q++)
        for (int k = 0; k < 3; k++)
            interval.of[q][k] = q % 2 == 0 ? INT64_MAX : INT64_MIN;
    tb_intervals(&b, &interval, 1);
    int64_t pairs[VBT_STATE_KEYS][2] = {{0}};
    for (int i = 0; i + 1 < VBT_STATE_KEYS; i++) {
        pairs[i][0] = i + 1;
        pairs[i][1] = i % 2 == 0 ? INT64_MAX : INT64_MIN;
    }
    pairs[VBT_STATE_UNKNOWN_FREES][1] = INT64_MAX;
    tb_state(&b, (const int64_t(*)[2])pairs);
    tb_end(&b, UINT64_MAX, "exit");
    const char *trace = tb_save(&b);
    static const char *const formats[] = {"--format=text", "--format=json", "--format=csv"};
    for (int i = 0; i < COMMANDS; i++)
        for (int format = 0; format < 3; format++)
            assert_int_equal(run_command(commands[i], formats[format], trace, NULL), 0);
    static const char *const measures[] = {"--measure=bytes", "--measure=peak", "--measure=leaks", "--measure=temporary"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(run_command("tree", measures[i], "--limit=0", "--min=1", trace, NULL), 0);
        assert_int_equal(run_command("flamegraph", measures[i], "--min=50%", trace, NULL), 0);
    }
    assert_int_equal(run_command("intervals", "--per=18446744073709551615", trace, NULL), 0);
    tb_free(&b);
}

/* Two rows of a function: its line 5, with every number the highest or the lowest there is, and one
 * at the last line that there can be. All between them have no text and never ran. */
static void counted_lines_at_their_limits_do_no_harm(void **state) {
    (void)state;
    enum { SIGNED = 14 + 3, OBJECTS = 2 };
    struct trace_builder b;
    tb_begin(&b);
    tb_process(&b, (const char *const[]){"python", "3.11.2", NULL});
    uint32_t code = tb_code(&b, "/nonexistent/a.py", "f", 4, VBT_CODE_USER);
    tb_site(&b, VBT_SITE_PYTHON, code, 5);
    tb_site(&b, VBT_SITE_PYTHON, code, INT32_MAX);
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_LINE_EVENT_COST, INT64_MAX}, {VBT_STATE_OBJECTS, 1}, {0, 0}});
    tb_open(&b);
    for (size_t i = 0; i < 3; i++)
        vbt_put_varint(&b.w, 2); /* rows; the columns of site ... */
    vbt_put_varint(&b.w, 0);     /* ... of flags ... */
    vbt_put_varint(&b.w, 0);
    vbt_put_varint(&b.w, UINT64_MAX); /* ... and of hits */
    vbt_put_varint(&b.w, UINT64_MAX);
    for (size_t i = 0; i < SIGNED; i++)
        for (size_t row = 0; row < 2; row++)
            vbt_put_zigzag(&b.w, (i + row) % 2 == 0 ? INT64_MAX : INT64_MIN);
    for (size_t row = 0; row < 2; row++)
        vbt_put_varint(&b.w, UINT64_MAX);
    for (size_t i = 0; i < OBJECTS; i++)
        for (size_t row = 0; row < 2; row++)
            vbt_put_zigzag(&b.w, row == 0 ? INT64_MIN : INT64_MAX);
    for (size_t row = 0; row < 2; row++)
        vbt_put_varint(&b.w, UINT64_MAX);
    tb_close(&b, VBT_CHUNK_LINES);
    tb_end(&b, 1, "exit");
    const char *trace = tb_save(&b);
    static const char *const options[] = {"--format=text", "--format=json",        "--format=csv",
                                          "--own",         "--like=line_profiler", "--like=memory_profiler"};
    for (size_t i = 0; i < VBT_COUNT(options); i++) {
        assert_int_equal(run_command("lines", options[i], trace, NULL), 0);
        assert_true(strlen(output_text()) < 8000);
    }
    assert_int_equal(run_command("lines", trace, NULL), 0);
    has(output_text(), "\n         5 ");
    has(output_text(), "\n2147483647 ");
    assert_int_equal(run_command("symbolize", trace, NULL), 0);
    tb_free(&b);
}

/* Each level branches: the lines drawn left of a call are truncated. Each stack shows its outermost
 * frames. */
static void deep_trees_stay_readable(void **state) {
    (void)state;
    enum { DEPTH = 3000 };
    struct trace_builder b;
    tb_begin(&b);
    uint32_t module = tb_code(&b, "/proj/deep.py", "deep", 1, VBT_CODE_USER), parent = 0;
    static struct tb_counters counters[2 * DEPTH];
    for (unsigned i = 0; i < DEPTH; i++) {
        uint32_t left = tb_node(&b, parent, tb_site(&b, VBT_SITE_PYTHON, module, 2 * i + 1), VBT_DOMAIN_PYTHON);
        uint32_t right = tb_node(&b, parent, tb_site(&b, VBT_SITE_PYTHON, module, 2 * i + 2), VBT_DOMAIN_PYTHON);
        counters[2 * i] = (struct tb_counters){.node = left, .allocs = 1, .allocated = 1, .at_peak_bytes = 1};
        counters[2 * i + 1] = (struct tb_counters){.node = right, .allocs = 1, .allocated = 1, .at_peak_bytes = 1};
        parent = left;
    }
    tb_counters(&b, counters, 2 * DEPTH);
    const char *trace = tb_save(&b);
    setenv("COLUMNS", "90", 1);
    assert_int_equal(run_command("tree", "--limit=0", "--min=0", trace, NULL), 0);
    const char *text = output_text();
    has(text, "├╴deep (deep.py:1)\n");
    has(text, "…");
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strcspn(line, "\n") > 90 * strlen("│"))
            fail_msg("a line of %zu bytes: %.200s", strcspn(line, "\n"), line);
    assert_int_equal(run_command("peak", "--limit=0", "--depth=8", "--filter", "function=deep", trace, NULL), 0);
    text = output_text();
    has(text, "\n      deep  /proj/deep.py:33\n      ⋮ 13 more frames\n      deep  /proj/deep.py:5\n      deep  /proj/deep.py:3\n"
              "      deep  /proj/deep.py:1\n");
    unsetenv("COLUMNS");
    tb_free(&b);
}

static uint64_t random_state = 88172645463325252;

static unsigned next_random(unsigned below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 11) % below;
}

static void run_everything(const char *trace) {
    static const char *const formats[] = {"--format=text", "--format=json", "--format=csv"};
    for (int i = 0; i < COMMANDS; i++) {
        int status = run_command(commands[i], formats[next_random(3)], trace, NULL);
        assert_true(status == 0 || status == 2);
    }
    static const char *const more[] = {"--reverse", "--by=domain", "--measure=leaks", "--format=collapsed", "--frames=function"};
    int status = run_command("flamegraph", more[next_random(5)], trace, NULL);
    assert_true(status == 0 || status == 2);
}

/* Alters bytes inside the payloads, and packs them again with the right checksum, so that only the
 * decoders can notice. */
static void altered_payloads_do_no_harm(void **state) {
    (void)state;
    struct trace_builder sample;
    tb_sample(&sample);
    for (int round = 0; round < 600; round++) {
        struct trace_builder b;
        tb_begin(&b);
        for (size_t at_byte = VBT_FILE_HEADER_SIZE; at_byte < sample.size;) {
            struct vbt_chunk_header header;
            assert_null(vbt_unpack_chunk_header(sample.bytes + at_byte, &header));
            tb_open(&b);
            size_t size =
                ZSTD_decompress(b.payload, VBT_CHUNK_RAW_MAX, sample.bytes + at_byte + VBT_CHUNK_HEADER_SIZE, header.stored_size);
            for (unsigned n = next_random(30) == 0 ? 1 + next_random(3) : 0; n > 0 && size > 0; n--)
                b.payload[next_random((unsigned)size)] = (uint8_t)next_random(256);
            b.w.at = b.payload + size;
            bool again = next_random(20) == 0;
            if (next_random(40) != 0)
                tb_close(&b, header.kind);
            if (again)
                tb_close(&b, header.kind);
            at_byte += VBT_CHUNK_HEADER_SIZE + header.stored_size;
        }
        run_everything(tb_save(&b));
        tb_free(&b);
    }
    tb_free(&sample);
}

static void altered_files_do_no_harm(void **state) {
    (void)state;
    struct trace_builder sample;
    tb_sample(&sample);
    uint8_t *bytes = malloc(sample.size);
    for (int round = 0; round < 150; round++) {
        memcpy(bytes, sample.bytes, sample.size);
        for (unsigned n = 1 + next_random(4); n > 0; n--)
            bytes[next_random((unsigned)sample.size)] = (uint8_t)next_random(256);
        run_everything(tb_save_bytes(bytes, 1 + next_random((unsigned)sample.size)));
    }
    free(bytes);
    tb_free(&sample);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_trace_is_reported_up_to_the_damage),
        cmocka_unit_test(a_report_has_no_control_characters),
        cmocka_unit_test(numbers_at_their_limits_do_no_harm),
        cmocka_unit_test(counted_lines_at_their_limits_do_no_harm),
        cmocka_unit_test(deep_trees_stay_readable),
        cmocka_unit_test(altered_payloads_do_no_harm),
        cmocka_unit_test(altered_files_do_no_harm),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
