/* Entering and leaving an event: a thread says where it is (enum vbt_standing), so that what
 * happens meanwhile on the same thread is recognised as part of the event, and the thread that
 * stops the recording can wait for it. */
#ifndef VBT_ENTER_H
#define VBT_ENTER_H

#include "thread.h"

/* Enters the event, as `as`, if the thread is idle and everything is recorded as usual. Returns the
 * thread's state. NULL only means that the slow path has to decide: vbt_enter_as in
 * hooks/hook.h. */
VBT_INLINE struct vbt_thread *vbt_enter_usual(enum vbt_standing as) {
    struct vbt_thread *thread = vbt_self_or_stand_in;
    if (VBT_UNLIKELY(VBT_PEEK(uint32_t, thread->standing) != VBT_IDLE))
        return NULL;
    atomic_store_explicit(&thread->standing, (uint32_t)as, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* the thread that stops the recording makes it a full one: quiesce in lifecycle.c */
    if (VBT_UNLIKELY(VBT_PEEK(uint32_t, vbt_recording) != VBT_RECORDING)) {
        atomic_store_explicit(&thread->standing, VBT_IDLE, memory_order_relaxed);
        return NULL;
    }
    return thread;
}

VBT_INLINE void vbt_stand(struct vbt_thread *thread, enum vbt_standing standing) {
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&thread->standing, (uint32_t)standing, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

VBT_INLINE void vbt_leave(struct vbt_thread *thread) { vbt_stand(thread, VBT_IDLE); }

/* Enters if recording is paused, so that the end of something can be booked; else NULL. The second
 * does so only for a block that is known. */
struct vbt_thread *vbt_enter_paused(void);
struct vbt_thread *vbt_enter_paused_for(const void *block);

/* For code of vbtrace's own that is not an event: what it allocates until vbt_leave is not the
 * program's. NULL if the thread has no state or is in an event already: then there is nothing to
 * leave. */
struct vbt_thread *vbt_enter_aside(void);

#endif
