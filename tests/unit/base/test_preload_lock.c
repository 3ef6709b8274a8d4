/* The lock: one holder at a time, waiters are woken, waiting has a time limit. */
#include "preload/base/lock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 20000 };

static struct vbt_lock lock;
static long counter; /* not atomic: protected only by the lock */

static void *count_up(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        vbt_lock(&lock);
        long before = counter;
        __asm__ volatile("" ::: "memory");
        counter = before + 1;
        vbt_unlock(&lock);
    }
    return NULL;
}

static void only_one_holds_it(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(counter, THREADS * ROUNDS);
    assert_int_equal(lock.state, 0);
}

static void *wait_for_it(void *done) {
    vbt_lock(&lock);
    *(int *)done = 1;
    vbt_unlock(&lock);
    return NULL;
}

/* Once the state is 2, the other thread is about to sleep: from then on only a wake can end its
 * wait. */
static void a_sleeping_waiter_is_woken(void **state) {
    (void)state;
    int done = 0;
    pthread_t waiter;
    vbt_lock(&lock);
    assert_int_equal(pthread_create(&waiter, NULL, wait_for_it, &done), 0);
    while (atomic_load(&lock.state) != 2)
        ;
    assert_int_equal(done, 0);
    vbt_unlock(&lock);
    pthread_join(waiter, NULL);
    assert_int_equal(done, 1);
}

static void trying_does_not_wait(void **state) {
    (void)state;
    assert_true(vbt_trylock(&lock));
    assert_false(vbt_trylock(&lock));
    vbt_unlock(&lock);
    assert_true(vbt_trylock(&lock));
    vbt_unlock(&lock);
}

static void patience_ends(void **state) {
    (void)state;
    assert_true(vbt_lock_patiently(&lock));
    assert_false(vbt_lock_patiently(&lock));
    vbt_unlock(&lock);
    assert_true(vbt_lock_patiently(&lock));
    vbt_unlock(&lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_one_holds_it),
        cmocka_unit_test(a_sleeping_waiter_is_woken),
        cmocka_unit_test(trying_does_not_wait),
        cmocka_unit_test(patience_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
