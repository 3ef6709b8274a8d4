/* Memory over time, in bounded space: when there are too many points, pairs of neighbours are
 * merged, so that a run of any length has about the same number of points. A point holds the
 * largest values of its span, so that no peak is lost. */
#ifndef VBT_TIMELINE_H
#define VBT_TIMELINE_H

#include <stdint.h>

enum { VBT_TIMELINE_POINTS = 2048 };

struct vbt_timeline_point {
    int64_t time;              /* ns, the end of the span */
    int64_t rss, heap, python; /* bytes */
};

struct vbt_timeline {
    uint32_t count;
    uint32_t ticks_a_point; /* a power of 2 */
    uint32_t ticks_in_last; /* how many the last point holds so far */
    struct vbt_timeline_point points[VBT_TIMELINE_POINTS];
};

void vbt_timeline_add(struct vbt_timeline *timeline, struct vbt_timeline_point tick);

#endif
