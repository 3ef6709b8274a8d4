/* The threads that a trace distinguishes.
 *
 * The first threads that have an event get a row each: their counters stay their own, even after
 * they have ended. All later ones share one row, so that neither the process nor its trace grows
 * with every thread that it starts. */
#ifndef VBT_THREAD_ROWS_H
#define VBT_THREAD_ROWS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Rows are numbered from 1; the last is shared by all later threads. */
enum { VBT_THREAD_ROWS = 64, VBT_THREAD_LATER = VBT_THREAD_ROWS + 1, VBT_THREAD_NAME = 16, VBT_THREAD_LONG_NAME = 64 };

struct vbt_thread_row {
    _Atomic uint32_t tid; /* of the first thread, if several share it; 0: none yet */
    _Atomic bool has_long_name;
    int64_t begun;                    /* ns since the start, at its first event */
    int64_t ended;                    /* ns, when it was found to be gone; 0: it is not */
    char name[VBT_THREAD_NAME];       /* the kernel's */
    char first_name[VBT_THREAD_NAME]; /* that of the thread which made it */
    char long_name[VBT_THREAD_LONG_NAME];
    _Atomic uint64_t called[VBT_THREAD_NAME / 8]; /* the name that a hook saw the thread get last */
    _Atomic uint32_t times_called;
    uint32_t times_seen; /* of these, by vbt_thread_rows_look */
};

/* The row for the calling thread, whose first event this is. */
uint32_t vbt_thread_row_begin(uint32_t tid);

/* A thread has been given a name, which is known here even if the thread ends at once. tid: 0 for
 * the calling one; name: NULL to ask the kernel for the calling thread's. Keeps errno. */
void vbt_thread_row_named(uint32_t tid, const char *name);

/* What the program itself calls the calling thread, whose row this is. */
void vbt_thread_row_called(uint32_t row, const char *name);

/* The name to show: what the program calls the thread, unless it told the kernel a name. */
const char *vbt_thread_row_name(const struct vbt_thread_row *row);

/* How many threads have begun. */
uint32_t vbt_thread_count(void);

/* row: 1 to VBT_THREAD_LATER. */
const struct vbt_thread_row *vbt_thread_row_at(uint32_t row);

/* For the stream: reads the threads' names, and which have ended by `time`. */
void vbt_thread_rows_look(int64_t time);

/* Has the thread of this process ended? */
bool vbt_thread_is_gone(uint32_t tid);

/* In the child of a fork: the thread with this id is the first and only one; 0: none has had an
 * event yet. */
void vbt_thread_rows_after_fork(uint32_t tid);

#endif
