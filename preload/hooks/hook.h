/* What every hook does: enter, find the place, call the real function, book what happened,
 * leave. */
#ifndef VBT_HOOK_H
#define VBT_HOOK_H

#include "preload/base/real.h"
#include "preload/ledger/ledger.h"
#include "preload/lifecycle.h"
#include "preload/python/python.h"
#include "preload/thread/enter.h"
#include "preload/thread/place.h"
#include "preload/tree/modules.h"
#include "preload/tree/tree.h"

#define VBT_EXPORT __attribute__((visibility("default")))
#define VBT_CALLER ((uintptr_t)__builtin_return_address(0))

/* Enters the event, as `as`. Returns the calling thread's state. NULL: the hook only passes the
 * call on, since nothing is recorded now, or the hook was called from inside another one. What a
 * signal handler allocates while it interrupts the bookkeeping is counted as lost. caller: the
 * hook's caller, for functions that an allocator may call; else 0. */
VBT_INLINE struct vbt_thread *vbt_enter_as(enum vbt_standing as, uintptr_t caller) {
    struct vbt_thread *thread = vbt_enter_usual(as);
    return VBT_LIKELY(thread != NULL) ? thread : vbt_enter_slowly(as, caller);
}

/* The same, as VBT_IN_CALL. */
VBT_INLINE struct vbt_thread *vbt_enter(void) { return vbt_enter_as(VBT_IN_CALL, 0); }

/* Is the program's malloc this library's? */
bool vbt_heap_is_hooked(void);

/* What is needed to take back the end of a block. */
struct vbt_retired {
    uint64_t cell;
    bool was_last;
};

/* Books the end of a block before the real call: once that has freed it, another thread may be
 * given its address. */
VBT_INLINE struct vbt_retired vbt_book_end(struct vbt_thread *thread, enum vbt_domain domain, const void *block) {
    vbt_stand(thread, VBT_IN_LEDGER);
    struct vbt_retired retired = {.was_last = thread->ledger.last_block == block};
    retired.cell = vbt_ledger_free(&thread->ledger, domain, block);
    vbt_stand(thread, domain == VBT_DOMAIN_HEAP ? VBT_IN_REAL : VBT_IN_CALL);
    return retired;
}

/* The same, fast in the usual case. */
VBT_INLINE struct vbt_retired vbt_book_end_usually(struct vbt_thread *thread, enum vbt_domain domain, const void *block) {
    vbt_stand(thread, VBT_IN_LEDGER);
    struct vbt_retired retired = {.was_last = thread->ledger.last_block == block};
    if (VBT_UNLIKELY(!vbt_ledger_free_usual(&thread->ledger, domain, block, &retired.cell)))
        retired.cell = vbt_ledger_free(&thread->ledger, domain, block);
    vbt_stand(thread, domain == VBT_DOMAIN_HEAP ? VBT_IN_REAL : VBT_IN_CALL);
    return retired;
}

/* The block did not end after all: the realloc failed. */
static inline void vbt_book_end_undone(struct vbt_thread *thread, const void *block, struct vbt_retired retired) {
    vbt_stand(thread, VBT_IN_LEDGER);
    vbt_ledger_unfree(&thread->ledger, block, retired.cell, retired.was_last);
    vbt_stand(thread, VBT_IN_CALL);
}

#endif
