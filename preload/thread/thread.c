/* See thread.h. */
#include "thread.h"

#include "preload/ledger/ledger.h"
#include "thread_rows.h"
#include "preload/lines/books/line_books.h"
#include "preload/tree/modules.h"
#include "preload/native/native_known.h"
#include "preload/tree/tree.h"

#include <linux/mman.h>
#include <string.h>
#include <unistd.h>

__thread struct vbt_thread *vbt_self __attribute__((tls_model("initial-exec")));

/* Of what stands for the state of a thread that has none, only this is looked at: it never is idle. */
static struct { _Alignas(struct vbt_thread) _Atomic uint32_t standing; } nobody = {VBT_IN_CALL};
__thread struct vbt_thread *vbt_self_or_nobody __attribute__((tls_model("initial-exec"))) = (struct vbt_thread *)&nobody;
_Atomic(struct vbt_thread *) vbt_threads;

/* A page of its own: see vbt_recording_wipe_on_fork. */
static union {
    _Atomic uint32_t recording;
    char page[VBT_RECORDING_PAGE];
} recording __attribute__((aligned(VBT_RECORDING_PAGE), used));
extern _Atomic uint32_t vbt_recording __attribute__((alias("recording")));

void vbt_recording_wipe_on_fork(void) { vbt_sys(SYS_madvise, &recording, sizeof recording, MADV_WIPEONFORK); }

/* Serializes those who look for the state of a thread that ended. */
static struct vbt_lock handing_on;
static struct vbt_thread *next_to_check;

/* A state for the calling thread from one that ended: nobody's, or one of the same row, whose counters go on. NULL if the
 * few that are looked at all live. Looking at a few in turn keeps a new thread cheap, and finds the dead ones sooner than
 * new ones are made. */
static struct vbt_thread *take_over(uint32_t tid, uint32_t row, bool *was_nobodys) {
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
            *was_nobodys = found->row == 0;
            found->tid = tid;
            found->row = row;
        }
        next_to_check = next_to_check->next;
    }
    vbt_unlock(&handing_on);
    return found;
}

/* Its thread was in the middle of something when the process forked, or when it was cancelled: what it kept for itself may be half
 * written, and the rest of its arena somebody's. */
static void drop_unfinished(struct vbt_thread *thread) {
    memset(thread->leaves, 0, sizeof thread->leaves);
    memset(thread->clock_places, 0, sizeof thread->clock_places);
    vbt_native_stack_expire(&thread->full.native);
    vbt_python_stack_expire(&thread->stack);
    thread->ledger.arena.at = thread->ledger.arena.end = NULL;
}

struct vbt_thread *vbt_thread_begin(void) {
    uint32_t tid = (uint32_t)vbt_sys(SYS_gettid);
    uint32_t row = vbt_thread_row_begin(tid);
    bool was_nobodys = false;
    struct vbt_thread *thread = take_over(tid, row, &was_nobodys);
    if (thread != NULL) {
        if (was_nobodys || atomic_load(&thread->standing) != VBT_IDLE)
            drop_unfinished(thread);
        vbt_intervals_reset(&thread->ledger);
        thread->ledger.last_block = NULL;
        vbt_python_stack_reset(&thread->stack);
        vbt_full_stack_reset(&thread->full);
        if (thread->lines != NULL) {
            vbt_line_reset(thread->lines);
            thread->lines->roots = 0;
            thread->lines->switches = thread->lines->withdrawn = false;
        }
        atomic_store(&thread->standing, VBT_IDLE);
        if (was_nobodys)
            vbt_ledger_begin(&thread->ledger);
    } else {
        thread = vbt_map(sizeof *thread + VBT_PAGES * (sizeof *thread->ledger.pages + sizeof *thread->ledger.page_clocks));
        if (thread == NULL)
            return NULL;
        thread->ledger.pages = (struct vbt_counters_page **)(thread + 1);
        thread->ledger.page_clocks = (_Atomic uint64_t *)(thread->ledger.pages + VBT_PAGES);
        thread->tid = tid;
        thread->row = row;
        thread->ledger.intervals = &thread->intervals;
        thread->stack.ledger = &thread->ledger;
        vbt_native_not_again(&thread->full.native);
        thread->next = atomic_load(&vbt_threads);
        while (!atomic_compare_exchange_weak(&vbt_threads, &thread->next, thread))
            ;
        vbt_ledger_begin(&thread->ledger);
    }
    thread->on_stack = (uintptr_t)__builtin_frame_address(0);
    vbt_self = vbt_self_or_nobody = thread;
    return thread;
}

void vbt_native_leaf_find(struct vbt_thread *thread, struct vbt_leaf *leaf, uint32_t parent, uintptr_t caller,
                          enum vbt_domain domain) {
    leaf->address = caller;
    leaf->parent = parent;
    leaf->stamp = vbt_module_stamp();
    leaf->place = vbt_place_of(&thread->ledger, vbt_node_of(parent, vbt_native_site(caller), domain));
}

struct vbt_place vbt_full_place(struct vbt_thread *thread, const struct vbt_registers *caller, enum vbt_domain domain) {
    uint32_t node = vbt_full_capture(&thread->full, &thread->stack, caller, domain);
    struct vbt_place place = vbt_place_of(&thread->ledger, node);
    if (VBT_UNLIKELY(domain != VBT_DOMAIN_HEAP)) {
        vbt_native_not_again(&thread->full.native);
        return place;
    }
    thread->full.latest = place;
    if (VBT_UNLIKELY(place.counters == NULL))
        vbt_native_not_again(&thread->full.native);
    if (vbt_stacks == VBT_STACKS_NATIVE)
        vbt_native_remember(&thread->full.native, place);
    return place;
}

static const struct vbt_place *leaf_place(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    uint32_t parent = python != NULL ? python->node : 0;
    struct vbt_leaf *leaf = &thread->leaves[(caller ^ caller >> 8 ^ parent) % VBT_LEAF_CACHE];
    uint32_t generation = atomic_load_explicit(&vbt_module_generation, memory_order_relaxed);
    if (VBT_UNLIKELY(leaf->address != caller || leaf->parent != parent || leaf->stamp != generation))
        vbt_native_leaf_find(thread, leaf, parent, caller, VBT_DOMAIN_HEAP);
    return &leaf->place;
}

const struct vbt_place *vbt_heap_place_else(struct vbt_thread *thread, uintptr_t sp, uintptr_t pc, uintptr_t fp) {
    enum vbt_stacks stacks = VBT_PEEK(enum vbt_stacks, vbt_stacks);
    if (stacks == VBT_STACKS_LEAF)
        return leaf_place(thread, pc);
    if (stacks == VBT_STACKS_NATIVE && VBT_UNLIKELY(vbt_native_verify_every != 0) &&
        vbt_native_repeats_verified(&thread->full.native, sp, pc, fp))
        return &thread->full.latest;
    const struct vbt_place *known = stacks == VBT_STACKS_NATIVE ? vbt_native_known(&thread->full.native, sp, pc, fp) : NULL;
    if (known == NULL)
        vbt_full_place(thread, &(struct vbt_registers){.sp = sp, .pc = pc, .fp = fp}, VBT_DOMAIN_HEAP);
    return known != NULL ? known : &thread->full.latest;
}

void vbt_threads_after_fork(void) {
    handing_on = (struct vbt_lock){0};
    next_to_check = NULL;
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        atomic_store(&thread->standing, VBT_IDLE); /* wherever the others stood in the parent */
        thread->row = 0;
    }
    uint32_t tid = vbt_self != NULL ? (uint32_t)vbt_sys(SYS_gettid) : 0;
    vbt_thread_rows_after_fork(tid);
    if (vbt_self != NULL) {
        vbt_self->tid = tid;
        vbt_self->row = 1;
    }
}
