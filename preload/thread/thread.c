/* See thread.h. */
#include "thread.h"

#include "thread_rows.h"
#include "preload/ledger/ledger.h"
#include "preload/ledger/watcher.h"
#include "preload/tree/modules.h"

#include <linux/mman.h>
#include <string.h>
#include <unistd.h>

__thread struct vbt_thread *vbt_self __attribute__((tls_model("initial-exec")));

/* The only field that is read of what stands in for the state of a thread that has none: it is
 * never idle. */
static struct { _Alignas(struct vbt_thread) _Atomic uint32_t standing; } stand_in = {VBT_IN_CALL};
__thread struct vbt_thread *vbt_self_or_stand_in __attribute__((tls_model("initial-exec"))) = (struct vbt_thread *)&stand_in;
_Atomic(struct vbt_thread *) vbt_threads;

/* On a page of its own: see vbt_recording_wipe_on_fork. */
static union {
    _Atomic uint32_t recording;
    char page[VBT_RECORDING_PAGE];
} recording __attribute__((aligned(VBT_RECORDING_PAGE), used));
extern _Atomic uint32_t vbt_recording __attribute__((alias("recording")));

void vbt_recording_wipe_on_fork(void) { vbt_sys(SYS_madvise, &recording, sizeof recording, MADV_WIPEONFORK); }

/* Serializes the threads that look for the state of a thread that has ended. */
static VBT_CHANGED_BY_FORK struct vbt_lock handing_on;
static VBT_CHANGED_BY_FORK struct vbt_thread *next_to_check;

/* A state for the calling thread from one that has ended: a free one, or one of the same row, whose
 * counters continue. NULL if the few that are looked at are all alive. Looking at a few in turn
 * keeps starting a thread cheap, and finds dead ones sooner than new ones are made. */
static struct vbt_thread *take_over(uint32_t tid, uint32_t row, bool *was_free) {
    enum { LOOK_AT = 4 };
    struct vbt_thread *found = NULL;
    uint32_t looked_at = 0, turns = 0;
    vbt_lock(&handing_on);
    while (looked_at < LOOK_AT && found == NULL) {
        if (next_to_check == NULL && turns++ < 2)
            next_to_check = atomic_load(&vbt_threads);
        if (next_to_check == NULL)
            break;
        bool shares = row == VBT_THREAD_LATER && next_to_check->row == row;
        looked_at += shares;
        if (next_to_check->row == 0 || (shares && vbt_thread_is_gone(next_to_check->tid))) {
            found = next_to_check;
            *was_free = found->row == 0;
            found->tid = tid;
            found->row = row;
        }
        next_to_check = next_to_check->next;
    }
    vbt_unlock(&handing_on);
    return found;
}

/* Its thread was in the middle of something when the process forked, or when it was cancelled: its
 * caches may be half written, and the rest of its arena in use. */
static void drop_unfinished(struct vbt_thread *thread) {
    memset(thread->leaves, 0, sizeof thread->leaves);
    memset(thread->clock_places, 0, sizeof thread->clock_places);
    vbt_full_stack_expire(&thread->full);
    vbt_python_stack_expire(&thread->stack);
    thread->ledger.arena.at = thread->ledger.arena.end = NULL;
}

struct vbt_thread *vbt_thread_begin(void) {
    uint32_t tid = (uint32_t)vbt_sys(SYS_gettid);
    uint32_t row = vbt_thread_row_begin(tid);
    bool was_free = false;
    struct vbt_thread *thread = take_over(tid, row, &was_free);
    if (thread != NULL) {
        if (was_free || atomic_load(&thread->standing) != VBT_IDLE)
            drop_unfinished(thread);
        vbt_intervals_reset(&thread->ledger);
        thread->ledger.last_block = NULL;
        vbt_python_stack_reset(&thread->stack);
        vbt_full_stack_reset(&thread->full);
        if (thread->ledger.watcher != NULL)
            thread->ledger.watcher->handed_on(thread->ledger.watcher);
        atomic_store(&thread->standing, VBT_IDLE);
        if (was_free)
            vbt_ledger_begin(&thread->ledger);
    } else {
        thread = vbt_counters_map(sizeof *thread);
        if (thread == NULL)
            return NULL;
        vbt_counters_begin(&thread->ledger, thread, sizeof *thread);
        thread->tid = tid;
        thread->row = row;
        thread->ledger.intervals = &thread->intervals;
        thread->stack.ledger = &thread->ledger;
        vbt_native_not_again(&thread->full.native);
        thread->next = atomic_load(&vbt_threads);
        while (!atomic_compare_exchange_weak(&vbt_threads, &thread->next, thread))
            ;
        vbt_ledger_add(&thread->ledger);
        vbt_ledger_begin(&thread->ledger);
    }
    thread->on_stack = (uintptr_t)__builtin_frame_address(0);
    vbt_self = vbt_self_or_stand_in = thread;
    return thread;
}

struct vbt_thread *vbt_thread_own(void) {
    uint32_t now = atomic_load(&vbt_recording);
    if (vbt_self == NULL && now != VBT_NOT_YET && now != VBT_STOPPED)
        vbt_thread_begin();
    return vbt_self;
}

void vbt_threads_after_fork(void) {
    handing_on = (struct vbt_lock){0};
    next_to_check = NULL;
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        atomic_store(&thread->standing, VBT_IDLE); /* wherever the others were in the parent */
        thread->row = 0;
        if (thread->unsettled.epoch != 0)
            thread->unsettled.epoch = 0;
    }
    uint32_t tid = vbt_self != NULL ? (uint32_t)vbt_sys(SYS_gettid) : 0;
    vbt_thread_rows_after_fork(tid);
    if (vbt_self != NULL) {
        vbt_self->tid = tid;
        vbt_self->row = 1;
    }
}
