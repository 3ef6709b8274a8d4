/* Sections: nesting against a plain model, call sites, ends that are missing or out of order,
 * without vbtrace's own events. */
#include "preload/ledger/interval.h"

#include "preload/ledger/ledger.h"
#include "tests/unit/support/interval_world.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void sections_sum_their_iterations(void **state) {
    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        open_section(fresh, fresh + 50, 10 * i, 0);
        for (uint64_t n = 0; n < i; n++)
            world_alloc(thread, nodes[2], 0x4000 + 64 * i + 16 * n, 8);
        close_section(fresh + 1, fresh + 50, (int64_t)i);
    }
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 50);
    assert_int_equal(group->count, 3);
    assert_int_equal(group->iterations, 60);
    assert_stats(group, VBT_Q_ALLOCS, 1, 3, 6);
    assert_stats(group, VBT_Q_TIME, 1, 3, 6);
    assert_flow(group, nodes[2], 6, 0, 48, 0);
}

static void nested_sections_each_count_what_is_in_them(void **state) {
    (void)state;
    uint32_t outer = fresh + 51, inner = fresh + 52;
    open_section(fresh, outer, 0, 0);
    world_alloc(thread, nodes[0], 0x5000, 1);
    open_section(fresh + 1, inner, 0, 10);
    world_alloc(thread, nodes[0], 0x5010, 2);
    world_alloc(thread, nodes[1], 0x5020, 4);
    close_section(fresh + 2, inner, 20);
    world_alloc(thread, nodes[1], 0x5030, 8);
    close_section(fresh + 3, outer, 30);
    const struct vbt_interval_group *in = group_of(VBT_INTERVAL_SECTION, fresh + 1, fresh + 2, inner);
    const struct vbt_interval_group *out = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 3, outer);
    assert_stats(in, VBT_Q_ALLOCATED, 6, 6, 6);
    assert_stats(out, VBT_Q_ALLOCATED, 15, 15, 15);
    assert_flow(in, nodes[0], 1, 0, 2, 0);
    assert_flow(in, nodes[1], 1, 0, 4, 0);
    assert_flow(out, nodes[0], 2, 0, 3, 0);
    assert_flow(out, nodes[1], 2, 0, 12, 0);
}

/* The counts of a run are those that its group has, without vbtrace's own. */
static void the_end_of_a_section_says_what_it_took(void **state) {
    (void)state;
    uint32_t outer = fresh + 51, inner = fresh + 52;
    struct vbt_section_counts counts = {{0, 0, 0, 0}, 0}, before = counts;
    assert_false(vbt_intervals_section_end_counted(&thread->ledger, fresh, outer, 0, &counts));
    open_section(fresh, outer, 0, 0);
    world_alloc(thread, nodes[0], 0x5000, 100);
    open_section(fresh + 1, inner, 0, 10);
    assert_false(vbt_intervals_section_end_counted(&thread->ledger, fresh, fresh + 53, 0, &counts));
    assert_memory_equal(&counts, &before, sizeof counts);
    world_alloc(thread, nodes[0], 0x5010, 30);
    world_alloc(thread, own, 0x5030, 1000);
    world_alloc(thread, nodes[1], 0x5020, 20);
    world_free(thread, 0x5000);
    world_free(thread, 0x5010);
    assert_true(vbt_intervals_section_end_counted(&thread->ledger, fresh + 2, inner, 20, &counts));
    struct vbt_flow wanted = {2, 2, 50, 130};
    assert_memory_equal(&counts.flow, &wanted, sizeof wanted);
    assert_int_equal(counts.high, 50);
    assert_true(vbt_intervals_section_end_counted(&thread->ledger, fresh + 2, outer, 30, &counts));
    wanted = (struct vbt_flow){3, 2, 150, 130};
    assert_memory_equal(&counts.flow, &wanted, sizeof wanted);
    assert_int_equal(counts.high, 150);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 2, outer);
    assert_stats(group, VBT_Q_ALLOCS, 3, 3, 3);
    assert_stats(group, VBT_Q_HIGH, 150, 150, 150);
    world_free(thread, 0x5020);
    world_free(thread, 0x5030);
}

/* A section still open when an outer one ends (an exception) ends with it. */
static void the_end_of_an_outer_section_ends_the_inner_ones(void **state) {
    (void)state;
    open_section(fresh, fresh + 51, 0, 0);
    open_section(fresh + 1, fresh + 52, 0, 1);
    open_section(fresh + 2, fresh + 53, 0, 2);
    world_alloc(thread, nodes[0], 0x6000, 9);
    close_section(fresh + 3, fresh + 51, 10);
    assert_stats(group_of(VBT_INTERVAL_SECTION, fresh, fresh + 3, fresh + 51), VBT_Q_TIME, 10, 10, 10);
    assert_stats(group_of(VBT_INTERVAL_SECTION, fresh + 1, fresh + 3, fresh + 52), VBT_Q_TIME, 9, 9, 9);
    assert_stats(group_of(VBT_INTERVAL_SECTION, fresh + 2, fresh + 3, fresh + 53), VBT_Q_ALLOCATED, 9, 9, 9);
    assert_int_equal(thread->intervals.depth, 0);
}

static void an_end_without_a_beginning_does_nothing(void **state) {
    (void)state;
    uint32_t before = group_count();
    close_section(fresh, fresh + 51, 1);
    open_section(fresh, fresh + 52, 0, 2);
    close_section(fresh, fresh + 51, 3);
    assert_int_equal(thread->intervals.depth, 1);
    close_section(fresh + 1, fresh + 52, 4);
    assert_stats(group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 52), VBT_Q_TIME, 2, 2, 2);
    assert_int_equal(group_count(), before + (before == 0) + 1);
}

static void a_recursive_section_counts_every_level(void **state) {
    (void)state;
    uint32_t label = fresh + 51;
    for (int64_t level = 0; level < 3; level++) {
        open_section(fresh, label, 1, level);
        world_alloc(thread, nodes[0], 0x7000 + 16 * (uintptr_t)level, 10);
    }
    for (int64_t level = 2; level >= 0; level--)
        close_section(fresh + 1, label, 10 - level);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, label);
    assert_int_equal(group->count, 3);
    assert_stats(group, VBT_Q_ALLOCATED, 10, 30, 60);
    assert_stats(group, VBT_Q_TIME, 6, 10, 24);
}

static void sections_nested_too_deeply_are_lost_and_the_rest_hold(void **state) {
    (void)state;
    enum { DEPTH = VBT_SECTIONS + 3 };
    for (uint32_t i = 0; i < DEPTH; i++)
        open_section(fresh, fresh + 1 + i, 0, i);
    world_alloc(thread, nodes[0], 0x8000, 5);
    for (uint32_t i = DEPTH; i-- > 0;)
        close_section(fresh + 50, fresh + 1 + i, 100);
    assert_int_equal(thread->intervals.depth, 0);
    assert_int_equal(thread->ledger.lost[VBT_LOST_INTERVALS], 3);
    for (uint32_t i = 0; i < VBT_SECTIONS; i++)
        assert_stats(group_of(VBT_INTERVAL_SECTION, fresh, fresh + 50, fresh + 1 + i), VBT_Q_ALLOCATED, 5, 5, 5);
    assert_null(group_of(VBT_INTERVAL_SECTION, fresh, fresh + 50, fresh + 1 + VBT_SECTIONS));
}

/* Allocations of vbtrace's own module to mark a section are not the program's: neither flows nor
 * the highest point include them. */
static void own_events_are_left_out(void **state) {
    (void)state;
    world_alloc(thread, own, 0x9000, 10000);
    reading(fresh, 0);
    open_section(fresh, fresh + 51, 1, 0);
    world_alloc(thread, own, 0x9100, 500);
    world_alloc(thread, nodes[0], 0x9200, 10);
    world_alloc(thread, nodes[0], 0x9300, 20);
    world_alloc(thread, own, 0x9400, 700);
    world_free(thread, 0x9300);
    world_free(thread, 0x9100);
    world_free(thread, 0x9000);
    close_section(fresh + 1, fresh + 51, 5);
    world_alloc(thread, own, 0x9500, 900);
    reading(fresh + 2, 6);
    const struct vbt_interval_group *both[] = {group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 51),
                                               group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 2, 0)};
    for (int i = 0; i < 2; i++) {
        assert_stats(both[i], VBT_Q_ALLOCS, 2, 2, 2);
        assert_stats(both[i], VBT_Q_FREES, 1, 1, 1);
        assert_stats(both[i], VBT_Q_ALLOCATED, 30, 30, 30);
        assert_stats(both[i], VBT_Q_FREED, 20, 20, 20);
        assert_stats(both[i], VBT_Q_HIGH, 30, 30, 30);
        assert_flow(both[i], nodes[0], 2, 1, 30, 20);
        assert_flow(both[i], own, 0, 0, 0, 0);
    }
}

static void a_reset_drops_what_is_open(void **state) {
    (void)state;
    reading(fresh, 0);
    open_section(fresh, fresh + 51, 1, 0);
    world_alloc(thread, nodes[0], 0xb000, 1);
    vbt_intervals_reset(&thread->ledger);
    close_section(fresh + 1, fresh + 51, 1);
    reading(fresh + 2, 1);
    assert_null(group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 51));
    assert_null(group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 2, 0));
    world_alloc(thread, nodes[0], 0xb010, 4);
    reading(fresh + 3, 2);
    assert_flow(group_of(VBT_INTERVAL_CLOCK, fresh + 2, fresh + 3, 0), nodes[0], 1, 0, 4, 0);
}

/* A repetition that never ends is in no statistics; nor are its call sites, though boundaries
 * passed inside it. */
static void a_section_that_never_ends_adds_nothing_to_its_call_sites(void **state) {
    (void)state;
    open_section(fresh, fresh + 51, 1, 0);
    world_alloc(thread, nodes[0], 0xe000, 1);
    close_section(fresh + 1, fresh + 51, 1);
    open_section(fresh, fresh + 51, 1, 2);
    world_alloc(thread, nodes[0], 0xe010, 1);
    reading(fresh + 2, 3);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 51);
    assert_stats(group, VBT_Q_ALLOCS, 1, 1, 1);
    assert_flow(group, nodes[0], 1, 0, 1, 0);
    assert_int_equal(group->begun, 2);
    assert_int_equal(group->count, 1);
}

/* A long section around more clock readings than there is room for: its call sites are complete. */
static void a_section_with_many_boundaries_keeps_its_call_sites(void **state) {
    (void)state;
    enum { READINGS = VBT_NOTES + VBT_NOTES / 2 };
    open_section(fresh, fresh + 51, 1, 0);
    open_section(fresh, fresh + 52, 1, 0);
    for (int64_t i = 0; i < READINGS; i++) {
        world_alloc(thread, nodes[i % 2], 0xf000, 3);
        world_free(thread, 0xf000);
        reading(fresh + 2, i);
    }
    close_section(fresh + 1, fresh + 52, 1);
    close_section(fresh + 1, fresh + 51, 1);
    for (uint32_t label = fresh + 51; label <= fresh + 52; label++) {
        const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, label);
        assert_stats(group, VBT_Q_ALLOCS, READINGS, READINGS, READINGS);
        for (int i = 0; i < 2; i++)
            assert_flow(group, nodes[i], READINGS / 2, READINGS / 2, 3 * READINGS / 2, 3 * READINGS / 2);
    }
    const struct vbt_interval_group *clock = group_of(VBT_INTERVAL_CLOCK, fresh + 2, fresh + 2, 0);
    assert_int_equal(clock->count, READINGS - 1);
    assert_int_equal(flow_at(clock, nodes[0]).allocs + flow_at(clock, nodes[1]).allocs +
                         thread->ledger.lost[VBT_LOST_INTERVAL_SITES],
                     READINGS - 1);
}

/* The brute-force model: sections that nest at random around random events. */
static void random_nesting_agrees_with_a_plain_model(void **state) {
    (void)state;
    enum { DEPTH = 6, BLOCKS = 64, STEPS = 30000 };
    struct section_model {
        int64_t allocs, allocated, freed, live, high;
    } open[DEPTH];
    struct vbt_quantity_stats allocs[DEPTH] = {{0}}, net[DEPTH] = {{0}}, high[DEPTH] = {{0}};
    uint64_t counts[DEPTH] = {0}, seed = 4;
    int64_t sizes[BLOCKS] = {0}, live = 0;
    uint32_t depth = 0;
    for (int step = 0; step < STEPS || depth > 0; step++) {
        uint64_t dice = step < STEPS ? world_random(&seed) % 20 : 1; /* at the end, close all */
        if (dice == 0 && depth < DEPTH) {
            open_section(fresh, fresh + 10 + depth, 0, step);
            open[depth++] = (struct section_model){.live = live, .high = live};
        } else if (dice == 1 && depth > 0) {
            depth--;
            close_section(fresh + 1, fresh + 10 + depth, step);
            int64_t values[] = {open[depth].allocs, open[depth].allocated - open[depth].freed, open[depth].high - open[depth].live};
            struct vbt_quantity_stats *stats[] = {&allocs[depth], &net[depth], &high[depth]};
            for (int i = 0; i < 3; i++) {
                stats[i]->min = counts[depth] == 0 || values[i] < stats[i]->min ? values[i] : stats[i]->min;
                stats[i]->max = counts[depth] == 0 || values[i] > stats[i]->max ? values[i] : stats[i]->max;
                stats[i]->total += values[i];
            }
            counts[depth]++;
        } else {
            uint32_t block = (uint32_t)(world_random(&seed) % BLOCKS);
            uintptr_t address = 0xd000 + 1024 * block;
            int64_t size = sizes[block] != 0 ? -sizes[block] : (int64_t)(1 + world_random(&seed) % 1000);
            if (size > 0)
                world_alloc(thread, nodes[world_random(&seed) % 4], address, (size_t)size);
            else
                world_free(thread, address);
            sizes[block] += size;
            live += size;
            for (uint32_t i = 0; i < depth; i++) {
                open[i].allocs += size > 0;
                *(size > 0 ? &open[i].allocated : &open[i].freed) += size > 0 ? size : -size;
                open[i].high = live > open[i].high ? live : open[i].high;
            }
        }
    }
    for (uint32_t i = 0; i < DEPTH; i++) {
        const struct vbt_interval_group *group = group_of(VBT_INTERVAL_SECTION, fresh, fresh + 1, fresh + 10 + i);
        assert_int_equal(group->count, counts[i]);
        assert_stats(group, VBT_Q_ALLOCS, allocs[i].min, allocs[i].max, allocs[i].total);
        assert_stats(group, VBT_Q_NET, net[i].min, net[i].max, net[i].total);
        assert_stats(group, VBT_Q_HIGH, high[i].min, high[i].max, high[i].total);
        int64_t at_sites = 0;
        for (int n = 0; n < 4; n++)
            at_sites += (int64_t)flow_at(group, nodes[n]).allocs;
        assert_int_equal(at_sites, allocs[i].total);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, interval_begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(sections_sum_their_iterations),
        TEST(nested_sections_each_count_what_is_in_them),
        TEST(the_end_of_a_section_says_what_it_took),
        TEST(the_end_of_an_outer_section_ends_the_inner_ones),
        TEST(an_end_without_a_beginning_does_nothing),
        TEST(a_recursive_section_counts_every_level),
        TEST(sections_nested_too_deeply_are_lost_and_the_rest_hold),
        TEST(own_events_are_left_out),
        TEST(a_reset_drops_what_is_open),
        TEST(a_section_that_never_ends_adds_nothing_to_its_call_sites),
        TEST(a_section_with_many_boundaries_keeps_its_call_sites),
        TEST(random_nesting_agrees_with_a_plain_model),
    };
    interval_world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
