/* Threads' states: one each, made over when a thread has ended, with its counters going on. */
#include "preload/thread.h"

#include "preload/ledger/books.h"
#include "preload/ledger/ledger.h"
#include "preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static uint32_t node;

static uint32_t count_states(void) {
    uint32_t count = 0;
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
        count++;
    return count;
}

static void a_thread_begins_idle_with_nothing(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    assert_non_null(thread);
    assert_ptr_equal(vbt_self, thread);
    assert_int_equal(thread->standing, VBT_IDLE);
    assert_int_equal(thread->tid, gettid());
    assert_int_equal(thread->ledger.live, 0);
    assert_ptr_equal(thread->ledger.intervals, &thread->intervals);
    assert_ptr_equal(thread->stack.ledger, &thread->ledger);
    assert_ptr_equal(vbt_threads, thread);
}

enum { ALIVE = 8 };

static pthread_barrier_t meeting;

static void *begin_and_stay(void *out) {
    *(struct vbt_thread **)out = vbt_thread_begin();
    pthread_barrier_wait(&meeting);
    return NULL;
}

static void threads_that_are_alive_share_no_state(void **state) {
    (void)state;
    pthread_t threads[ALIVE];
    struct vbt_thread *states[ALIVE];
    pthread_barrier_init(&meeting, NULL, ALIVE);
    for (int i = 0; i < ALIVE; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, begin_and_stay, &states[i]), 0);
    for (int i = 0; i < ALIVE; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ALIVE; i++)
        for (int j = 0; j < i; j++)
            assert_ptr_not_equal(states[i], states[j]);
    assert_int_equal(count_states(), ALIVE);
}

static void *allocate_and_end(void *number) {
    struct vbt_thread *thread = vbt_thread_begin();
    uintptr_t block = 0x10000 + 16 * *(uintptr_t *)number;
    world_alloc(thread, node, block, 10);
    vbt_python_override(&thread->stack, node);
    thread->stack.depth = 3;
    atomic_store(&thread->standing, VBT_IN_CALL); /* killed in the middle of a call */
    world_reading(&thread->ledger, 1, 0);
    return NULL;
}

/* A pool that makes thread after thread must not grow the library without bound, nor lose what the dead ones counted. */
static void the_states_of_ended_threads_are_used_again(void **state) {
    (void)state;
    enum { THREADS = 300 };
    for (uintptr_t i = 0; i < THREADS; i++)
        world_in_thread(allocate_and_end, &i);
    assert_in_range(count_states(), 1, 30);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, THREADS);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocated, 10 * THREADS);
}

static void *look_at_a_fresh_state(void *good) {
    struct vbt_thread *thread = vbt_thread_begin();
    *(bool *)good &= atomic_load(&thread->standing) == VBT_IDLE && thread->stack.override.node == 0 && thread->stack.depth == 0 &&
                     thread->ledger.last_block == NULL && !thread->intervals.clock_open && thread->tid == (uint32_t)gettid();
    return NULL;
}

static void a_state_that_is_made_over_begins_idle(void **state) {
    (void)state;
    bool good = true;
    for (uintptr_t i = 0; i < 20; i++) {
        world_in_thread(allocate_and_end, &i);
        world_in_thread(look_at_a_fresh_state, &good);
    }
    assert_true(good);
}

static void a_native_leaf_is_a_child_in_its_domain(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    struct vbt_leaf leaf;
    vbt_native_leaf_find(thread, &leaf, node, 0x123456, VBT_DOMAIN_HEAP);
    assert_int_equal(leaf.address, 0x123456);
    assert_int_equal(leaf.parent, node);
    assert_int_equal(vbt_node_at(leaf.place.node)->parent, node);
    assert_int_equal(vbt_site_at(vbt_node_at(leaf.place.node)->site)->a, 0x123456);
    assert_ptr_equal(leaf.place.counters, vbt_counters_of(&thread->ledger, leaf.place.node));
    struct vbt_leaf python;
    vbt_native_leaf_find(thread, &python, node, 0x123456, VBT_DOMAIN_PYTHON);
    assert_int_not_equal(python.place.node, leaf.place.node);
}

#define TEST(name) cmocka_unit_test_setup(name, world_reset)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_thread_begins_idle_with_nothing),          TEST(threads_that_are_alive_share_no_state),
        TEST(the_states_of_ended_threads_are_used_again), TEST(a_state_that_is_made_over_begins_idle),
        TEST(a_native_leaf_is_a_child_in_its_domain),
    };
    world_init();
    node = world_node(0, "of threads", VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
