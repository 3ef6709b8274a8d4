/* Counters, intervals and state as written into a trace: read back by the tests' own decoder, and
 * compared with the events. */
#include "preload/stream/snapshot.h"

#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/snapshot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void assert_counters(const struct trace *trace, uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum;
    vbt_books_read(&books);
    bool any = vbt_books_node(&books, node, &sum);
    const struct trace_counters *row = &trace->counters[node];
    if (!any) {
        assert_int_equal(row->allocs, 0);
        return;
    }
    assert_int_equal(row->node, node);
    assert_int_equal(row->allocs, sum.totals.allocs);
    assert_int_equal(row->live_blocks, sum.totals.inherited_blocks + sum.totals.allocs - sum.totals.frees);
    assert_int_equal(row->allocated, sum.totals.allocated);
    assert_int_equal(row->live_bytes, sum.totals.inherited_bytes + sum.totals.allocated - sum.totals.freed);
    assert_int_equal(row->at_peak, sum.totals.at_peak);
    assert_int_equal(row->temporary, sum.totals.temporary);
    assert_int_equal(row->smallest, sum.totals.min_size);
    assert_int_equal(row->largest, sum.totals.max_size);
    assert_int_equal(row->inherited_blocks, sum.totals.inherited_blocks);
    assert_int_equal(row->inherited_bytes, sum.totals.inherited_bytes);
    if (sum.totals.buckets > 1)
        assert_memory_equal(row->buckets, sum.sizes, sizeof sum.sizes);
}

static void counters_come_back_as_they_were(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 24, 24, 5000, (size_t)70 << 30};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        alloc(nodes[0], 24); /* one size */
        uintptr_t block = alloc(nodes[1], sizes[i]);
        if (i % 2 == 0)
            world_free(thread, block);
    }
    world_free(thread, alloc(nodes[2], 0));
    tick = (struct vbt_tick){.time = 5, .rss = 12345 * 1024, .max_rss = 99 << 20, .peak_time = 4};
    write_tick(0);
    const struct trace *trace = read_trace();
    for (uint32_t node = 1; node <= trace->nodes; node++)
        assert_counters(trace, node);
    assert_int_equal(trace->counters[nodes[0]].time, 5);
    assert_int_equal(trace->counters[nodes[0]].rss_kib, 12345);
    assert_int_equal(trace->counters[nodes[1]].live_bytes, 1 + 24 + ((int64_t)70 << 30));
    assert_int_equal(trace->counters[nodes[2]].temporary, 1);
}

static void a_tick_writes_what_changed_since_the_one_before(void **state) {
    (void)state;
    alloc(nodes[0], 1);
    alloc(nodes[1], 1);
    tick = (struct vbt_tick){.time = 1, .rss = 20 << 20};
    uint64_t first = write_tick(0);
    alloc(nodes[1], 2);
    tick = (struct vbt_tick){.time = 2, .rss = 10 << 20};
    uint64_t second = write_tick(first);
    const struct trace *trace = read_trace();
    assert_int_equal(trace->counters[nodes[0]].time, 1);
    assert_int_equal(trace->counters[nodes[1]].time, 2);
    assert_int_equal(trace->counters[nodes[1]].rss_kib, 20 << 10); /* the largest */
    assert_int_equal(trace->state[VBT_STATE_TIME], 2);
    for (int i = 0; i < 3; i++)
        assert_counters(trace, nodes[i]);
    uint32_t before = trace->chunks_of[VBT_CHUNK_COUNTERS];
    write_tick(second);
    assert_int_equal(read_trace()->chunks_of[VBT_CHUNK_COUNTERS], before);
}

/* Random events with occasional ticks; in the end everything in the file is right, though most was
 * written long before. */
static void ticks_add_up_to_the_whole(void **state) {
    (void)state;
    enum { NODES = 300, BLOCKS = 400 };
    uint32_t many[NODES];
    uintptr_t blocks[BLOCKS] = {0};
    uint64_t seed = 41, since = 0;
    for (uint32_t i = 0; i < NODES; i++)
        many[i] = world_node(i < 2 ? 0 : many[i / 2], i % 2 ? "right" : "left", i % 5 ? VBT_DOMAIN_PYTHON : VBT_DOMAIN_HEAP);
    for (int step = 0; step < 5000; step++) {
        uint32_t i = (uint32_t)(world_random(&seed) % BLOCKS);
        if (blocks[i] != 0)
            world_free(thread, blocks[i]);
        blocks[i] = blocks[i] != 0 ? 0 : alloc(many[world_random(&seed) % NODES], world_random(&seed) % 3000);
        if (step % 500 == 499)
            since = write_tick(since);
    }
    const struct trace *trace = read_trace();
    struct vbt_books books;
    vbt_books_read(&books);
    uint64_t allocs[VBT_DOMAINS] = {0}, allocated[VBT_DOMAINS] = {0};
    for (uint32_t node = 1; node <= trace->nodes; node++) {
        assert_int_equal(trace->counters[node].allocs != 0, vbt_books_node(&books, node, &(struct vbt_node_sum){0}));
        allocs[trace->node[node].domain] += trace->counters[node].allocs;
        allocated[trace->node[node].domain] += trace->counters[node].allocated;
    }
    for (int domain = 0; domain < 2; domain++) {
        assert_int_equal(allocs[domain], trace->state[VBT_STATE_DOMAIN + 16 * domain + VBT_FIELD_ALLOCS]);
        assert_int_equal(allocated[domain], trace->state[VBT_STATE_DOMAIN + 16 * domain + VBT_FIELD_ALLOCATED]);
        assert_int_equal(allocs[domain], books.totals[domain].allocs);
    }
    assert_int_equal(trace->state[VBT_STATE_PEAK], books.peak);
}

/* A trace truncated after any tick: the nodes' bytes at the peak add up to it, including nodes that
 * did not change since. */
static void at_every_tick_the_nodes_add_up_to_the_peak(void **state) {
    (void)state;
    uint64_t since = 0;
    for (int step = 0; step < 4; step++) {
        tick = (struct vbt_tick){.time = 10 + step, .peak_time = 10 + step}; /* each step has a new peak */
        uintptr_t block = alloc(nodes[step % 3], (size_t)1000 << step);
        if (step != 1)
            world_free(thread, block);
        since = write_tick(since);
        const struct trace *trace = read_trace();
        int64_t sum = 0;
        for (uint32_t node = 1; node <= trace->nodes; node++)
            sum += trace->counters[node].time < (uint64_t)tick.peak_time ? trace->counters[node].live_bytes
                                                                         : trace->counters[node].at_peak;
        assert_int_equal(sum, trace->state[VBT_STATE_PEAK]);
    }
}

static void more_nodes_than_a_chunk_takes(void **state) {
    (void)state;
    enum { NODES = 10000 };
    uint32_t node = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        node = vbt_node_of(i % 20 == 0 ? 0 : node, vbt_native_site(0x600000 + i), VBT_DOMAIN_HEAP);
        for (uint32_t n = 0; n <= i % 4; n++)
            alloc(node, (size_t)1 << (4 * n));
    }
    write_tick(0);
    const struct trace *trace = read_trace();
    assert_true(trace->chunks_of[VBT_CHUNK_COUNTERS] >= 3);
    for (uint32_t id = 1; id <= trace->nodes; id += 3)
        assert_counters(trace, id);
}

static void the_state_says_what_the_books_say(void **state) {
    (void)state;
    static struct vbt_books books;
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        uint64_t base = 100 * (uint64_t)domain;
        books.totals[domain] = (struct vbt_totals){base + 1, base + 2, base + 3, base + 4, base + 5};
        books.inherited_blocks[domain] = base + 6;
        books.inherited_bytes[domain] = base + 7;
        books.unknown_frees[domain] = base + 8;
    }
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        books.lost[reason] = 1000 + (uint64_t)reason;
    books.truncated = 9;
    books.threads = 10;
    books.peak = INT64_C(1) << 45;
    books.peak_error = 40960;
    tick = (struct vbt_tick){.time = 11, .rss = 12, .max_rss = 13, .peak_time = 14};
    vbt_snapshot_state(&writer, &books, &tick);
    const int64_t *values = read_trace()->state;
    assert_int_equal(values[VBT_STATE_TIME], 11);
    assert_int_equal(values[VBT_STATE_RSS], 12);
    assert_int_equal(values[VBT_STATE_MAX_RSS], 13);
    assert_int_equal(values[VBT_STATE_PEAK_TIME], 14);
    assert_int_equal(values[VBT_STATE_THREADS], 10);
    assert_int_equal(values[VBT_STATE_PEAK], INT64_C(1) << 45);
    assert_int_equal(values[VBT_STATE_PEAK_ERROR], 40960);
    assert_int_equal(values[VBT_STATE_STACKS_TRUNCATED], 9);
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        for (int field = 0; field < VBT_FIELDS; field++)
            assert_int_equal(values[VBT_STATE_DOMAIN + 16 * domain + field], 100 * domain + field + 1);
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        assert_int_equal(values[VBT_STATE_UNKNOWN_FREES + domain], 100 * domain + 8);
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        assert_int_equal(values[VBT_STATE_LOST + reason], 1000 + reason);
}

static void intervals_and_their_call_sites_come_back(void **state) {
    (void)state;
    uint32_t from = vbt_node_at(nodes[0])->site, to = vbt_node_at(nodes[1])->site;
    uint32_t label = (uint32_t)vbt_site_at(to)->a;
    for (int64_t i = 0; i < 3; i++) {
        world_reading(&thread->ledger, from, 100 * i);
        vbt_intervals_section_begin(&thread->ledger, from, label, 5, 100 * i);
        uintptr_t block = alloc(nodes[2], 10);
        alloc(nodes[0], 7);
        world_free(thread, block);
        vbt_intervals_section_end(&thread->ledger, to, label, 100 * i + 10 * i);
        world_reading(&thread->ledger, to, 100 * i + 50);
    }
    write_tick(0);
    const struct trace *trace = read_trace();
    uint32_t found = 0;
    for (uint32_t i = 0; i < trace->intervals; i++) {
        const struct trace_interval *row = &trace->interval[i];
        if (row->from != from || row->to != to)
            continue;
        bool section = row->kind == VBT_INTERVAL_SECTION;
        found += section ? 1 : 2;
        assert_int_equal(row->count, 3);
        assert_int_equal(row->iterations, section ? 15 : 0);
        assert_int_equal(row->label, section ? label : 0);
        assert_int_equal(row->stats[VBT_Q_TIME][0], section ? 0 : 50);
        assert_int_equal(row->stats[VBT_Q_TIME][1], section ? 20 : 50);
        assert_int_equal(row->stats[VBT_Q_TIME][2], section ? 30 : 150);
        assert_true(row->m2 > (section ? 199.9 : -0.1) && row->m2 < (section ? 200.1 : 0.1));
        assert_int_equal(row->stats[VBT_Q_ALLOCS][2], 6);
        assert_int_equal(row->stats[VBT_Q_FREES][2], 3);
        assert_int_equal(row->stats[VBT_Q_ALLOCATED][2], 51);
        assert_int_equal(row->stats[VBT_Q_FREED][2], 30);
        assert_int_equal(row->stats[VBT_Q_NET][1], 7);
        assert_int_equal(row->stats[VBT_Q_HIGH][1], 17);
        uint32_t sites = 0;
        for (uint32_t n = 0; n < trace->interval_sites; n++) {
            const struct trace_interval_site *site = &trace->interval_site[n];
            if (site->interval != row->id)
                continue;
            sites++;
            assert_true(site->node == nodes[0] || site->node == nodes[2]);
            assert_int_equal(site->allocs, 3);
            assert_int_equal(site->frees, site->node == nodes[2] ? 3 : 0);
            assert_int_equal(site->allocated, site->node == nodes[2] ? 30 : 21);
            assert_int_equal(site->freed, site->node == nodes[2] ? 30 : 0);
        }
        assert_int_equal(sites, 2);
    }
    assert_int_equal(found, 3); /* one of each kind */
}

/* Each of two sections began three times: one ended twice, the other not at all. */
static void sections_that_did_not_end_are_counted(void **state) {
    (void)state;
    uint32_t site = vbt_node_at(nodes[0])->site, ended = (uint32_t)vbt_site_at(site)->a;
    uint32_t never = (uint32_t)vbt_site_at(vbt_node_at(nodes[2])->site)->a;
    for (int64_t i = 0; i < 3; i++) {
        vbt_intervals_section_begin(&thread->ledger, site, ended, 0, i);
        if (i < 2)
            vbt_intervals_section_end(&thread->ledger, site, ended, i);
    }
    for (int64_t i = 0; i < 3; i++)
        vbt_intervals_section_begin(&thread->ledger, site, never, 0, i);
    vbt_intervals_reset(&thread->ledger);
    write_tick(0);
    const struct trace *trace = read_trace();
    uint64_t found = 0;
    for (uint32_t i = 0; i < trace->intervals; i++) {
        const struct trace_interval *row = &trace->interval[i];
        if (row->kind != VBT_INTERVAL_SECTION || row->from != site || row->unended == 0)
            continue;
        assert_true(row->label == ended || row->label == never);
        assert_int_equal(row->count, row->label == ended ? 2 : 0);
        assert_int_equal(row->to, row->label == ended ? site : 0);
        assert_int_equal(row->unended, row->label == ended ? 1 : 3);
        found++;
    }
    assert_int_equal(found, 2);
}

static void intervals_whose_sites_are_not_defined_yet_wait(void **state) {
    (void)state;
    uint32_t from = vbt_node_at(nodes[0])->site;
    struct vbt_dictionary before = vbt_dictionary_now();
    uint32_t to = vbt_native_site(0x123450 + next_block);
    world_reading(&thread->ledger, from, 0);
    world_reading(&thread->ledger, to, 1);
    vbt_dictionary_write(&writer, &written, before);
    vbt_snapshot_intervals(&writer, &before, 0);
    assert_int_equal(read_trace()->intervals, 0);
    write_tick(0);
    assert_int_equal(read_trace()->intervals, 1);
}

static void the_timeline_comes_back_as_it_was(void **state) {
    (void)state;
    static struct vbt_timeline timeline;
    vbt_snapshot_timeline(&writer, &timeline); /* none yet: nothing */
    assert_int_equal(writer.sequence, 0);
    uint64_t seed = 51;
    for (int64_t i = 0; i < 5000; i++)
        vbt_timeline_add(&timeline,
                         (struct vbt_timeline_point){10 * i, (int64_t)(world_random(&seed) >> 20), (int64_t)i - 2500, -i});
    vbt_snapshot_timeline(&writer, &timeline);
    const struct trace *trace = read_trace();
    assert_int_equal(trace->points, timeline.count);
    for (uint32_t i = 0; i < timeline.count; i++) {
        assert_int_equal(trace->point[i].time, timeline.points[i].time);
        assert_int_equal(trace->point[i].rss, timeline.points[i].rss);
        assert_int_equal(trace->point[i].heap, timeline.points[i].heap);
        assert_int_equal(trace->point[i].python, timeline.points[i].python);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_begin, snapshot_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(counters_come_back_as_they_were),
        TEST(a_tick_writes_what_changed_since_the_one_before),
        TEST(ticks_add_up_to_the_whole),
        TEST(at_every_tick_the_nodes_add_up_to_the_peak),
        TEST(more_nodes_than_a_chunk_takes),
        TEST(the_state_says_what_the_books_say),
        TEST(intervals_and_their_call_sites_come_back),
        TEST(sections_that_did_not_end_are_counted),
        TEST(intervals_whose_sites_are_not_defined_yet_wait),
        TEST(the_timeline_comes_back_as_it_was),
    };
    snapshot_world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
