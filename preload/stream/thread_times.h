/* When it is written which thread did what. Each state says how much of everything; what of it at
 * which node is a lot to write: that is done once a second, when a new thread gets a row of its
 * own, and at the end. A single thread did everything. */
#ifndef VBT_THREAD_TIMES_H
#define VBT_THREAD_TIMES_H

#include "snapshot.h"

/* Writes it if it is due. now: what is defined; all: everything is written again; epoch: changes
 * before it are in the books. */
void vbt_write_threads(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                       const struct vbt_dictionary *now, bool all, uint64_t epoch);

/* What was written is lost: next time, everything is written. */
void vbt_write_threads_again(void);

/* In the child of a fork. */
void vbt_thread_times_after_fork(void);

#endif
