/* The courses of memory of several processes, laid over each other by the clock on the wall. */
#ifndef VBT_TIMELINES_H
#define VBT_TIMELINES_H

#include "analyzer/trace/model.h"

struct vbt_timelines {
    int64_t started;            /* of the first process, CLOCK_REALTIME ns; 0: unknown */
    uint64_t duration;          /* from then until the last one ended */
    struct vbt_model_ticks sum; /* times since `started` */
    struct vbt_model_together together;
};

/* Lays the courses of the model's processes over each other. Each is known at its ticks; between
 * two ticks what the later one says is taken, which may hold the largest values of that time. A
 * process has nothing before it began and after it ended. What a forked one inherited is its
 * parent's. A trace that does not say when it began is taken to have begun with the first. The
 * caller frees sum.rows. */
void vbt_timelines_lay(struct vbt_timelines *timelines, const struct vbt_model *model);

/* Leaves at most so many ticks, of which each holds the largest values since the one before. */
void vbt_timeline_thin(struct vbt_model_ticks *ticks, size_t most);

/* The process's own peak, without what may be inherited of it. */
int64_t vbt_process_peak(const struct vbt_model *process);

#endif
