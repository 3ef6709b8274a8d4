/* What the library knows of one thread: where it stands in a hook, its own counters, its cached call stack, its open
 * intervals.
 *
 * A thread's state is written by that thread only. It is made at the thread's first event, needs no destructor
 * (events come until the very end of a thread) and is handed to a new thread once the kernel says that the old one is
 * gone, where both share a row of the trace (thread_rows.h): counters simply go on. */
#ifndef VBT_THREAD_H
#define VBT_THREAD_H

#include "preload/ledger/counters.h"
#include "preload/ledger/interval.h"
#include "preload/base/memory.h"
#include "full_stack.h"

/* Where a thread stands. A hook that finds it not idle was called from inside another one: what happens there is part of an event
 * that is already being recorded (VBT_IN_CALL), or comes from a signal handler that interrupted us (VBT_IN_LEDGER). A real function of
 * the C library (VBT_IN_REAL) calls no hook on its own account: who does so meanwhile is a signal handler, or the thread itself after
 * a handler jumped out of the call; the books are in order then, and the event is one like any other. */
enum vbt_standing { VBT_IDLE, VBT_IN_CALL, VBT_IN_LEDGER, VBT_IN_REAL };

/* The last call path seen for a native leaf, by return address: saves the lookup of site and node. */
enum { VBT_LEAF_CACHE = 256 };

struct vbt_leaf {
    uintptr_t address;
    uint32_t parent;
    uint32_t stamp; /* see where/modules.h */
    struct vbt_place place;
};

/* A native place that reads the clock. */
enum { VBT_CLOCK_PLACES = 16 };

struct vbt_clock_place {
    uintptr_t address;
    uint32_t stamp; /* see where/modules.h */
    uint32_t site;
};

struct vbt_thread {
    _Atomic uint32_t standing; /* enum vbt_standing; first, for vbt_self_or_stand_in's sake */
    uint32_t tid;
    uint32_t row; /* of the trace; 0: the state is nobody's */
    struct vbt_ledger ledger;
    struct vbt_intervals intervals;
    struct vbt_python_stack stack;
    uint64_t lost_in_signal;
    uintptr_t on_stack; /* an address on the thread's stack */
    struct vbt_leaf leaves[VBT_LEAF_CACHE];
    struct vbt_clock_place clock_places[VBT_CLOCK_PLACES];
    struct vbt_full_stack full;
    struct vbt_line_thread *lines; /* NULL until its first line event */
    struct vbt_thread *next;
};

/* Initial-exec: no call, no allocation on first use in a thread. */
extern __thread struct vbt_thread *vbt_self __attribute__((tls_model("initial-exec")));

/* The same for vbt_enter_usual: where the thread has no state, something that stands in a call, so that there is one question less. */
extern __thread struct vbt_thread *vbt_self_or_stand_in __attribute__((tls_model("initial-exec")));

/* All states ever made, newest first. */
extern _Atomic(struct vbt_thread *) vbt_threads;

/* What hooks do. VBT_RECORDING_POLLED: record, and see at every event what has to be done early on (lifecycle.c). VBT_PAUSED: record
 * nothing but the end of known blocks, see pause.h. */
enum { VBT_NOT_YET, VBT_RECORDING, VBT_RECORDING_POLLED, VBT_STOPPED, VBT_PAUSED };
extern _Atomic uint32_t vbt_recording VBT_HIDDEN;

/* From now on vbt_recording is VBT_NOT_YET in a process that was forked from this one: also in those that no handler of fork sees, made by
 * clone or _Fork. (Where the kernel has no such thing, or larger pages, those go on unnoticed.) */
enum { VBT_RECORDING_PAGE = 4096 };
void vbt_recording_wipe_on_fork(void);

/* A state for the calling thread, fresh or inherited from a thread that ended; NULL when there is no memory. */
struct vbt_thread *vbt_thread_begin(void);

/* The calling thread's state, begun where it has none; NULL while nothing is recorded, or when there is no memory. */
struct vbt_thread *vbt_thread_own(void);

/* In the child of a fork: the calling thread is the only one left. */
void vbt_threads_after_fork(void);

#endif
