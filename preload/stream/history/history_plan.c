/* See history_plan.h. */
#include "history_plan.h"

void vbt_history_plan(struct vbt_history_mark *marks, uint32_t count, int64_t now, int64_t resolution) {
    int64_t after = INT64_MAX; /* time of the next one that is kept */
    for (uint32_t i = count; i > 0; i--) {
        struct vbt_history_mark *mark = &marks[i - 1];
        mark->kept = mark->stays || i == count || after - mark->time >= (now - mark->time) / resolution;
        if (mark->kept)
            after = mark->time;
    }
}
