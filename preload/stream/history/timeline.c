/* See timeline.h. */
#include "timeline.h"

#include <stdbool.h>

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static struct vbt_timeline_point join(const struct vbt_timeline_point *a, const struct vbt_timeline_point *b) {
    return (struct vbt_timeline_point){b->time, larger(a->rss, b->rss), larger(a->heap, b->heap), larger(a->python, b->python)};
}

static void thin(struct vbt_timeline *timeline) {
    for (uint32_t i = 0; i < VBT_TIMELINE_POINTS / 2; i++)
        timeline->points[i] = join(&timeline->points[2 * i], &timeline->points[2 * i + 1]);
    timeline->count = VBT_TIMELINE_POINTS / 2;
    timeline->ticks_a_point *= 2;
}

void vbt_timeline_add(struct vbt_timeline *timeline, struct vbt_timeline_point tick) {
    if (timeline->ticks_a_point == 0)
        timeline->ticks_a_point = 1;
    if (timeline->count > 0 && timeline->ticks_in_last < timeline->ticks_a_point) {
        struct vbt_timeline_point *last = &timeline->points[timeline->count - 1];
        *last = join(last, &tick);
        timeline->ticks_in_last++;
        return;
    }
    if (timeline->count == VBT_TIMELINE_POINTS)
        thin(timeline);
    timeline->points[timeline->count++] = tick;
    timeline->ticks_in_last = 1;
}
