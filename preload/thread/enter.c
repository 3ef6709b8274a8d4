/* See enter.h. */
#include "enter.h"

#include "preload/ledger/shadow.h"

struct vbt_thread *vbt_enter_paused(void) {
    if (atomic_load(&vbt_recording) != VBT_PAUSED)
        return NULL;
    struct vbt_thread *thread = vbt_self != NULL ? vbt_self : vbt_thread_begin();
    if (thread == NULL || atomic_load_explicit(&thread->standing, memory_order_relaxed) != VBT_IDLE)
        return NULL;
    atomic_store(&thread->standing, VBT_IN_CALL); /* by now it may be recording again, which is just as good */
    if (atomic_load(&vbt_recording) != VBT_STOPPED)
        return thread;
    atomic_store(&thread->standing, VBT_IDLE);
    return NULL;
}

struct vbt_thread *vbt_enter_paused_for(const void *block) {
    return atomic_load(&vbt_recording) == VBT_PAUSED && vbt_shadow_find(block) != NULL ? vbt_enter_paused() : NULL;
}

struct vbt_thread *vbt_enter_aside(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL || atomic_load_explicit(&thread->standing, memory_order_relaxed) != VBT_IDLE)
        return NULL;
    vbt_stand(thread, VBT_IN_CALL);
    return thread;
}
