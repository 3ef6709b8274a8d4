/* Waiting for a lock with a deadline. The code that does so reads the clock just before, although
 * the user's line does not: Python's locks do at every "import" and every lock.acquire(). Such a
 * reading does not end an interval. */
#include "hook.h"

/* Withdraws the reading that the thread has just made, if any, and looks up the real functions if
 * that has not been done. */
static inline void about_to_wait(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread != NULL && atomic_load_explicit(&thread->standing, memory_order_relaxed) == VBT_IDLE)
        vbt_intervals_withdraw(&thread->ledger);
    if (VBT_UNLIKELY(vbt_real.sem_wait == NULL))
        vbt_real_find();
}

VBT_EXPORT int sem_wait(sem_t *semaphore) {
    about_to_wait();
    int result = vbt_real.sem_wait(semaphore);
    if (VBT_UNLIKELY(vbt_python_others.list_lock != NULL) && result == 0 && *vbt_python_others.list_lock == semaphore)
        vbt_python_others.list_locked();
    return result;
}

VBT_EXPORT int sem_trywait(sem_t *semaphore) {
    about_to_wait();
    return vbt_real.sem_trywait(semaphore);
}

VBT_EXPORT int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    about_to_wait();
    return vbt_real.sem_timedwait(semaphore, deadline);
}

VBT_EXPORT int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict deadline) {
    about_to_wait();
    return vbt_real.sem_clockwait(semaphore, clock, deadline);
}

VBT_EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                                      const struct timespec *restrict deadline) {
    about_to_wait();
    return vbt_real.pthread_cond_timedwait(condition, mutex, deadline);
}

VBT_EXPORT int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, clockid_t clock,
                                      const struct timespec *restrict deadline) {
    about_to_wait();
    return vbt_real.pthread_cond_clockwait(condition, mutex, clock, deadline);
}
