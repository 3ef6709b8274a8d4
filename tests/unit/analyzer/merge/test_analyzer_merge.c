/* Several traces as one: known sums of traces whose ids differ, in any order, with what a fork
 * inherits, and the moment when all had most. */
#include "analyzer/merge/merge.h"

#include "analyzer/merge/inputs.h"
#include "analyzer/merge/timelines.h"
#include "analyzer/trace/counters.h"
#include "analyzer/trace/load.h"
#include "analyzer/trace/process_shares.h"
#include "format/count.h"
#include "tests/unit/support/trace_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

/* A process: when it began, s; what it counts at work() and at rest() below it; its course. */
struct sample_process {
    const char *pid;
    int64_t began;
    bool rest_first; /* its ids are in another order */
    struct {
        uint64_t allocs, bytes, inherited;
        int64_t live, peak; /* bytes; a block has 10 */
    } work, rest;
    int64_t live[3]; /* of the heap at 1, 2 and 3 s */
};

static uint32_t site_of(struct trace_builder *b, const char *function, unsigned line) {
    return tb_site(b, VBT_SITE_PYTHON, tb_code(b, "/app/a.py", function, 1, VBT_CODE_USER), line);
}

static void count(struct trace_builder *b, uint32_t node, uint64_t allocs, uint64_t bytes, uint64_t inherited, int64_t live,
                  int64_t peak) {
    tb_counters(b,
                &(struct tb_counters){.node = node,
                                      .allocs = allocs,
                                      .allocated = bytes,
                                      .live_blocks = live / 10,
                                      .live_bytes = live,
                                      .at_peak_bytes = peak,
                                      .smallest = 10,
                                      .largest = 10,
                                      .inherited_blocks = inherited / 10,
                                      .inherited_bytes = inherited},
                1);
}

static void begin_trace(struct trace_builder *b, const struct sample_process *p) {
    char started[32];
    snprintf(started, sizeof started, "%lld", (1700000000 + (long long)p->began) * SECOND);
    tb_begin(b);
    tb_process(b, (const char *const[]){"started", started, "pid", p->pid, "host", "h", "exe", "/bin/x", "python", "3.11.2", NULL});
    uint32_t rest = p->rest_first ? site_of(b, "rest", 9) : 0, work = site_of(b, "work", 5);
    rest = rest != 0 ? rest : site_of(b, "rest", 9);
    uint32_t other = p->rest_first ? tb_node(b, 0, rest, VBT_DOMAIN_PYTHON) : 0; /* nothing is counted there */
    uint32_t at_work = tb_node(b, 0, work, VBT_DOMAIN_PYTHON), at_rest = tb_node(b, at_work, rest, VBT_DOMAIN_PYTHON);
    (void)other;
    count(b, at_work, p->work.allocs, p->work.bytes, p->work.inherited, p->work.live, p->work.peak);
    count(b, at_rest, p->rest.allocs, p->rest.bytes, p->rest.inherited, p->rest.live, p->rest.peak);
    uint64_t inherited = p->work.inherited + p->rest.inherited, bytes = p->work.bytes + p->rest.bytes;
    int64_t highest = 0, at = 0;
    for (int i = 0; i < 3; i++) {
        at = p->live[i] > highest ? i + 1 : at;
        highest = p->live[i] > highest ? p->live[i] : highest;
    }
    for (int64_t i = 0; i < 3; i++)
        tb_state(b, (const int64_t[][2]){{VBT_STATE_TIME, (i + 1) * SECOND},
                                         {VBT_STATE_PEAK, p->work.peak + p->rest.peak},
                                         {VBT_STATE_PEAK_TIME, at * SECOND},
                                         {VBT_STATE_DOMAIN + 16, (int64_t)(p->work.allocs + p->rest.allocs)},
                                         {VBT_STATE_DOMAIN + 16 + VBT_FIELD_ALLOCATED, (int64_t)bytes},
                                         {VBT_STATE_DOMAIN + 16 + VBT_FIELD_FREED, (int64_t)(bytes + inherited) - p->live[i]},
                                         {VBT_STATE_DOMAIN + 16 + VBT_FIELD_INHERITED_BYTES, (int64_t)inherited},
                                         {0, 0}});
    tb_end(b, 3 * SECOND, "exit");
}

static const struct sample_process first = {"1", 0, false, {5, 50, 0, 20, 30}, {7, 70, 0, 10, 10}, {40, 10, 30}};
static const struct sample_process second = {"2", 1, true, {3, 30, 0, 10, 20}, {0, 0, 0, 0, 0}, {20, 15, 10}};
/* A child: of what it inherited at work(), 40 bytes, it has 30 left and may have freed its own. */
static const struct sample_process child = {"3", 2, false, {2, 20, 40, 30, 50}, {1, 10, 0, 10, 10}, {60, 60, 40}};

static void add(struct vbt_merging *merging, const struct sample_process *p) {
    struct trace_builder b;
    struct vbt_model m;
    begin_trace(&b, p);
    char path[64];
    snprintf(path, sizeof path, "/tmp/vbtrace-test-merge-%s.vbt", p->pid);
    assert_int_equal(rename(tb_save(&b), path), 0);
    assert_null(vbt_model_load(&m, path, true));
    assert_null(m.damage);
    m.path = p->pid;
    vbt_merge_add(merging, &m, NULL);
    vbt_model_free(&m);
    unlink(path);
    tb_free(&b);
}

static char *merge(struct vbt_model *sum, const struct sample_process *const *processes, size_t count_of, bool by_process) {
    struct vbt_merging *merging = vbt_merge_begin(true, by_process);
    for (size_t i = 0; i < count_of; i++)
        add(merging, processes[i]);
    return vbt_merge_end(merging, sum);
}

/* The node of a function, whose path is work() or work() → rest(). */
static uint32_t node_of(const struct vbt_model *m, const char *function) {
    uint32_t found = 0;
    for (uint32_t i = 1; i <= m->node_count; i++) {
        const struct vbt_model_site *site = &m->sites[m->nodes[i].site];
        bool below = m->nodes[i].parent != 0;
        if (strcmp(vbt_model_string(m, m->codes[site->a].name), function) != 0 || below != (strcmp(function, "rest") == 0))
            continue;
        assert_int_equal(found, 0);
        found = i;
    }
    assert_true(found != 0);
    return found;
}

static void what_has_the_same_content_is_one(void **state) {
    (void)state;
    const struct sample_process *orders[][2] = {{&first, &second}, {&second, &first}};
    for (size_t i = 0; i < VBT_COUNT(orders); i++) {
        struct vbt_model sum;
        assert_null(merge(&sum, orders[i], 2, true));
        assert_int_equal(sum.node_count, 3); /* and rest() that nobody called */
        assert_int_equal(sum.string_count, 3);
        assert_int_equal(sum.process_rows, 2);
        uint32_t work = node_of(&sum, "work"), rest = node_of(&sum, "rest");
        struct vbt_model_counters c = vbt_counters_of(&sum, work);
        assert_int_equal(c.allocs, 8);
        assert_int_equal(c.allocated, 80);
        assert_int_equal(c.live_bytes, 30);
        assert_int_equal(c.at_peak_bytes, 50);
        assert_int_equal(vbt_counters_of(&sum, rest).allocs, 7);
        assert_int_equal(vbt_model_domain(&sum, VBT_DOMAIN_PYTHON, VBT_FIELD_ALLOCS), 15);
        assert_int_equal(vbt_model_process_number(&sum, "started"), 1700000000 * SECOND);
        assert_null(vbt_model_process(&sum, "pid")); /* they differ */
        assert_string_equal(vbt_model_process(&sum, "exe"), "/bin/x");
        struct vbt_process_share shares[2];
        assert_int_equal(vbt_process_shares(&sum, work, shares), 2);
        assert_int_equal(shares[0].process, 0);
        assert_int_equal(shares[0].counts.allocs, 5);
        assert_int_equal(shares[1].counts.allocs, 3);
        assert_int_equal(vbt_process_shares(&sum, rest, shares), 2); /* one of nothing */
        assert_true(sum.ended);
        assert_string_equal(sum.end_reason, "exit");
        vbt_model_free(&sum);
    }
}

static void what_was_inherited_is_taken_off(void **state) {
    (void)state;
    struct vbt_model sum;
    assert_null(merge(&sum, (const struct sample_process *const[]){&first, &child}, 2, true));
    struct vbt_model_counters c = vbt_counters_of(&sum, node_of(&sum, "work"));
    assert_int_equal(c.live_bytes, 20); /* of the child's 30, all may be the parent's */
    assert_int_equal(c.live_blocks, 2);
    assert_int_equal(c.at_peak_bytes, 30 + 10); /* 40 of 50 are the parent's */
    assert_int_equal(c.inherited_bytes, 10);    /* freed since */
    assert_int_equal(vbt_model_freed(&c), 50 + 20 + 10 - 20);
    assert_int_equal(sum.processes[1].taken.bytes[VBT_DOMAIN_PYTHON], 30);
    assert_int_equal(sum.processes[1].taken.peak, 40);
    assert_int_equal(sum.processes[1].taken.undecided_bytes, 20); /* it requested no more */
    assert_int_equal(sum.processes[1].taken.undecided_blocks, 2);
    assert_int_equal(vbt_process_peak(&sum.processes[1]), 20);
    assert_int_equal(sum.state[VBT_STATE_PEAK], 40 + 20);
    vbt_model_free(&sum);
}

/* first: 40 until 1 s, 10 until 2 s, 30 until 3 s; second, a second later: 20, 15, 10. */
static void together_is_by_the_clock_on_the_wall(void **state) {
    (void)state;
    struct vbt_model sum;
    assert_null(merge(&sum, (const struct sample_process *const[]){&second, &first}, 2, false));
    assert_int_equal(sum.together.bytes, 30 + 15); /* in the third second */
    assert_int_equal(sum.together.time, 3 * SECOND);
    assert_int_equal(sum.together.processes, 2);
    assert_int_equal(sum.state[VBT_STATE_TIME], 4 * SECOND);
    vbt_model_free(&sum);
}

static void a_process_twice_is_refused(void **state) {
    (void)state;
    struct vbt_model sum;
    char *problem = merge(&sum, (const struct sample_process *const[]){&first, &second, &first}, 3, false);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "both hold the process"));
    free(problem);
    vbt_model_free(&sum);
}

static void a_sum_of_sums_is_that_of_the_parts(void **state) {
    (void)state;
    struct vbt_model some, sum, all;
    assert_null(merge(&some, (const struct sample_process *const[]){&child, &first}, 2, true));
    struct vbt_merging *merging = vbt_merge_begin(true, true);
    vbt_merge_add(merging, &some, NULL);
    add(merging, &second);
    assert_null(vbt_merge_end(merging, &sum));
    assert_null(merge(&all, (const struct sample_process *const[]){&first, &second, &child}, 3, true));
    assert_int_equal(sum.node_count, all.node_count);
    for (uint32_t i = 1; i <= all.node_count; i++) {
        assert_int_equal(sum.nodes[i].site, all.nodes[i].site);
        assert_int_equal(sum.nodes[i].counters == 0, all.nodes[i].counters == 0);
        if (all.nodes[i].counters == 0)
            continue;
        struct vbt_model_counters a = vbt_counters_of(&sum, i), b = vbt_counters_of(&all, i);
        assert_int_equal(a.allocs, b.allocs);
        assert_int_equal(a.live_bytes, b.live_bytes);
        assert_int_equal(a.at_peak_bytes, b.at_peak_bytes);
        assert_int_equal(a.inherited_bytes, b.inherited_bytes);
    }
    assert_memory_equal(sum.state, all.state, sizeof all.state);
    assert_memory_equal(&sum.together, &all.together, sizeof all.together);
    vbt_model_free(&some);
    vbt_model_free(&sum);
    vbt_model_free(&all);
}

static void some_processes_of_a_sum(void **state) {
    (void)state;
    struct vbt_model some, sum;
    assert_null(merge(&some, (const struct sample_process *const[]){&child, &first, &second}, 3, true));
    struct vbt_merging *merging = vbt_merge_begin(true, true);
    vbt_merge_add(merging, &some, (const bool[]){true, false, true}); /* in order of their beginning */
    assert_null(vbt_merge_end(merging, &sum));
    assert_int_equal(sum.process_rows, 2);
    assert_int_equal(vbt_counters_of(&sum, node_of(&sum, "work")).allocs, 5 + 2);
    assert_int_equal(vbt_model_domain(&sum, VBT_DOMAIN_PYTHON, VBT_FIELD_ALLOCATED), 120 + 30);
    vbt_model_free(&some);
    vbt_model_free(&sum);
}

static void ticks_are_thinned_to_their_largest(void **state) {
    (void)state;
    struct vbt_model_ticks ticks = {.rows = calloc(1000, sizeof *ticks.rows), .count = 1000};
    for (size_t i = 0; i < 1000; i++)
        ticks.rows[i] = (struct vbt_model_tick){.time = i + 1, .rss = (int64_t)(i % 7), .heap = i == 333 ? 99 : 1};
    vbt_timeline_thin(&ticks, 100);
    assert_int_equal(ticks.count, 63);
    assert_int_equal(ticks.rows[62].time, 1000);
    int64_t highest = 0;
    for (size_t i = 0; i < ticks.count; i++) {
        highest = ticks.rows[i].heap > highest ? ticks.rows[i].heap : highest;
        assert_true(i == 0 || ticks.rows[i].time > ticks.rows[i - 1].time);
    }
    assert_int_equal(highest, 99);
    free(ticks.rows);
}

static void make(const char *folder, const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static void inputs_are_files_each_once(void **state) {
    (void)state;
    static const char *const names[] = {"b.vbt", "a.vbt", "notes.txt", "c.vbt"};
    char folder[] = "/tmp/vbtrace-inputs-XXXXXX", one[64], none[64];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < VBT_COUNT(names); i++)
        make(folder, names[i]);
    snprintf(one, sizeof one, "%s/./b.vbt", folder);
    snprintf(none, sizeof none, "%s/none", folder);
    struct vbt_inputs inputs;
    assert_null(vbt_inputs_find(&inputs, (const char *const[]){folder, one}, 2));
    assert_int_equal(inputs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(inputs.files[i].in_folder);
        assert_string_equal(strrchr(inputs.files[i].path, '/') + 1, names[i == 0 ? 1 : i == 1 ? 0 : 3]);
    }
    vbt_inputs_free(&inputs);
    assert_int_equal(mkdir(none, 0700), 0);
    char *problem = vbt_inputs_find(&inputs, (const char *const[]){none}, 1);
    assert_non_null(problem);
    free(problem);
    vbt_inputs_free(&inputs);
    assert_int_equal(rmdir(none), 0);
    for (size_t i = 0; i < VBT_COUNT(names); i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_the_same_content_is_one),     cmocka_unit_test(what_was_inherited_is_taken_off),
        cmocka_unit_test(together_is_by_the_clock_on_the_wall), cmocka_unit_test(a_process_twice_is_refused),
        cmocka_unit_test(a_sum_of_sums_is_that_of_the_parts),   cmocka_unit_test(some_processes_of_a_sum),
        cmocka_unit_test(ticks_are_thinned_to_their_largest),   cmocka_unit_test(inputs_are_files_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
