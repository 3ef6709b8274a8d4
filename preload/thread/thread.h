/* What the library keeps for one thread: where it is in a hook, its counters, its cached call
 * stack, its open intervals.
 *
 * A thread's state is written by that thread only. It is created at the thread's first event, needs
 * no destructor (events come until the very end of a thread) and is passed on to a new thread when
 * the kernel says that the old one is gone, if both share a row of the trace (thread_rows.h):
 * counters simply continue. */
#ifndef VBT_THREAD_H
#define VBT_THREAD_H

#include "full_stack.h"
#include "preload/base/memory.h"
#include "preload/ledger/counters.h"
#include "preload/ledger/interval.h"

/* Where a thread is. A hook that finds it not idle was called from inside another one: what happens
 * there is part of an event that is already being recorded (VBT_IN_CALL), or comes from a signal
 * handler that interrupted the bookkeeping (VBT_IN_LEDGER). A real function of the C library
 * (VBT_IN_REAL) calls no hook itself: a call that comes meanwhile is a signal handler's, or the
 * thread's own after a handler jumped out of the function; the books are consistent then, and the
 * event is one like any other. */
enum vbt_standing { VBT_IDLE, VBT_IN_CALL, VBT_IN_LEDGER, VBT_IN_REAL };

/* The last call path seen for a native leaf, by return address: saves looking up site and node. */
enum { VBT_LEAF_CACHE = 256 };

struct vbt_leaf {
    uintptr_t address;
    uint32_t parent;
    uint32_t stamp; /* see tree/modules.h */
    struct vbt_place place;
};

/* A native place that reads the clock. */
enum { VBT_CLOCK_PLACES = 16 };

struct vbt_clock_place {
    uintptr_t address;
    uint32_t stamp; /* see tree/modules.h */
    uint32_t site;
};

/* What the helper saw of a thread that was in the ledger, see epochs.h. */
struct vbt_unsettled {
    uint64_t epoch; /* its changes may be marked with epochs from this one on; 0: it was not in the ledger */
    uint64_t booked;
};

struct vbt_thread {
    _Atomic uint32_t standing; /* enum vbt_standing; first, since vbt_self_or_stand_in has only this */
    uint32_t tid;
    uint32_t row; /* of the trace; 0: the state is free */
    struct vbt_ledger ledger;
    /* First what each thread needs, so that what few need takes no memory: a thread that allocates
     * a little in C touches one page of this, and that of the ledger's tables after it. */
    struct vbt_full_stack full;
    uint64_t lost_in_signal;
    uintptr_t on_stack;            /* an address on the thread's stack */
    struct vbt_line_thread *lines; /* NULL until its first line event */
    struct vbt_thread *next;
    struct vbt_unsettled unsettled; /* by the helper */
    struct vbt_clock_place clock_places[VBT_CLOCK_PLACES];
    struct vbt_python_stack stack;
    struct vbt_intervals intervals;
    struct vbt_leaf leaves[VBT_LEAF_CACHE];
};

/* Initial-exec: no call, no allocation on first use in a thread. */
extern __thread struct vbt_thread *vbt_self __attribute__((tls_model("initial-exec")));

/* The same for vbt_enter_usual: a thread without a state has one here that is always in a call,
 * which saves a comparison. */
extern __thread struct vbt_thread *vbt_self_or_stand_in __attribute__((tls_model("initial-exec")));

/* All states ever created, newest first. */
extern _Atomic(struct vbt_thread *) vbt_threads;

/* What hooks do. VBT_RECORDING_POLLED: record, and check at every event what has to be done at the
 * start (lifecycle.c). VBT_PAUSED: record only the end of known blocks, see pause.h. */
enum { VBT_NOT_YET, VBT_RECORDING, VBT_RECORDING_POLLED, VBT_STOPPED, VBT_PAUSED };
extern _Atomic uint32_t vbt_recording VBT_HIDDEN;

/* Makes vbt_recording VBT_NOT_YET in every process forked from this one, even without any fork
 * handler, by clone or _Fork. (If the kernel cannot do this, or has larger pages, such children are
 * not noticed.) */
enum { VBT_RECORDING_PAGE = 4096 };
void vbt_recording_wipe_on_fork(void);

/* A state for the calling thread, new or inherited from a thread that has ended; NULL when there is
 * no memory. */
struct vbt_thread *vbt_thread_begin(void);

/* The calling thread's state, begun if it has none; NULL while nothing is recorded, or when there
 * is no memory. */
struct vbt_thread *vbt_thread_own(void);

/* In the child of a fork: the calling thread is the only one left. */
void vbt_threads_after_fork(void);

#endif
