/* What a part of a run says besides call paths: known answers for threads, intervals, counted lines
 * and mapped memory. */
#include "analyzer/analysis/moments.h"
#include "analyzer/analysis/threads.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/trace/load.h"
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

enum { LINES = 2 };

/* At a state: what each thread allocated (blocks of 8 bytes; threads: how many there are), the
 * durations of an interval so far, how often two lines ran, anonymous mappings of a page. */
struct moment_of_run {
    int64_t seconds;
    uint64_t threads, allocs[2];
    uint64_t repetitions;
    int64_t times[6]; /* of its repetitions, ns */
    uint64_t hits[LINES], maps;
    int64_t max_rss, rss_time; /* the highest breakdown, s */
};

static const struct moment_of_run states[] = {
    {1, 1, {10, 0}, 2, {100, 300}, {5, 0}, 1, 5000, 1},
    {2, 2, {12, 7}, 3, {100, 300, 800}, {5, 2}, 4, 5000, 1},
    {3, 2, {20, 7}, 6, {100, 300, 800, 50, 50, 200}, {9, 2}, 4, 9000, 3},
};

enum { STATES = sizeof states / sizeof *states };

static void put_threads(struct trace_builder *b, const struct moment_of_run *s) {
    if (s->threads < 2)
        return;
    tb_open(b);
    vbt_put_varint(&b->w, s->threads);
    for (uint64_t i = 0; i < s->threads; i++) {
        vbt_put_varint(&b->w, 100 + i);
        vbt_put_string(&b->w, i == 0 ? "main" : "work", 4);
        vbt_put_varint(&b->w, i);
        vbt_put_varint(&b->w, 0);
        vbt_put_varint(&b->w, 1);
        for (int k = 0; k < 5 * VBT_DOMAINS; k++)
            vbt_put_varint(&b->w, k == 0 ? s->allocs[i] : k == 2 ? 8 * s->allocs[i] : 0);
    }
    tb_close(b, VBT_CHUNK_THREADS);
}

static void put_intervals(struct trace_builder *b, const struct moment_of_run *s) {
    struct tb_interval row = {.id = 9, .kind = VBT_INTERVAL_SECTION, .from = 1, .to = 1, .label = 1, .count = s->repetitions};
    double mean = 0, n = (double)s->repetitions;
    row.iterations = 10 * s->repetitions;
    row.of[VBT_Q_TIME][0] = INT64_MAX;
    for (uint64_t i = 0; i < s->repetitions; i++) {
        row.of[VBT_Q_TIME][0] = s->times[i] < row.of[VBT_Q_TIME][0] ? s->times[i] : row.of[VBT_Q_TIME][0];
        row.of[VBT_Q_TIME][1] = s->times[i] > row.of[VBT_Q_TIME][1] ? s->times[i] : row.of[VBT_Q_TIME][1];
        row.of[VBT_Q_TIME][2] += s->times[i];
        row.of[VBT_Q_ALLOCS][2] += 4;
        mean += (double)s->times[i] / n;
    }
    for (uint64_t i = 0; i < s->repetitions; i++)
        row.m2 += ((double)s->times[i] - mean) * ((double)s->times[i] - mean);
    tb_intervals(b, &row, 1);
}

/* Sites 1 and 2 are lines; each hit allocates 3 times. */
static void put_lines(struct trace_builder *b, const struct moment_of_run *s) {
    tb_open(b);
    vbt_put_varint(&b->w, LINES);
    for (int line = 0; line < LINES; line++)
        vbt_put_zigzag(&b->w, 1);
    for (int column = 1; column < 24; column++)
        for (int line = 0; line < LINES; line++)
            vbt_put_varint(&b->w, column == 2                 ? s->hits[line]
                                  : column == 5               ? 2 * 3 * s->hits[line]
                                  : column >= 17 && line == 0 ? 2 * 50
                                                              : 0);
    tb_close(b, VBT_CHUNK_LINES);
}

static void put_maps(struct trace_builder *b, const struct moment_of_run *s) {
    tb_open(b);
    vbt_put_varint(&b->w, (uint64_t)(s->seconds * SECOND));
    vbt_put_varint(&b->w, 1);
    const uint64_t fields[VBT_FIELDS] = {s->maps, 0, 4096 * s->maps, 0, 0, 0, 0};
    for (int i = 0; i < VBT_FIELDS; i++)
        vbt_put_varint(&b->w, fields[i]);
    vbt_put_varint(&b->w, 2);
    for (uint64_t which = VBT_RESIDENT_LATEST; which <= VBT_RESIDENT_HIGHEST; which++) {
        vbt_put_varint(&b->w, which);
        vbt_put_varint(&b->w, (uint64_t)((which == VBT_RESIDENT_HIGHEST ? s->rss_time : s->seconds) * SECOND));
        vbt_put_zigzag(&b->w, 0);
        vbt_put_zigzag(&b->w, 0);
        vbt_put_varint(&b->w, 1);
        vbt_put_varint(&b->w, (uint64_t)s->max_rss);
    }
    tb_close(b, VBT_CHUNK_MAPS);
}

/* Node 1 is of the first thread alone, node 2 of both. */
static void put_parts(struct trace_builder *b) {
    tb_open(b);
    static const uint64_t numbers[] = {4 * SECOND, 2, 1, 1, 1, 2, 1, 1, 2, 7, 0, 56, 0, 0, 0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        vbt_put_varint(&b->w, numbers[i]);
    tb_close(b, VBT_CHUNK_THREAD_COUNTERS);
}

static void put_counters(struct trace_builder *b, const struct moment_of_run *s) {
    uint64_t both = s->allocs[0] > 12 ? 15 : s->allocs[0] - 2; /* at node 1, of the first thread */
    for (uint32_t node = 1; node <= 2; node++) {
        uint64_t allocs = node == 1 ? both : s->allocs[0] + s->allocs[1] - both;
        tb_counters(b,
                    &(struct tb_counters){.node = node,
                                          .allocs = allocs,
                                          .allocated = 8 * allocs,
                                          .live_blocks = (int64_t)allocs,
                                          .live_bytes = 8 * (int64_t)allocs,
                                          .smallest = 8,
                                          .largest = 8},
                    1);
    }
}

static void begin_run(struct trace_builder *b, int64_t details, const char *pid) {
    tb_begin(b);
    tb_process(b, (const char *const[]){"started", "1700000000000000000", "pid", pid, "python", "3.11.2", "option",
                                        "VBTRACE_LINES=1", NULL});
    uint32_t code = tb_code(b, "/proj/a.py", "f", 1, VBT_CODE_USER);
    tb_site(b, VBT_SITE_PYTHON, code, 5);
    tb_site(b, VBT_SITE_PYTHON, code, 6);
    tb_node(b, 0, 1, VBT_DOMAIN_HEAP);
    tb_node(b, 0, 2, VBT_DOMAIN_HEAP);
    for (int i = 0; i < STATES; i++) {
        const struct moment_of_run *s = &states[i];
        int64_t allocs = (int64_t)(s->allocs[0] + s->allocs[1]);
        put_counters(b, s);
        put_threads(b, s);
        put_intervals(b, s);
        put_lines(b, s);
        put_maps(b, s);
        tb_state(b, (const int64_t[][2]){{VBT_STATE_TIME, s->seconds * SECOND},
                                         {VBT_STATE_THREADS, (int64_t)s->threads},
                                         {VBT_STATE_DOMAIN, allocs},
                                         {VBT_STATE_DOMAIN + VBT_FIELD_ALLOCATED, 8 * allocs},
                                         {VBT_STATE_RSS, s->max_rss},
                                         {VBT_STATE_MAX_RSS, s->max_rss},
                                         {VBT_STATE_DETAILS, details},
                                         {0, 0}});
    }
    put_parts(b);
    tb_end(b, 3 * SECOND, "exit");
}

static void load(struct vbt_model *m, const char *path, const char *from, const char *to) {
    struct vbt_window window;
    const struct vbt_query query = {.trace = path, .from = from, .to = to};
    assert_null(vbt_window_find(&window, &query, query.trace, NULL));
    assert_null(vbt_model_load_part(m, path, true, &window));
    assert_null(m->damage);
}

static void each_state_has_its_own(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin_run(&b, VBT_ALL_DETAILS, "1");
    load(&m, tb_save(&b), "1s", "2s");
    assert_int_equal(m.thread_count, 2);
    assert_int_equal(m.threads[1].totals[VBT_DOMAIN_HEAP].allocs, 2); /* before there were two, one did all */
    assert_int_equal(m.threads[2].totals[VBT_DOMAIN_HEAP].allocs, 7);
    assert_int_equal(m.interval_count, 1);
    assert_int_equal(m.intervals[0].count, 1);
    assert_int_equal(m.intervals[0].iterations, 10);
    assert_int_equal(m.intervals[0].of[VBT_Q_TIME].total, 800);
    assert_int_equal(m.intervals[0].of[VBT_Q_ALLOCS].total, 4);
    assert_true(m.intervals[0].ran_before);
    assert_int_equal(m.line_counts_count, 1); /* the first did not run */
    assert_int_equal(m.line_counts[0].site, 2);
    assert_int_equal(m.line_counts[0].hits, 2);
    assert_int_equal(m.line_counts[0].own.allocs, 6);
    assert_false(m.line_counts[0].ran_before);
    assert_int_equal(m.maps[VBT_MAP_ANONYMOUS][VBT_FIELD_ALLOCS], 3);
    assert_int_equal(m.maps[VBT_MAP_ANONYMOUS][VBT_FIELD_ALLOCATED], 3 * 4096);
    assert_true(m.has_maps);
    assert_true(m.resident[VBT_RESIDENT_LATEST].known);
    assert_false(m.resident[VBT_RESIDENT_HIGHEST].known); /* it was before */
    assert_true(m.window.rss_unknown);
    vbt_model_free(&m);
    load(&m, tb_save(&b), "2s", NULL);
    assert_int_equal(m.threads[1].totals[VBT_DOMAIN_HEAP].allocs, 8);
    assert_int_equal(m.threads[2].totals[VBT_DOMAIN_HEAP].allocs, 0);
    assert_int_equal(m.intervals[0].count, 3);
    assert_true(fabs(m.intervals[0].time_m2 - 2 * 50 * 50 - 100 * 100) < 1e-6); /* 50, 50, 200 around 100 */
    assert_int_equal(m.line_counts_count, 1);
    assert_int_equal(m.line_counts[0].hits, 4);
    assert_true(m.line_counts[0].ran_before);
    assert_int_equal(m.maps[VBT_MAP_ANONYMOUS][VBT_FIELD_ALLOCS], 0);
    assert_true(m.resident[VBT_RESIDENT_HIGHEST].known);
    vbt_model_free(&m);
    load(&m, tb_save(&b), NULL, "1s");
    assert_int_equal(m.threads[1].totals[VBT_DOMAIN_HEAP].allocs, 10);
    assert_int_equal(m.threads[2].totals[VBT_DOMAIN_HEAP].allocs, 0);
    assert_int_equal(m.intervals[0].count, 2);
    assert_false(m.intervals[0].ran_before);
    assert_int_equal(m.line_counts_count, 1);
    assert_int_equal(m.line_counts[0].hits, 5);
    vbt_model_free(&m);
    load(&m, tb_save(&b), NULL, "500ms"); /* before the first state: nothing */
    assert_int_equal(m.threads[1].totals[VBT_DOMAIN_HEAP].allocs, 0);
    assert_int_equal(m.interval_count + m.line_counts_count, 0);
    assert_int_equal(m.maps[VBT_MAP_ANONYMOUS][VBT_FIELD_ALLOCS], 0);
    vbt_model_free(&m);
    tb_free(&b);
}

static void call_paths_of_one_thread_are_known_by_thread(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin_run(&b, VBT_ALL_DETAILS, "1");
    load(&m, tb_save(&b), "1s", "3s");
    struct vbt_thread_share shares[8];
    assert_int_equal(vbt_thread_shares(&m, 1, shares), 1);
    assert_int_equal(shares[0].thread, 1);
    assert_int_equal(shares[0].counts.allocs, 7);
    assert_int_equal(vbt_thread_shares(&m, 2, shares), 1);
    assert_int_equal(shares[0].thread, 0); /* two did it, over the whole run */
    assert_int_equal(shares[0].counts.allocs, 10);
    vbt_model_free(&m);
    assert_int_equal(run_command("functions", tb_save(&b), "--by=thread", "--from=1s", NULL), 0);
    has(output_text(), "[unknown thread]");
    has(output_text(), "Call paths of more than one thread are not known by thread here: [unknown thread].");
    tb_free(&b);
}

static void views_show_what_is_known(void **state) {
    (void)state;
    struct trace_builder b;
    begin_run(&b, VBT_ALL_DETAILS, "1");
    const char *path = tb_save(&b);
    json_t *root = run_json("report", path, "--from=2s");
    const json_t *interval = json_array_get(json_object_get(root, "intervals"), 0), *time = json_object_get(interval, "time_ns");
    assert_int_equal(at(interval, "count"), 3);
    assert_int_equal(at(time, "total"), 300);
    assert_true(json_is_null(json_object_get(time, "min")) && json_is_null(json_object_get(time, "max")));
    assert_true(fabs(json_real_value(json_object_get(time, "std")) - sqrt(15000 / 3.0)) < 1e-6);
    const json_t *threads = json_object_get(root, "threads");
    assert_int_equal(at(json_array_get(threads, 0), "allocs"), 8);
    assert_int_equal(at(json_array_get(threads, 1), "allocs"), 0);
    const json_t *kinds =
        json_object_get(json_object_get(json_object_get(json_object_get(root, "totals"), "domains"), "map"), "kinds");
    assert_int_equal(at(json_object_get(kinds, "anonymous"), "allocs"), 0);
    json_decref(root);
    assert_int_equal(run_command("lines", path, "--format=json", "--from=2s", NULL), 0);
    root = json_loads(output_text(), 0, NULL);
    const json_t *function = json_array_get(json_object_get(root, "line_profile"), 0);
    const json_t *line = json_array_get(json_object_get(function, "lines"), 0);
    assert_int_equal(at(line, "hits"), 4);
    assert_int_equal(at(line, "allocs"), 12);
    assert_true(json_is_null(json_object_get(line, "high_bytes")) && json_is_null(json_object_get(line, "net_max_bytes")));
    assert_int_equal(json_array_size(json_object_get(function, "lines")), 1);
    json_decref(root);
    assert_int_equal(run_command("report", path, "--from=1s", "--to=2s", NULL), 0);
    has(output_text(), "4.9 KiB at the highest of its ticks; it was higher before this part of the run");
    has(output_text(), "Latest taken: breakdown taken at 2.00 s.");
    assert_int_equal(run_command("intervals", path, "--from=1s", "--to=2s", NULL), 0);
    has(output_text(), "From 1.00 s to 2.00 s of 3.00 s");
    has(output_text(), "a.py");
    assert_int_equal(run_command("intervals", path, "--from=2500ms", "--to=2700ms", NULL), 0);
    has(output_text(), "No intervals: none ended in this part of the run.");
    assert_int_equal(run_command("lines", path, "--like=line_profiler", "--from=2500ms", "--to=2700ms", NULL), 2);
    has(message, "no line was counted in this part of the run");
    assert_int_equal(run_command("intervals", path, "--sites", "--to=2s", NULL), 2);
    has(message, "the call stacks in intervals are known of the whole run only");
    assert_int_equal(run_command("intervals", path, "--filter=module=x", "--to=2s", NULL), 2);
    has(message, "the call stacks in intervals are known of the whole run only");
    tb_free(&b);
}

/* Of a trace by an older version, only the newest values mean anything. */
static void older_traces_say_what_they_lack(void **state) {
    (void)state;
    struct trace_builder b;
    begin_run(&b, 0, "1");
    const char *path = tb_save(&b);
    json_t *root = run_json("report", path, "--from=2s");
    assert_int_equal(json_array_size(json_object_get(root, "threads")), 0);
    assert_int_equal(json_array_size(json_object_get(root, "intervals")), 0);
    const json_t *map = json_object_get(json_object_get(json_object_get(root, "totals"), "domains"), "map");
    assert_true(json_is_null(json_object_get(map, "kinds")));
    has(json_string_value(json_array_get(json_object_get(root, "notes"), 0)), "This trace is of a version that did not keep it");
    json_decref(root);
    assert_int_equal(run_command("intervals", path, "--from=2s", NULL), 2);
    has(message, "this trace has intervals of the whole run only");
    assert_int_equal(run_command("lines", path, "--own", "--from=2s", NULL), 2);
    has(message, "this trace has counted lines of the whole run only: --own does not go with --from");
    tb_free(&b);
}

static void parts_of_several_traces_have_it_too(void **state) {
    (void)state;
    static const char copy[] = "/tmp/vbtrace-test-details.vbt";
    struct trace_builder b;
    begin_run(&b, VBT_ALL_DETAILS, "1");
    assert_int_equal(rename(tb_save(&b), copy), 0);
    tb_free(&b);
    for (int old = 0; old < 2; old++) {
        begin_run(&b, old ? 0 : VBT_ALL_DETAILS, "2");
        assert_int_equal(run_command("report", copy, tb_save(&b), "--format=json", "--from=2s", NULL), 0);
        json_t *root = json_loads(output_text(), 0, NULL);
        const json_t *interval = json_array_get(json_object_get(root, "intervals"), 0);
        const json_t *map = json_object_get(json_object_get(json_object_get(root, "totals"), "domains"), "map");
        assert_int_equal(interval != NULL ? at(interval, "count") : 0, old ? 3 : 6); /* of those that know it */
        assert_true(json_is_null(json_object_get(map, "kinds")) == old);
        json_decref(root);
        tb_free(&b);
    }
    unlink(copy);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_has_its_own),
        cmocka_unit_test(call_paths_of_one_thread_are_known_by_thread),
        cmocka_unit_test(views_show_what_is_known),
        cmocka_unit_test(older_traces_say_what_they_lack),
        cmocka_unit_test(parts_of_several_traces_have_it_too),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
