/* Values as they are now: the state, the counters of nodes, the intervals, the timeline. */
#ifndef VBT_SNAPSHOT_H
#define VBT_SNAPSHOT_H

#include "dictionary.h"
#include "preload/stream/history/timeline.h"
#include "preload/thread/books.h"
#include "preload/thread/pause.h"

struct vbt_tick {
    int64_t time;      /* ns since the start */
    int64_t rss;       /* bytes */
    int64_t max_rss;   /* bytes, since the start */
    int64_t peak_time; /* ns */
    int64_t maps_held; /* bytes in the books of mapped memory, added up; -1: not done this time */
    struct vbt_pauses pauses;
    int64_t limited;  /* when a limit on call paths was found to be reached; 0: it has not been */
    int64_t shutdown; /* time of the tick at which the interpreter began to shut down; 0: it has not */
};

void vbt_snapshot_state(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick);

/* The nodes up to defined->nodes that changed since the epoch `since` (0: all that ever did).
 * Returns how many rows that are. */
uint32_t vbt_snapshot_counters(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                               const struct vbt_dictionary *defined, uint64_t since);

/* The threads that have rows, with their totals. */
void vbt_snapshot_thread_rows(struct vbt_chunk_writer *writer, const struct vbt_books *books);

/* What each of them did at the nodes that changed since then (0: at all). */
void vbt_snapshot_threads(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                          const struct vbt_dictionary *defined, uint64_t since);

/* The intervals that were repeated since then, and their call sites, as far as what they refer to
 * is defined. */
void vbt_snapshot_intervals(struct vbt_chunk_writer *writer, const struct vbt_dictionary *defined, uint64_t since);

/* Mapped memory by kind, and the breakdown of the resident set now and at its highest; either may
 * never have been read. */
void vbt_snapshot_maps(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick);

/* The end, and why. */
void vbt_snapshot_end(struct vbt_chunk_writer *writer, const struct vbt_tick *tick, const char *reason);

/* Allocations by call paths that there was no room for. */
uint64_t vbt_snapshot_lost_paths(const struct vbt_books *books);

void vbt_snapshot_timeline(struct vbt_chunk_writer *writer, const struct vbt_timeline *timeline);

/* Maps what the snapshots of counters and threads need. False: there is no memory. */
bool vbt_snapshot_reserve(void);
bool vbt_snapshot_threads_reserve(void);

/* In the child of a fork. */
void vbt_snapshot_after_fork(void);
void vbt_snapshot_threads_after_fork(void);

#endif
