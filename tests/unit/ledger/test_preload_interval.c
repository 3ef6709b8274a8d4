/* Intervals between clock readings: statistics, call sites, the highest point, readings that are
 * withdrawn. */
#include "preload/ledger/interval.h"

#include "preload/ledger/ledger.h"
#include "tests/unit/support/interval_world.h"
#include "tests/unit/support/preload_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A reading for the deadline of a lock: the interval around it stays one, and loses no events. */
static void a_reading_that_is_withdrawn_never_was(void **state) {
    (void)state;
    uint32_t site = fresh;
    vbt_intervals_reading(&thread->ledger, site, 10);
    world_alloc(thread, nodes[0], 0x10000, 100);
    vbt_intervals_reading(&thread->ledger, site + 1, 20);
    vbt_intervals_withdraw(&thread->ledger);
    vbt_intervals_withdraw(&thread->ledger); /* the second does nothing */
    world_alloc(thread, nodes[0], 0x20000, 50);
    vbt_intervals_reading(&thread->ledger, site + 2, 30);
    assert_null(group_of(VBT_INTERVAL_CLOCK, site, site + 2, 0)); /* pending */
    world_free(thread, 0x20000);                                  /* and is counted from before this free */
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, site, site + 2, 0);
    assert_non_null(group);
    assert_null(group_of(VBT_INTERVAL_CLOCK, site, site + 1, 0));
    assert_stats(group, VBT_Q_TIME, 20, 20, 20);
    assert_stats(group, VBT_Q_ALLOCS, 2, 2, 2);
    assert_stats(group, VBT_Q_FREES, 0, 0, 0);
    assert_flow(group, nodes[0], 2, 0, 150, 0);
}

/* Of two readings with nothing between them the first is the user's, even if the second is
 * withdrawn. */
static void a_reading_confirms_the_one_before(void **state) {
    (void)state;
    uint32_t site = fresh;
    vbt_intervals_reading(&thread->ledger, site, 10);
    vbt_intervals_reading(&thread->ledger, site + 1, 20);
    vbt_intervals_reading(&thread->ledger, site + 2, 25);
    vbt_intervals_withdraw(&thread->ledger);
    assert_non_null(group_of(VBT_INTERVAL_CLOCK, site, site + 1, 0));
    assert_null(group_of(VBT_INTERVAL_CLOCK, site + 1, site + 2, 0));
}

static void two_readings_make_an_interval(void **state) {
    (void)state;
    world_alloc(thread, nodes[0], 0x1000, 1000); /* before the interval, so not counted */
    reading(fresh, 10);
    assert_null(group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0));
    world_alloc(thread, nodes[1], 0x1010, 7);
    world_alloc(thread, nodes[1], 0x1020, 5);
    world_free(thread, 0x1000);
    world_free(thread, 0x1020);
    reading(fresh + 1, 35);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0);
    assert_non_null(group);
    assert_int_equal(group->count, 1);
    assert_int_equal(group->iterations, 0);
    assert_stats(group, VBT_Q_TIME, 25, 25, 25);
    assert_stats(group, VBT_Q_ALLOCS, 2, 2, 2);
    assert_stats(group, VBT_Q_FREES, 2, 2, 2);
    assert_stats(group, VBT_Q_ALLOCATED, 12, 12, 12);
    assert_stats(group, VBT_Q_FREED, 1005, 1005, 1005);
    assert_stats(group, VBT_Q_NET, -993, -993, -993);
    assert_stats(group, VBT_Q_HIGH, 12, 12, 12);
    assert_flow(group, nodes[1], 2, 1, 12, 5);
    assert_flow(group, nodes[0], 0, 1, 0, 1000); /* freed here, allocated by that node */
}

static void each_reading_ends_one_and_starts_another(void **state) {
    (void)state;
    for (int64_t i = 0; i < 5; i++) {
        reading(fresh, 100 * i);
        world_alloc(thread, nodes[0], 0x2000 + 16 * (uintptr_t)i, 1);
    }
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh, 0);
    assert_int_equal(group->count, 4);
    assert_stats(group, VBT_Q_TIME, 100, 100, 400);
    assert_stats(group, VBT_Q_ALLOCS, 1, 1, 4);
    assert_flow(group, nodes[0], 4, 0, 4, 0);
}

static void an_interval_in_which_nothing_happens_counts_nothing(void **state) {
    (void)state;
    reading(fresh, 5);
    reading(fresh + 1, 5);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0);
    for (int quantity = 0; quantity < VBT_QUANTITIES; quantity++)
        assert_stats(group, (enum vbt_quantity)quantity, 0, 0, 0);
    assert_int_equal(group->count, 1);
}

/* Mean and M2 by Welford's algorithm must give the same standard deviation as the textbook
 * formula. */
static void times_have_a_mean_and_a_deviation(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    int64_t times[COUNT], now = 0;
    double sum = 0, squares = 0;
    uint64_t seed = 3;
    for (int i = 0; i < COUNT; i++) {
        times[i] = 1000000000 + (int64_t)(world_random(&seed) % 1000);
        sum += (double)times[i];
        reading(fresh, now);
        reading(fresh + 1, now += times[i]);
        now += 17;
    }
    double mean = sum / COUNT;
    for (int i = 0; i < COUNT; i++)
        squares += ((double)times[i] - mean) * ((double)times[i] - mean);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0);
    assert_int_equal(group->count, COUNT);
    assert_true(fabs(group->mean - mean) < 1e-3);
    assert_true(fabs(sqrt(group->m2 / COUNT) - sqrt(squares / COUNT)) < 1e-3);
}

static void the_highest_point_is_above_the_start(void **state) {
    (void)state;
    world_alloc(thread, nodes[0], 0x3000, 5000);
    world_alloc(thread, nodes[0], 0x3100, 3000);
    world_free(thread, 0x3100); /* a peak of the process, before the interval */
    reading(fresh, 0);
    world_alloc(thread, nodes[0], 0x3200, 100);
    world_alloc(thread, nodes[0], 0x3300, 200);
    world_free(thread, 0x3200);
    world_alloc(thread, nodes[0], 0x3400, 50);
    world_free(thread, 0x3300);
    world_free(thread, 0x3400);
    reading(fresh + 1, 1);
    assert_stats(group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0), VBT_Q_HIGH, 300, 300, 300);
    world_free(thread, 0x3000); /* never above the start */
    reading(fresh + 2, 2);
    assert_stats(group_of(VBT_INTERVAL_CLOCK, fresh + 1, fresh + 2, 0), VBT_Q_HIGH, 0, 0, 0);
    world_alloc(thread, nodes[0], 0x3500, 70); /* highest at its end */
    reading(fresh + 3, 3);
    assert_stats(group_of(VBT_INTERVAL_CLOCK, fresh + 2, fresh + 3, 0), VBT_Q_HIGH, 70, 70, 70);
}

static void threads_have_intervals_of_their_own(void **state) {
    (void)state;
    struct vbt_thread *one = thread, *two = vbt_thread_begin();
    world_reading(&one->ledger, fresh, 0);
    world_reading(&two->ledger, fresh, 0);
    world_alloc(one, nodes[0], 0xa000, 1);
    world_alloc(two, nodes[0], 0xa010, 2);
    world_alloc(two, nodes[0], 0xa020, 2);
    world_reading(&one->ledger, fresh + 1, 1);
    world_reading(&two->ledger, fresh + 1, 2);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0);
    assert_int_equal(group->count, 2);
    assert_stats(group, VBT_Q_ALLOCS, 1, 2, 3);
    assert_stats(group, VBT_Q_ALLOCATED, 1, 4, 5);
    assert_flow(group, nodes[0], 3, 0, 5, 0);
}

static void what_is_forgotten_starts_from_nothing_under_its_old_id(void **state) {
    (void)state;
    reading(fresh, 0);
    world_alloc(thread, nodes[0], 0xc000, 1);
    reading(fresh + 1, 1);
    const struct vbt_interval_group *group = group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0);
    vbt_interval_groups_forget();
    assert_null(group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0));
    assert_flow(group, nodes[0], 0, 0, 0, 0);
    reading(fresh, 10);
    world_alloc(thread, nodes[0], 0xc010, 3);
    reading(fresh + 1, 30);
    assert_ptr_equal(group_of(VBT_INTERVAL_CLOCK, fresh, fresh + 1, 0), group);
    assert_stats(group, VBT_Q_TIME, 20, 20, 20);
    assert_flow(group, nodes[0], 1, 0, 3, 0);
    assert_true(group->mean == 20 && group->m2 == 0);
}

/* Last, since it fills the table of groups for good. */
static void too_many_groups_are_counted_as_lost(void **state) {
    (void)state;
    enum { MORE = 20000 };
    uint32_t before = group_count();
    reading(1 << 20, 0);
    for (uint32_t i = 1; i <= MORE; i++)
        reading((1 << 20) + i, i);
    uint32_t made = group_count() - before;
    assert_in_range(made, 1, MORE - 1);
    assert_int_equal(thread->ledger.lost[VBT_LOST_INTERVALS], MORE - made);
    open_section(1, 1 << 20, 0, 0);
    close_section(1, 1 << 20, 1);
    assert_int_equal(thread->ledger.lost[VBT_LOST_INTERVALS], MORE - made + 1);
    reading((1 << 20), MORE + 1); /* known groups still work */
    reading((1 << 20) + 1, MORE + 2);
    assert_int_equal(group_of(VBT_INTERVAL_CLOCK, 1 << 20, (1 << 20) + 1, 0)->count, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, interval_begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_reading_that_is_withdrawn_never_was),
        TEST(a_reading_confirms_the_one_before),
        TEST(two_readings_make_an_interval),
        TEST(each_reading_ends_one_and_starts_another),
        TEST(an_interval_in_which_nothing_happens_counts_nothing),
        TEST(times_have_a_mean_and_a_deviation),
        TEST(the_highest_point_is_above_the_start),
        TEST(threads_have_intervals_of_their_own),
        TEST(what_is_forgotten_starts_from_nothing_under_its_old_id),
        TEST(too_many_groups_are_counted_as_lost),
    };
    interval_world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
