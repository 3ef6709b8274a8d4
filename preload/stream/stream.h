/* What goes to disk: at each tick what changed, at the end everything. */
#ifndef VBT_STREAM_H
#define VBT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

/* For the summary at the end. */
struct vbt_summary {
    uint64_t allocs, allocated, lost;
    int64_t peak;
    uint64_t file_bytes;
    bool written;        /* the file exists and is complete */
    const char *path;    /* empty if there is no file */
    const char *failure; /* what to say about a file that is not; NULL: nothing, or `vbtrace run` will say it */
};

/* A reason to stop: from now on, the file may be out of reach. Even a process too young to have one
 * gets one. */
#define VBT_STREAM_LEAVES "leaves"

/* The helper's work: ticks, the first after so many ns, until it is asked to stop; then writes what
 * it is asked for. */
void vbt_stream_run(int64_t first_tick);

/* In the helper, which is about to go where the program is now: sees to it that there is a file,
 * and that it is open. */
void vbt_stream_before_moving(void);

/* In the helper, which is about to give up rights that the program has given up: the same, since it
 * may then no longer make one. */
void vbt_stream_before_losing_rights(void);

/* Maps what writing needs. Otherwise that is done when the writing begins; but a program whose
 * address space is limited may have used it up by then. */
void vbt_stream_reserve(void);

/* Whether a file was made. */
bool vbt_stream_has_file(void);

/* While no helper runs: removes the file, if there is one. The trace can start again. */
void vbt_stream_withdraw(void);

void vbt_stream_summary(struct vbt_summary *out);

/* In the child of a fork: starts a trace of its own, from scratch. */
void vbt_stream_after_fork(void);

#endif
