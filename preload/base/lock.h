/* A lock for the rare paths: three states in one word, waiting in the kernel (Drepper, "Futexes are
 * tricky", mutex 2).
 *
 * pthread mutexes would do as well, but other tools interpose them. While one of these locks is
 * held, no foreign code is called: no loader, no allocator, no function of the program. */
#ifndef VBT_LOCK_H
#define VBT_LOCK_H

#include "sys.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct vbt_lock {
    _Atomic uint32_t state; /* 0 free, 1 taken, 2 taken and a thread may be waiting */
};

static inline bool vbt_trylock(struct vbt_lock *lock) {
    uint32_t seen = 0;
    return atomic_compare_exchange_strong_explicit(&lock->state, &seen, 1, memory_order_acquire, memory_order_relaxed);
}

static inline void vbt_lock(struct vbt_lock *lock) {
    if (vbt_trylock(lock))
        return;
    while (atomic_exchange_explicit(&lock->state, 2, memory_order_acquire) != 0)
        vbt_sys(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, 2, 0, 0, 0);
}

static inline void vbt_unlock(struct vbt_lock *lock) {
    if (atomic_exchange_explicit(&lock->state, 0, memory_order_release) == 2)
        vbt_sys(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

/* Waits a fifth of a second at most, and returns whether it has the lock. For the end of a process:
 * the holder may be a thread that was interrupted by the very signal whose handler ends the
 * process, and will never continue. */
static inline bool vbt_lock_patiently(struct vbt_lock *lock) {
    for (int i = 0; i < 200; i++) {
        if (vbt_trylock(lock))
            return true;
        struct timespec pause = {0, 1000000};
        vbt_sys(SYS_nanosleep, &pause, 0);
    }
    return false;
}

#endif
