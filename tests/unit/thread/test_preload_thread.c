/* Thread states: one each, reused after a thread has ended, with its counters continuing. */
#include "preload/thread/place.h"
#include "preload/thread/thread.h"

#include "preload/thread/books.h"
#include "preload/ledger/ledger.h"
#include "preload/thread/thread_rows.h"
#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <sched.h>
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
    atomic_store(&thread->standing, VBT_IN_CALL); /* killed during a call */
    world_reading(&thread->ledger, 1, 0);
    thread->leaves[0].address = thread->clock_places[0].address = 0x1234;
    thread->stack.code_generation = thread->full.native.stamp = 77;
    thread->ledger.arena.at = thread->ledger.arena.end + 16; /* half way to the next mapping */
    return NULL;
}

/* A pool that starts thread after thread must not grow the library without bound, nor lose the
 * counts of ended threads. */
static void the_states_of_ended_threads_are_used_again(void **state) {
    (void)state;
    enum { THREADS = 300 };
    for (uintptr_t i = 0; i < THREADS; i++)
        world_in_thread(allocate_and_end, &i);
    assert_in_range(count_states(), VBT_THREAD_ROWS + 1, VBT_THREAD_ROWS + 30);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, THREADS);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocated, 10 * THREADS);
}

/* The first threads keep their rows and counters; all others count in the last row. */
static void threads_have_rows(void **state) {
    (void)state;
    enum { THREADS = VBT_THREAD_ROWS + 100 };
    for (uintptr_t i = 1; i <= THREADS; i++)
        world_in_thread(allocate_and_end, &i);
    assert_int_equal(vbt_thread_count(), THREADS);
    struct vbt_books books;
    struct vbt_node_part parts[VBT_THREAD_LATER];
    vbt_books_read(&books);
    assert_int_equal(books.threads, THREADS);
    assert_int_equal(vbt_books_parts(&books, node, parts), VBT_THREAD_LATER);
    for (uint32_t row = 1; row <= VBT_THREAD_LATER; row++) {
        uint64_t allocs = row < VBT_THREAD_LATER ? 1 : 100;
        struct vbt_totals totals[VBT_DOMAINS];
        vbt_books_row(row, totals);
        assert_int_equal(totals[VBT_DOMAIN_HEAP].allocs, allocs);
        assert_int_equal(totals[VBT_DOMAIN_HEAP].allocated, 10 * allocs);
        assert_int_equal(parts[row - 1].row, row);
        assert_int_equal(parts[row - 1].allocs, allocs);
        assert_int_equal(parts[row - 1].allocated - parts[row - 1].freed, 10 * allocs);
    }
}

static void *begin_with_a_name(void *out) {
    pthread_setname_np(pthread_self(), "first name");
    *(struct vbt_thread **)out = vbt_thread_begin();
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return NULL;
}

/* The thread's name at its first event; then whenever the stream reads it; and the last one after
 * it has ended. */
static void threads_have_names(void **state) {
    (void)state;
    pthread_t other;
    struct vbt_thread *thread;
    pthread_barrier_init(&meeting, NULL, 2);
    assert_int_equal(pthread_create(&other, NULL, begin_with_a_name, &thread), 0);
    pthread_barrier_wait(&meeting);
    const struct vbt_thread_row *row = vbt_thread_row_at(1);
    assert_int_equal(thread->row, 1);
    assert_int_equal(row->tid, thread->tid);
    assert_string_equal(row->name, "first name");
    assert_int_equal(pthread_setname_np(other, "15 bytes of it."), 0);
    vbt_thread_rows_look(5);
    assert_string_equal(row->name, "15 bytes of it.");
    pthread_setname_np(other, "s");
    vbt_thread_rows_look(6);
    assert_string_equal(row->name, "s");
    vbt_thread_row_named(thread->tid, "seen by a hook, but not so later");
    vbt_thread_rows_look(6);
    assert_string_equal(row->name, "s"); /* the kernel knows better */
    vbt_thread_row_named(thread->tid, "seen by a hook");
    vbt_thread_row_named(0, NULL); /* the calling thread has no row */
    assert_int_equal(row->ended, 0);
    pthread_barrier_wait(&meeting);
    pthread_join(other, NULL);
    while (!vbt_thread_is_gone(thread->tid)) /* the kernel may take a moment longer */
        sched_yield();
    vbt_thread_rows_look(7);
    vbt_thread_rows_look(8);
    assert_int_equal(row->ended, 7);
    assert_string_equal(row->name, "seen by a hook");
}

static void what_the_program_calls_a_thread_is_shown_unless_the_kernel_was_told(void **state) {
    (void)state;
    pthread_t other;
    struct vbt_thread *thread;
    pthread_barrier_init(&meeting, NULL, 2);
    assert_int_equal(pthread_create(&other, NULL, begin_with_a_name, &thread), 0);
    pthread_barrier_wait(&meeting);
    const struct vbt_thread_row *row = vbt_thread_row_at(thread->row);
    assert_string_equal(vbt_thread_row_name(row), "first name");
    vbt_thread_row_called(VBT_THREAD_LATER, "nobody's");
    vbt_thread_row_called(thread->row, "a name of more than sixteen bytes");
    vbt_thread_row_called(thread->row, "another one");
    assert_string_equal(vbt_thread_row_name(row), "a name of more than sixteen bytes");
    vbt_thread_rows_look(5);
    assert_string_equal(vbt_thread_row_name(row), "a name of more than sixteen bytes");
    assert_int_equal(pthread_setname_np(other, "told"), 0);
    vbt_thread_rows_look(6);
    assert_string_equal(vbt_thread_row_name(row), "told");
    pthread_barrier_wait(&meeting);
    pthread_join(other, NULL);
    assert_string_equal(vbt_thread_row_name(vbt_thread_row_at(VBT_THREAD_LATER)), "");
}

static void after_a_fork_the_caller_is_the_first(void **state) {
    (void)state;
    for (uintptr_t i = 0; i < 3; i++)
        world_in_thread(allocate_and_end, &i);
    struct vbt_thread *self = vbt_thread_begin();
    assert_int_equal(self->row, 4);
    vbt_threads_after_fork();
    vbt_books_inherit(true);
    assert_int_equal(self->row, 1);
    assert_int_equal(vbt_thread_count(), 1);
    assert_int_equal(vbt_thread_row_at(1)->tid, gettid());
    struct vbt_books books;
    struct vbt_node_part parts[VBT_THREAD_LATER];
    vbt_books_read(&books);
    assert_int_equal(vbt_books_parts(&books, node, parts), 1); /* inherited: live, though not allocated here */
    assert_int_equal(parts[0].row, 1);
    assert_int_equal(parts[0].allocs, 0);
    assert_true(parts[0].at_peak >= 30);
    uint32_t before = count_states();
    world_in_thread(allocate_and_end, &(uintptr_t){9});
    assert_int_equal(count_states(), before);                  /* of the parent's threads */
    assert_int_equal(vbt_books_parts(&books, node, parts), 1); /* it began after the books were read */
    vbt_books_read(&books);
    assert_int_equal(vbt_books_parts(&books, node, parts), 2);
    assert_int_equal(parts[1].row, 2);
    assert_int_equal(parts[1].allocs, 1);
}

static void *look_at_a_fresh_state(void *good) {
    struct vbt_thread *thread = vbt_thread_begin();
    *(bool *)good &= atomic_load(&thread->standing) == VBT_IDLE && thread->stack.override.node == 0 && thread->stack.depth == 0 &&
                     thread->leaves[0].address == 0 && thread->clock_places[0].address == 0 && thread->stack.code_generation == 0 &&
                     thread->full.native.stamp == 0 && thread->ledger.arena.at == thread->ledger.arena.end &&
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
    vbt_leaf_find(thread, &leaf, node, 0x123456, VBT_DOMAIN_HEAP);
    assert_int_equal(leaf.address, 0x123456);
    assert_int_equal(leaf.parent, node);
    assert_int_equal(vbt_node_at(leaf.place.node)->parent, node);
    assert_int_equal(vbt_site_at(vbt_node_at(leaf.place.node)->site)->a, 0x123456);
    assert_ptr_equal(leaf.place.counters, vbt_place_of(&thread->ledger, leaf.place.node).counters);
    struct vbt_leaf python;
    vbt_leaf_find(thread, &python, node, 0x123456, VBT_DOMAIN_PYTHON);
    assert_int_not_equal(python.place.node, leaf.place.node);
}

#define TEST(name) cmocka_unit_test_setup(name, world_reset)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_thread_begins_idle_with_nothing),
        TEST(threads_that_are_alive_share_no_state),
        TEST(the_states_of_ended_threads_are_used_again),
        TEST(a_state_that_is_made_over_begins_idle),
        TEST(a_native_leaf_is_a_child_in_its_domain),
        TEST(threads_have_rows),
        TEST(threads_have_names),
        TEST(what_the_program_calls_a_thread_is_shown_unless_the_kernel_was_told),
        TEST(after_a_fork_the_caller_is_the_first),
    };
    world_init();
    node = world_node(0, "of threads", VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
