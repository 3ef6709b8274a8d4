/* See compare_course.h. */
#include "compare_course.h"

static void raise_to(int64_t *value, int64_t other) { *value = other > *value ? other : *value; }

/* A part without a tick has what the one before it had last. */
void vbt_course_get(struct vbt_course *course, const struct vbt_model *m) {
    const struct vbt_model_ticks *ticks = &m->ticks;
    uint64_t duration = vbt_model_duration(m);
    *course = (struct vbt_course){.known = ticks->count > ticks->first};
    size_t next = ticks->first;
    int64_t live = 0, rss = 0;
    for (size_t part = 0; part < VBT_COURSE_PARTS; part++) {
        course->live[part] = live;
        course->rss[part] = rss;
        double end = (double)duration * (double)(part + 1) / VBT_COURSE_PARTS;
        bool last = part + 1 == VBT_COURSE_PARTS;
        for (; next < ticks->count && (last || (double)ticks->rows[next].time < end); next++) {
            live = (int64_t)((uint64_t)ticks->rows[next].heap + (uint64_t)ticks->rows[next].python);
            rss = ticks->rows[next].rss;
            raise_to(&course->live[part], live);
            raise_to(&course->rss[part], rss);
        }
    }
}
