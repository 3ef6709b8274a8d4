/* Entering and leaving an event: a thread says where it stands (enum vbt_standing), so that what
 * happens meanwhile on the same thread is known for what it is, and whoever stops the recording can
 * wait for it. */
#ifndef VBT_ENTER_H
#define VBT_ENTER_H

#include "thread.h"

/* The calling thread's state, which was idle and now stands as is said, while everything is
 * recorded as usual. NULL means only that another way of entering must be asked: hooks/hook.h. */
VBT_INLINE struct vbt_thread *vbt_enter_usual(enum vbt_standing as) {
    struct vbt_thread *thread = vbt_self_or_stand_in;
    if (VBT_UNLIKELY(VBT_PEEK(uint32_t, thread->standing) != VBT_IDLE))
        return NULL;
    atomic_store_explicit(&thread->standing, (uint32_t)as, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* whoever stops the recording makes it a full one: quiesce in lifecycle.c */
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

/* For code of vbtrace's own that is no event: what it allocates until vbt_leave is not the
 * program's. NULL where the thread has no state, or stands somewhere already, so that nothing has
 * to be left. */
struct vbt_thread *vbt_enter_aside(void);

#endif
