/* When sections ran: what a trace says of it, moments that are named by it, of one process and of
 * several, and what must not be believed. */
#include "analyzer/trace/section_times.h"

#include "analyzer/analysis/moments.h"
#include "analyzer/trace/load.h"
#include "format/count.h"
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MS INT64_C(1000000)

struct run {
    int64_t begun, length; /* ms; length -1: it does not end */
};

/* A row of SECTION_TIMES; the runs are the first ones and the latest. */
static void put_section(struct trace_builder *b, const char *name, uint64_t count, const struct run *runs, uint64_t first,
                        uint64_t latest) {
    int64_t before = 0;
    vbt_put_string(&b->w, name, strlen(name));
    vbt_put_varint(&b->w, count);
    vbt_put_varint(&b->w, first);
    vbt_put_varint(&b->w, latest);
    for (uint64_t i = 0; i < first + latest; i++) {
        vbt_put_zigzag(&b->w, (runs[i].begun - before) * MS);
        vbt_put_varint(&b->w, runs[i].length < 0 ? 0 : (uint64_t)(runs[i].length * MS) + 1);
        before = runs[i].begun;
    }
}

/* A second with a state each 100 ms, each after one more allocation of 8 bytes. */
static void begin_run(struct trace_builder *b, const char *started, const char *pid) {
    tb_begin(b);
    tb_process(b, (const char *const[]){"started", started, "pid", pid, NULL});
    tb_node(b, 0, tb_site(b, VBT_SITE_NATIVE, 100, 1), VBT_DOMAIN_HEAP);
    for (int64_t i = 1; i <= 10; i++) {
        tb_counters(b,
                    &(struct tb_counters){.node = 1,
                                          .allocs = (uint64_t)i,
                                          .allocated = 8 * (uint64_t)i,
                                          .live_blocks = i,
                                          .live_bytes = 8 * i,
                                          .smallest = 8,
                                          .largest = 8},
                    1);
        tb_state(
            b, (const int64_t[][2]){
                   {VBT_STATE_TIME, 100 * i * MS}, {VBT_STATE_DOMAIN, i}, {VBT_STATE_DOMAIN + VBT_FIELD_ALLOCATED, 8 * i}, {0, 0}});
    }
}

static void begin_sections(struct trace_builder *b, uint64_t count) {
    tb_open(b);
    vbt_put_varint(&b->w, count);
}

static void end_run(struct trace_builder *b, bool with_sections) {
    if (with_sections)
        tb_close(b, VBT_CHUNK_SECTION_TIMES);
    tb_end(b, 1000 * MS, "exit");
}

/* parse runs three times, the last of which does not end; many ran 1,000 times. */
static void begin_sample(struct trace_builder *b) {
    begin_run(b, "1700000000000000000", "1");
    begin_sections(b, 3);
    put_section(b, "parse", 3, (const struct run[]){{150, 100}, {450, 50}, {820, -1}}, 3, 0);
    put_section(b, "load#2", 1, (const struct run[]){{310, 280}}, 1, 0);
    put_section(b, "many", 1000, (const struct run[]){{100, 0}, {101, 0}, {901, 1}, {902, 1}}, 2, 2);
    end_run(b, true);
}

static void a_section_names_the_states_around_it(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *at;
        int64_t begin, end; /* ms */
    } cases[] = {
        {"parse#1", "parse#1", NULL, 100, 300}, {"parse#2", "parse#2", NULL, 400, 500},
        {"parse", "parse", NULL, 100, 1000},    {"parse#3", NULL, NULL, 800, 1000},
        {NULL, "parse#1", NULL, 0, 300},        {NULL, NULL, "parse#1", 0, 200},
        {"load#2", "load#2", NULL, 300, 600},   {"parse#2", "90%", NULL, 400, 900},
        {"250ms", "parse#2", NULL, 200, 500},   {"many", "many#2", NULL, 100, 200},
        {"many#999", "many", NULL, 900, 1000},  {"section:parse#2", "load#2", NULL, 400, 600},
    };
    struct trace_builder b;
    begin_sample(&b);
    const char *path = tb_save(&b);
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        const char *to = cases[i].at != NULL ? cases[i].at : cases[i].to;
        const struct vbt_query query = {.trace = path, .from = cases[i].from, .to = to, .at = cases[i].at != NULL};
        struct vbt_window window;
        struct vbt_model m;
        assert_null(vbt_window_find(&window, &query, path, NULL));
        assert_null(vbt_model_load_part(&m, path, false, &window));
        assert_int_equal(m.window.from, cases[i].begin * MS);
        assert_int_equal(m.window.to, cases[i].end * MS);
        assert_int_equal(m.state[VBT_STATE_DOMAIN], (cases[i].end - cases[i].begin) / 100);
        vbt_model_free(&m);
    }
    assert_int_equal(run_command("lines", path, "--from=parse#2", "--to=parse#2", NULL), 0);
    has(output_text(), "From 400 ms to 500 ms of 1.00 s, the latest tick in the trace until --from parse#2 (its beginning at "
                       "450 ms) and the first after --to parse#2 (its end at 500 ms).");
    assert_int_equal(run_command("leaks", path, "--at=parse#1", NULL), 0);
    has(output_text(), "At 200 ms of 1.00 s, the latest tick in the trace until --at parse#1 (its end at 250 ms).");
    tb_free(&b);
}

static void what_is_not_known_of_a_section_is_said(void **state) {
    (void)state;
    static const struct {
        const char *option, *says;
    } cases[] = {
        {"--from=parse#4", "--from parse#4: section \"parse\" ran 3 times"},
        {"--to=parse#0", "--to parse#0: section \"parse\" ran 3 times"},
        {"--to=many#500", "of the 1,000 runs of section \"many\" the trace keeps the times of the first 2 and the last 2"},
        {"--at=prase", "there is no section \"prase\" in the trace, but parse, load#2, many"},
        {"--at=parse#", "there is no section \"parse#\" in the trace"},
        {"--at=5q", "expected a time of the run such as 1.5s"},
        {"--at=-parse", "expected a time of the run such as 1.5s"},
        {"--at=", "expected a time of the run such as 1.5s"},
    };
    struct trace_builder b;
    begin_sample(&b);
    const char *path = tb_save(&b);
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        assert_int_equal(run_command("lines", path, cases[i].option, NULL), 2);
        has(message, cases[i].says);
        assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
    }
    assert_int_equal(run_command("lines", path, "--from=parse#3", "--to=parse#1", NULL), 2);
    has(message, "--from parse#3 is later in the run than --to parse#1");
    tb_free(&b);
    begin_run(&b, "1700000000000000000", "1");
    end_run(&b, false);
    assert_int_equal(run_command("lines", tb_save(&b), "--from=parse", NULL), 2);
    has(message, "--from parse: it is no time, and the trace does not say of any section when it ran");
    tb_free(&b);
}

static void the_newest_row_of_a_name_counts(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    uint64_t time;
    begin_sample(&b);
    begin_sections(&b, 2);
    put_section(&b, "parse", 1, (const struct run[]){{7, 1}}, 1, 0);
    put_section(&b, "parse", 2, (const struct run[]){{8, 1}, {9, 5}}, 1, 1);
    vbt_put_varint(&b.w, 12); /* runs without a name */
    vbt_put_varint(&b.w, 99); /* what a later version may add */
    end_run(&b, true);
    assert_null(vbt_model_load(&m, tb_save(&b), false));
    assert_null(m.damage);
    assert_int_equal(m.sections.count, 3);
    assert_int_equal(m.sections.runs, 2 + 1 + 4);
    assert_null(vbt_sections_time(&m.sections, "parse", false, &time));
    assert_int_equal(time, 8 * MS);
    assert_null(vbt_sections_time(&m.sections, "parse#2", true, &time));
    assert_int_equal(time, 14 * MS);
    vbt_model_free(&m);
    tb_free(&b);
}

/* Numbers that contradict each other are computed with; more than there is room for is damage. */
static void what_a_file_claims_is_not_believed(void **state) {
    (void)state;
    static const struct {
        uint64_t names, count, first, latest;
        bool damaged;
    } cases[] = {
        {1, 2, 2, 0, false},         {2, 2, 2, 0, true},           {UINT64_MAX, 2, 2, 0, true},
        {1, 2, UINT64_MAX, 3, true}, {1, 2, 0, UINT64_MAX, true},  {1, 2, UINT64_MAX / 2 + 1, UINT64_MAX / 2 + 1, true},
        {1, 0, 1, 1, false},         {1, UINT64_MAX, 1, 1, false}, {1, UINT64_MAX, 0, 0, false},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        struct trace_builder b;
        struct vbt_model m;
        uint64_t time;
        begin_run(&b, "1", "1");
        begin_sections(&b, cases[i].names);
        vbt_put_string(&b.w, "a", 1);
        vbt_put_varint(&b.w, cases[i].count);
        vbt_put_varint(&b.w, cases[i].first);
        vbt_put_varint(&b.w, cases[i].latest);
        for (int run = 0; run < 2; run++) {
            vbt_put_zigzag(&b.w, INT64_MIN);
            vbt_put_varint(&b.w, UINT64_MAX);
        }
        end_run(&b, true);
        assert_null(vbt_model_load(&m, tb_save(&b), false));
        assert_true((m.damage != NULL) == cases[i].damaged);
        assert_int_equal(m.sections.count, cases[i].damaged ? 0 : 1);
        free(vbt_sections_time(&m.sections, "a", false, &time));
        free(vbt_sections_time(&m.sections, "a#1", true, &time));
        vbt_model_free(&m);
        int status = run_command("lines", tb_save(&b), "--from=a", "--to=a", NULL);
        assert_true(status == 0 || status == 2);
        tb_free(&b);
    }
}

static void no_file_has_room_for_too_many(void **state) {
    (void)state;
    struct vbt_sections sections = {0};
    static uint8_t bytes[4 * (VBT_MAX_SECTIONS + 2)];
    for (uint32_t names = VBT_MAX_SECTIONS; names <= VBT_MAX_SECTIONS + 1; names++) {
        struct vbt_writer w = {.at = bytes, .end = bytes + sizeof bytes};
        vbt_put_varint(&w, names);
        for (uint32_t i = 0; i < names; i++)
            vbt_put_bytes(&w, "\0\0\0\0", 4); /* one name, over and over */
        struct vbt_reader r = {.at = bytes, .end = w.at};
        char *problem = vbt_sections_read(&sections, &r);
        assert_true((problem != NULL) == (names > VBT_MAX_SECTIONS));
        free(problem);
    }
    assert_int_equal(sections.count, 1);
    vbt_sections_free(&sections);
}

/* Two processes, half a second apart. Runs are numbered over both by the clock on the wall; where
 * runs are missing, only those whose number is certain have one. */
static void sections_of_several_processes_are_one_row(void **state) {
    (void)state;
    static const char copy[] = "/tmp/vbtrace-test-section.vbt";
    struct trace_builder b;
    begin_run(&b, "1700000000000000000", "1");
    begin_sections(&b, 2);
    put_section(&b, "step", 3, (const struct run[]){{110, 50}, {610, 50}, {910, -1}}, 3, 0);
    put_section(&b, "many", 100, (const struct run[]){{110, 1}, {120, 1}, {810, 1}, {820, 1}}, 2, 2);
    end_run(&b, true);
    assert_int_equal(rename(tb_save(&b), copy), 0);
    tb_free(&b);
    begin_run(&b, "1700000000500000000", "2");
    begin_sections(&b, 2);
    put_section(&b, "step", 2, (const struct run[]){{10, 50}, {310, 50}}, 2, 0);
    put_section(&b, "many", 2, (const struct run[]){{130, 1}, {510, 80}}, 2, 0);
    end_run(&b, true);
    const char *path = tb_save(&b);
    static const struct {
        const char *from, *to;
        int64_t begin, end, allocs; /* ms from the first start */
    } cases[] = {
        {"--from=step#1", "--to=step#1", 100, 200, 1}, /* the other has not begun */
        {"--from=step#2", "--to=step#2", 500, 600, 2}, /* of the second, at 510 */
        {"--from=step#3", "--to=step#3", 600, 700, 2}, /* of the first */
        {"--from=step", "--to=step#4", 100, 900, 12},  /* at 810 ms; 8 and 4 */
        {"--from=step#5", "--to=step", 900, 1000, 2},  /* does not end before its process */
        {"--from=many#1", "--to=many#2", 100, 200, 1}, {"--from=many#102", "--to=many", 1000, 1100, 1},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        assert_int_equal(run_command("lines", copy, path, "--format=json", "--by=leaf", cases[i].from, cases[i].to, NULL), 0);
        json_t *root = json_loads(output_text(), 0, NULL);
        const json_t *lines = json_object_get(root, "lines");
        assert_int_equal(at(json_object_get(root, "part"), "to_ns"), cases[i].end * MS);
        assert_int_equal(at(json_object_get(root, "part"), "from_ns"), cases[i].begin * MS);
        json_int_t allocs = 0;
        for (size_t k = 0; k < json_array_size(lines); k++)
            allocs += at(json_array_get(lines, k), "allocs");
        assert_int_equal(allocs, cases[i].allocs);
        json_decref(root);
    }
    assert_int_equal(run_command("lines", copy, path, "--to=many#3", NULL), 2); /* it may be of either */
    has(message, "of the 102 runs of section \"many\" the trace keeps");
    assert_int_equal(run_command("lines", copy, path, "--to=step#6", NULL), 2);
    has(message, "section \"step\" ran 5 times");
    unlink(copy);
    tb_free(&b);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_names_the_states_around_it), cmocka_unit_test(what_is_not_known_of_a_section_is_said),
        cmocka_unit_test(the_newest_row_of_a_name_counts),      cmocka_unit_test(what_a_file_claims_is_not_believed),
        cmocka_unit_test(no_file_has_room_for_too_many),        cmocka_unit_test(sections_of_several_processes_are_one_row),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
