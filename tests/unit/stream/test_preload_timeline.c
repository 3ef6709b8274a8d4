/* The timeline: bounded however long the run, and maxima are never lost. */
#include "preload/stream/history/timeline.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { TICKS = 20 * VBT_TIMELINE_POINTS + 123 };

static struct vbt_timeline_point tick_at(uint32_t i) {
    uint64_t seed = i;
    return (struct vbt_timeline_point){.time = 10 * (int64_t)i + 10,
                                       .rss = (int64_t)(world_random(&seed) % 1000000),
                                       .heap = (int64_t)(world_random(&seed) % 1000000) - 500000,
                                       .python = (int64_t)(world_random(&seed) % 1000000)};
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Each point must hold the largest values of the ticks since the point before it. */
static void assert_tells(const struct vbt_timeline *timeline, uint32_t ticks) {
    uint32_t next = 0;
    assert_in_range(timeline->count, 1, VBT_TIMELINE_POINTS);
    for (uint32_t i = 0; i < timeline->count; i++) {
        const struct vbt_timeline_point *point = &timeline->points[i];
        struct vbt_timeline_point highest = tick_at(next);
        for (; next < ticks && tick_at(next).time <= point->time; next++) {
            struct vbt_timeline_point tick = tick_at(next);
            highest.time = tick.time;
            highest.rss = larger(highest.rss, tick.rss);
            highest.heap = larger(highest.heap, tick.heap);
            highest.python = larger(highest.python, tick.python);
        }
        assert_memory_equal(point, &highest, sizeof highest);
    }
    assert_int_equal(next, ticks);
}

static void a_short_run_is_kept_tick_by_tick(void **state) {
    (void)state;
    static struct vbt_timeline timeline;
    for (uint32_t i = 0; i < VBT_TIMELINE_POINTS; i++) {
        vbt_timeline_add(&timeline, tick_at(i));
        assert_int_equal(timeline.count, i + 1);
    }
    assert_tells(&timeline, VBT_TIMELINE_POINTS);
}

static void a_long_run_keeps_every_highest_value_in_bounded_space(void **state) {
    (void)state;
    static struct vbt_timeline timeline;
    for (uint32_t i = 0; i < TICKS; i++) {
        vbt_timeline_add(&timeline, tick_at(i));
        if (i % 1777 == 0 || (i & (i - 1)) == 0 || i % VBT_TIMELINE_POINTS < 3)
            assert_tells(&timeline, i + 1);
    }
    assert_tells(&timeline, TICKS);
    assert_in_range(timeline.count, VBT_TIMELINE_POINTS / 2, VBT_TIMELINE_POINTS);
}

/* All spans except the last have the same length. */
static void spans_are_equal(void **state) {
    (void)state;
    static struct vbt_timeline timeline;
    for (uint32_t i = 0; i < TICKS; i++)
        vbt_timeline_add(&timeline, tick_at(i));
    int64_t span = timeline.points[0].time;
    assert_int_equal(span, 10 * timeline.ticks_a_point);
    for (uint32_t i = 1; i + 1 < timeline.count; i++)
        assert_int_equal(timeline.points[i].time - timeline.points[i - 1].time, span);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_run_is_kept_tick_by_tick),
        cmocka_unit_test(a_long_run_keeps_every_highest_value_in_bounded_space),
        cmocka_unit_test(spans_are_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
