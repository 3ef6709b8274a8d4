/* See thread_times.h. */
#include "thread_times.h"

#include "preload/base/sys.h"
#include "preload/thread/thread.h"
#include "preload/thread/thread_rows.h"

#include <string.h>

static VBT_CHANGED_BY_FORK struct {
    uint64_t epoch; /* changes before it have been written by thread; 0: none has */
    int64_t time;   /* when that was */
    uint32_t count; /* how many rows there were */
} by_thread;

void vbt_write_threads(struct vbt_chunk_writer *writer, const struct vbt_books *books, const struct vbt_tick *tick,
                       const struct vbt_dictionary *now, bool all, uint64_t epoch) {
    enum { PAUSE = 1000 * 1000 * 1000 };
    uint32_t threads = books->threads < VBT_THREAD_LATER ? books->threads : VBT_THREAD_LATER;
    bool due = threads != by_thread.count || tick->time - by_thread.time >= PAUSE;
    if (threads < 2)
        return;
    if (all || due)
        vbt_thread_rows_look(tick->time);
    vbt_snapshot_thread_rows(writer, books);
    if (!all && !due)
        return;
    vbt_snapshot_threads(writer, books, tick, now, all ? 0 : by_thread.epoch);
    by_thread.epoch = epoch;
    by_thread.time = tick->time;
    by_thread.count = threads;
}

void vbt_write_threads_again(void) { by_thread.epoch = 0; }

void vbt_thread_times_after_fork(void) { memset(&by_thread, 0, sizeof by_thread); }
