/* Parts of a run: known answers between any two states of a trace, and moments as options name
 * them. */
#include "format/count.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/trace/counters.h"
#include "analyzer/trace/load.h"
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

/* States at 1, 2, 3 and 4 s of two nodes:
 *
 *     at    node 1: requests, bytes, live          node 2: requests, bytes, live        PEAK
 *     1 s   10 of 16 B, 10 live                    -                                    160
 *     2 s   as before                              3 of 100 to 300, 600 B, 2, 400 B      560
 *     3 s   14 of 16 B, 1 live, 2 temporary         as before                            560
 *     4 s   as before                              5, 1,000 B, 1, 100 B                 560 */
static void add_state(struct trace_builder *b, int64_t seconds, int64_t peak, int64_t allocs, int64_t lost) {
    tb_state(b, (const int64_t[][2]){{VBT_STATE_TIME, seconds * SECOND},
                                     {VBT_STATE_PEAK, peak},
                                     {VBT_STATE_PEAK_TIME, (seconds > 2 ? 2 : seconds) * SECOND},
                                     {VBT_STATE_DOMAIN, allocs},
                                     {VBT_STATE_LOST, lost},
                                     {0, 0}});
}

static void begin_history_of(struct trace_builder *b, const char *pid) {
    const struct tb_counters one = {.node = 1, .smallest = 16, .largest = 16, .at_peak_bytes = 160};
    const struct tb_counters two = {.node = 2, .smallest = 100, .largest = 300, .at_peak_bytes = 400, .size_count = 2};
    struct tb_counters row = one;
    tb_begin(b);
    tb_process(b, (const char *const[]){"started", "1700000000000000000", "pid", pid, NULL});
    uint32_t site = tb_site(b, VBT_SITE_NATIVE, 100, 1), other = tb_site(b, VBT_SITE_NATIVE, 200, 1);
    tb_node(b, 0, site, VBT_DOMAIN_HEAP);
    row.allocs = 10;
    row.allocated = 160;
    row.live_blocks = 10;
    row.live_bytes = 160;
    tb_counters(b, &row, 1);
    add_state(b, 1, 160, 10, 1);
    tb_node(b, 0, other, VBT_DOMAIN_HEAP);
    row = two;
    row.allocs = 3;
    row.allocated = 600;
    row.live_blocks = 2;
    row.live_bytes = 400;
    memcpy(row.sizes, (uint64_t[2][2]){{7, 1}, {9, 2}}, sizeof(uint64_t[2][2]));
    tb_counters(b, &row, 1);
    add_state(b, 2, 560, 13, 1);
    row = one;
    row.allocs = 14;
    row.allocated = 224;
    row.live_blocks = 1;
    row.live_bytes = 16;
    row.temporary = 2;
    tb_counters(b, &row, 1);
    add_state(b, 3, 560, 17, 4);
    row = two;
    row.allocs = 5;
    row.allocated = 1000;
    row.live_blocks = 1;
    row.live_bytes = 100;
    memcpy(row.sizes, (uint64_t[2][2]){{7, 2}, {9, 3}}, sizeof(uint64_t[2][2]));
    tb_counters(b, &row, 1);
    add_state(b, 4, 560, 19, 4);
    tb_end(b, 4 * SECOND, "exit");
}

static void begin_history(struct trace_builder *b) { begin_history_of(b, "1"); }

/* Loads what --from and --to ask for; NULL: no such option. */
static void load(struct vbt_model *m, const char *path, const char *from, const char *to) {
    struct vbt_window window;
    const struct vbt_query query = {.trace = path, .from = from, .to = to};
    assert_null(vbt_window_find(&window, &query, query.trace, NULL));
    assert_null(vbt_model_load_part(m, path, true, &window));
}

static void a_part_is_what_happened_between_its_states(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin_history(&b);
    load(&m, tb_save(&b), "2.5s", "3s");
    assert_true(m.window.is_part);
    assert_int_equal(m.window.from, 2 * SECOND);
    assert_int_equal(m.window.to, 3 * SECOND);
    assert_true(m.window.peak_unknown);
    assert_int_equal(m.state[VBT_STATE_LOST], 3);
    assert_int_equal(vbt_model_duration(&m), 4 * SECOND);
    struct vbt_model_counters c = vbt_counters_of(&m, 1);
    assert_int_equal(c.allocs, 4);
    assert_int_equal(c.allocated, 64);
    assert_int_equal(vbt_model_frees(&c), 13);
    assert_int_equal(vbt_model_freed(&c), 208);
    assert_int_equal(c.temporary, 2);
    assert_int_equal(c.live_blocks, 1);
    assert_int_equal(vbt_counters_grown(c.live_bytes, c.start_bytes), -144);
    assert_true(vbt_counters_know_sizes(&c)); /* there is no other */
    assert_int_equal(c.smallest, 16);
    assert_int_equal(c.largest, 16);
    c = vbt_counters_of(&m, 2); /* nothing happened, but something is live */
    assert_int_equal(c.allocs, 0);
    assert_int_equal(vbt_model_frees(&c), 0);
    assert_int_equal(c.live_bytes, 400);
    struct vbt_domain_totals all = vbt_all_totals(&m);
    assert_int_equal(all.allocs, 4);
    assert_int_equal(all.freed, 208);
    assert_int_equal(all.live_bytes, 416);
    vbt_model_free(&m);
    load(&m, tb_save(&b), "3s", NULL);
    c = vbt_counters_of(&m, 2);
    assert_int_equal(c.allocs, 2);
    assert_int_equal(c.allocated, 400);
    assert_int_equal(vbt_model_freed(&c), 700);
    assert_false(vbt_counters_know_sizes(&c));
    assert_int_equal(c.sizes->count, 2);
    assert_int_equal(c.sizes->rows[0].bucket, 7);
    assert_int_equal(c.sizes->rows[0].allocs, 1);
    assert_int_equal(c.sizes->rows[1].allocs, 1);
    vbt_model_free(&m);
    tb_free(&b);
}

static void until_a_moment_all_is_as_it_was_then(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    begin_history(&b);
    load(&m, tb_save(&b), NULL, "2999ms");
    assert_int_equal(m.window.to, 2 * SECOND);
    assert_false(m.window.peak_unknown);
    struct vbt_model_counters c = vbt_counters_of(&m, 1);
    assert_int_equal(c.allocs, 10);
    assert_int_equal(c.live_blocks, 10);
    assert_int_equal(c.at_peak_bytes, 160); /* not written again when the peak came */
    c = vbt_counters_of(&m, 2);
    assert_int_equal(c.at_peak_bytes, 400);
    assert_int_equal(c.smallest, 100);
    assert_int_equal(c.largest, 300);
    assert_int_equal(c.sizes->rows[1].allocs, 2);
    assert_int_equal(m.ticks.count, 2);
    vbt_model_free(&m);
    load(&m, tb_save(&b), NULL, "0.5s"); /* before the first state */
    assert_int_equal(m.counted_nodes, 0);
    assert_int_equal(vbt_all_totals(&m).allocs, 0);
    vbt_model_free(&m);
    tb_free(&b);
}

static void what_was_inherited_is_live_at_the_start(void **state) {
    (void)state;
    struct trace_builder b;
    struct vbt_model m;
    tb_begin(&b);
    tb_site(&b, VBT_SITE_NATIVE, 100, 1);
    tb_node(&b, 0, 1, VBT_DOMAIN_HEAP);
    tb_counters(&b,
                &(struct tb_counters){.node = 1,
                                      .allocs = 1,
                                      .allocated = 8,
                                      .smallest = 8,
                                      .largest = 8,
                                      .live_blocks = 3,
                                      .live_bytes = 30,
                                      .inherited_blocks = 4,
                                      .inherited_bytes = 40},
                1);
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, SECOND}, {0, 0}});
    tb_counters(&b,
                &(struct tb_counters){.node = 1,
                                      .allocs = 2,
                                      .allocated = 16,
                                      .smallest = 8,
                                      .largest = 8,
                                      .live_blocks = 1,
                                      .live_bytes = 8,
                                      .inherited_blocks = 4,
                                      .inherited_bytes = 40},
                1);
    tb_state(&b, (const int64_t[][2]){{VBT_STATE_TIME, 2 * SECOND}, {0, 0}});
    tb_end(&b, 2 * SECOND, "exit");
    load(&m, tb_save(&b), NULL, "0s");
    struct vbt_model_counters c = vbt_counters_of(&m, 1);
    assert_int_equal(c.allocs, 0);
    assert_int_equal(vbt_model_frees(&c), 0);
    assert_int_equal(c.live_bytes, 40);
    vbt_model_free(&m);
    load(&m, tb_save(&b), "1s", NULL);
    c = vbt_counters_of(&m, 1);
    assert_int_equal(c.allocs, 1);
    assert_int_equal(vbt_model_frees(&c), 3);
    assert_int_equal(vbt_model_freed(&c), 30);
    assert_int_equal(c.inherited_bytes, 40);
    assert_int_equal(vbt_counters_grown(c.live_bytes, c.start_bytes), -22);
    vbt_model_free(&m);
    tb_free(&b);
}

/* Any partition adds up to the whole. */
static void parts_add_up_to_the_whole(void **state) {
    (void)state;
    static const char *const moments[] = {NULL, "10%", "1s", "1.3s", "60%", "3.9s", NULL};
    struct trace_builder b;
    struct vbt_model m;
    begin_history(&b);
    const char *path = tb_save(&b);
    uint64_t sums[3][5] = {{0}};
    for (size_t i = 0; i + 1 < VBT_COUNT(moments); i++) {
        load(&m, path, moments[i], moments[i + 1]);
        for (size_t node = 1; node <= 2; node++) {
            const struct vbt_model_counters c = vbt_counters_of(&m, node);
            const uint64_t counts[] = {c.allocs, c.allocated, vbt_model_frees(&c), vbt_model_freed(&c), c.temporary};
            for (size_t k = 0; k < VBT_COUNT(counts); k++)
                sums[node][k] += counts[k];
        }
        vbt_model_free(&m);
    }
    static const uint64_t whole[3][5] = {{0}, {14, 224, 13, 208, 2}, {5, 1000, 4, 900, 0}};
    for (size_t node = 1; node <= 2; node++)
        for (size_t k = 0; k < 5; k++)
            assert_int_equal(sums[node][k], whole[node][k]);
    tb_free(&b);
}

static void moments_are_times_shares_and_times_of_day(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* of the state that it means */
    } moments[] = {{"1s", 1},
                   {"3999ms", 3},
                   {"2500000us", 2},
                   {"0.05min", 3},
                   {"0.001h", 3},
                   {"75%", 3},
                   {"-2s", 2},
                   {"22:13:21", 1},
                   {"22:13:23Z", 3},
                   {"0%", 0},
                   {"2023-11-14T22:13:22.5", 2},
                   {"100%", 4}};
    struct trace_builder b;
    struct vbt_model m;
    begin_history(&b); /* started 2023-11-14 22:13:20 UTC */
    const char *path = tb_save(&b);
    for (size_t i = 0; i < VBT_COUNT(moments); i++) {
        assert_null(vbt_moment_wrong(moments[i].text));
        load(&m, path, NULL, moments[i].text);
        assert_int_equal(m.window.to, moments[i].seconds * SECOND);
        vbt_model_free(&m);
    }
    static const char *const wrong[] = {"",     "1",      "1x",        "-",     "-1%",      "101%",
                                        "0x1s", "1e400s", "24:00",     "12:60", "12:30:61", "2023-02-30T10:00",
                                        "12",   "+1s",    "12:30:0x5", ".5s"};
    for (size_t i = 0; i < VBT_COUNT(wrong); i++) {
        char *why = vbt_moment_wrong(wrong[i]);
        assert_non_null(why);
        free(why);
    }
    tb_free(&b);
}

static void what_cannot_be_had_is_said_in_a_line(void **state) {
    (void)state;
    struct trace_builder b;
    begin_history(&b);
    const char *path = tb_save(&b);
    static const struct {
        const char *arguments[4], *says;
    } cases[] = {
        {{"--from=5s"}, "--from 5s: the program ran for 4.00 s"},
        {{"--to=-5s"}, "--to -5s: the program ran for 4.00 s"},
        {{"--at=10:00"}, "--at 10:00: the program ran from 2023-11-14 22:13:20 UTC to 2023-11-14 22:13:24 UTC"},
        {{"--from=3s", "--to=2s"}, "--from 3s is later in the run than --to 2s"},
        {{"--from=3s", "--sort=peak"}, "the heap was higher before 3.00 s than between there and 4.00 s"},
        {{"--from=1s", "--sort=rss"}, "--sort rss does not go with --from"},
        {{"--from=3s", "--like=line_profiler"}, "--like does not go with --from"},
        {{"--to=1s", "--at=2s"}, "expected one moment"},
        {{"--from=1s", "--at=2s"}, "--from has no effect with --at"},
        {{"--from=yesterday"}, "it is no time, and the trace does not say of any section when it ran"},
        {{"--from=5x"}, "expected a time of the run such as 1.5s"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        assert_int_equal(run_command("lines", path, cases[i].arguments[0], cases[i].arguments[1], NULL), 2);
        has(message, cases[i].says);
    }
    assert_int_equal(run_command("peak", path, "--from=3s", NULL), 2);
    has(message, "what was live at the peak in between is not known");
    assert_int_equal(run_command("intervals", path, "--from=3s", NULL), 2);
    has(message, "this trace has intervals of the whole run only");
    tb_free(&b);
}

static void views_say_which_ticks_they_took(void **state) {
    (void)state;
    struct trace_builder b;
    begin_history(&b);
    const char *path = tb_save(&b);
    static const char *const views[] = {"report", "lines", "functions", "tree", "leaks", "temporary", "timeline"};
    for (size_t i = 0; i < VBT_COUNT(views); i++) {
        assert_int_equal(run_command(views[i], path, "--from=60%", "--to=3.2s", NULL), 0);
        has(output_text(), "From 2.00 s to 3.00 s of 4.00 s, the latest ticks in the trace until --from 60% and --to 3.2s.");
        json_t *root = run_json(views[i], path, "--from=3.5s");
        assert_int_equal(at(json_object_get(root, "part"), "from_ns"), 3 * SECOND);
        assert_int_equal(at(json_object_get(root, "part"), "to_ns"), 4 * SECOND);
        json_decref(root);
        assert_int_equal(run_command(views[i], path, "--format=csv", "--from=1.5s", NULL), 0);
        has(output_text(), ",from_ns,to_ns\n");
        has(output_text(), ",1000000000,4000000000\n");
        assert_int_equal(run_command(views[i], path, "--format=csv", NULL), 0);
        assert_null(strstr(output_text(), "from_ns"));
    }
    assert_int_equal(run_command("flamegraph", path, "--at=2s", NULL), 0);
    has(output_text(), "At 2.00 s of 4.00 s, the latest tick in the trace until --at 2s.");
    assert_int_equal(run_command("export", path, "--format=collapsed", "--at=2s", NULL), 0);
    has(message, "At 2.00 s of 4.00 s");
    assert_int_equal(run_command("export", path, "--format=pprof", "--from=3s", NULL), 0);
    has(message, "pprof: peak_space is left out, since it is not known of this part of the run");
    assert_int_equal(run_command("export", path, "--format=pprof", "--to=3s", NULL), 0);
    assert_null(strstr(message, "left out"));
    json_t *root = run_json("lines", path, "--from=3s");
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(root, "lines"), 0), "at_peak_bytes")));
    json_decref(root);
    tb_free(&b);
}

static void growth_is_what_is_live_less_what_was(void **state) {
    (void)state;
    static const char *const views[] = {"leaks", "tree"};
    static const struct {
        const char *option;
        json_int_t most, least; /* growth of the two nodes */
    } parts[] = {{"--to=4s", 100, 16}, {"--from=1s", 100, -144}, {"--from=2s", -144, -300}, {"--from=3s", -300, -300}};
    struct trace_builder b;
    begin_history(&b);
    const char *path = tb_save(&b);
    for (size_t i = 0; i < VBT_COUNT(parts); i++) {
        assert_int_equal(run_command("lines", path, "--format=json", "--by=leaf", "--grown", parts[i].option, NULL), 0);
        json_t *root = json_loads(output_text(), 0, NULL);
        const json_t *lines = json_object_get(root, "lines");
        assert_int_equal(at(json_array_get(lines, 0), "grown_bytes"), i < 3 ? parts[i].most : 0);
        assert_int_equal(at(json_array_get(lines, json_array_size(lines) - 1), "grown_bytes"), parts[i].least);
        json_decref(root);
    }
    for (size_t i = 0; i < VBT_COUNT(views); i++) {
        assert_int_equal(run_command(views[i], path, "--grown", "--from=1s", NULL), 0);
        has(output_text(), "Growth of live bytes: -44 B");
    }
    assert_int_equal(run_command("lines", path, "--grown", "--from=1s", NULL), 0);
    has(output_text(), "Grown");
    has(output_text(), "-144 B");
    assert_int_equal(run_command("functions", path, "--grown", NULL), 0);
    has(output_text(), "Ordered by: grown");
    assert_int_equal(run_command("lines", path, "--grown", "--sort=net", NULL), 2);
    has(message, "--grown has no effect with --sort");
    assert_int_equal(run_command("tree", path, "--grown", "--measure=peak", NULL), 2);
    has(message, "--grown has no effect with --measure");
    tb_free(&b);
}

static void parts_of_several_traces_are_added_up(void **state) {
    (void)state;
    static const char copy[] = "/tmp/vbtrace-test-part.vbt";
    struct trace_builder b;
    begin_history(&b);
    assert_int_equal(rename(tb_save(&b), copy), 0);
    tb_free(&b);
    begin_history_of(&b, "2");
    const char *path = tb_save(&b);
    assert_int_equal(run_command("lines", copy, path, "--format=json", "--by=leaf", "--from=2s", "--to=3s", NULL), 0);
    json_t *root = json_loads(output_text(), 0, NULL);
    json_int_t allocs = 0, freed = 0, live = 0, grown = 0;
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(root, "lines"), i, row) {
        allocs += at(row, "allocs");
        freed += at(row, "freed_bytes");
        live += at(row, "live_bytes");
        grown += at(row, "grown_bytes");
    }
    assert_int_equal(allocs, 8);
    assert_int_equal(freed, 416);
    assert_int_equal(live, 832);
    assert_int_equal(grown, -288);
    json_decref(root);
    unlink(copy);
    tb_free(&b);
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_what_happened_between_its_states),
        cmocka_unit_test(until_a_moment_all_is_as_it_was_then),
        cmocka_unit_test(what_was_inherited_is_live_at_the_start),
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(moments_are_times_shares_and_times_of_day),
        cmocka_unit_test(what_cannot_be_had_is_said_in_a_line),
        cmocka_unit_test(views_say_which_ticks_they_took),
        cmocka_unit_test(growth_is_what_is_live_less_what_was),
        cmocka_unit_test(parts_of_several_traces_are_added_up),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
