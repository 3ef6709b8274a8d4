/* A progress bar for slow work, on standard error if that is a terminal. */
#ifndef VBT_PROGRESS_H
#define VBT_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_progress {
    const char *what; /* printed before the bar */
    bool shown;       /* there is a terminal */
    bool drawn;       /* there is a bar on it */
    int64_t next;     /* when to draw again, CLOCK_MONOTONIC, ns */
};

void vbt_progress_begin(struct vbt_progress *progress, const char *what);

/* `done` of `all` items are done. Cheap to call; NULL: no progress is shown. */
void vbt_progress_at(struct vbt_progress *progress, size_t done, size_t all);

/* Removes the bar. */
void vbt_progress_end(struct vbt_progress *progress);

#endif
