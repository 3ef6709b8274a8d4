/* Recording can be stopped and started again during a run: by the program (vbtrace_stop,
 * vbtrace_start), or by the clock (VBTRACE_DELAY, VBTRACE_DURATION).
 *
 * While it is stopped, no allocation is recorded, but the end of a known block is: so the live
 * bytes stay true, and a block at the address of a freed one is never mistaken for it. Intervals
 * and sections in which recording was stopped are dropped. */
#ifndef VBT_PAUSE_H
#define VBT_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* How often recording has been stopped so far, and for how long in total. */
struct vbt_pauses {
    uint32_t count;
    int64_t time; /* ns */
};

/* Reads the options at the start of a process, at CLOCK_MONOTONIC `now`. True: recording begins
 * later. */
bool vbt_pause_init(int64_t now);

/* Is recording stopped, until it is started again? */
bool vbt_paused(void);

void vbt_pause_begin(int64_t now);
void vbt_pause_end(int64_t now);

/* Stops or starts recording if the time has come. Returns when the next such time is:
 * CLOCK_MONOTONIC, ns; INT64_MAX: never. */
int64_t vbt_pause_tick(int64_t now);

struct vbt_pauses vbt_pauses_until(int64_t now);

/* In the child of a fork, at `now`: a pause continues, those before were the parent's. */
void vbt_pause_after_fork(int64_t now);

#endif
