/* The peak: exact with one thread, within its stated error with several, and what each node held at
 * it. */
#include "preload/thread/books.h"
#include "preload/ledger/ledger.h"
#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NODES = 40, BLOCKS = 300, MB = 1 << 20 };

static uint32_t nodes[NODES];

/* Live bytes, by brute force: compared with the highest total after every event. */
static struct {
    int64_t live, peak;
    int64_t of_node[NODES], at_peak[NODES];
    struct {
        uint32_t node;
        int64_t size; /* -1: free */
    } blocks[BLOCKS];
} truth;

static int begin(void **state) {
    memset(&truth, 0, sizeof truth);
    for (int i = 0; i < BLOCKS; i++)
        truth.blocks[i].size = -1;
    return world_reset(state);
}

static void settle(void) {
    if (truth.live > truth.peak) {
        truth.peak = truth.live;
        memcpy(truth.at_peak, truth.of_node, sizeof truth.at_peak);
    }
}

static uintptr_t address_of(uint32_t block) { return 0x10000 + VBT_CELL_SIZES * block; }

static void do_alloc(struct vbt_thread *thread, uint32_t block, uint32_t node, int64_t size) {
    world_alloc(thread, nodes[node], address_of(block), (size_t)size);
    truth.blocks[block].node = node;
    truth.blocks[block].size = size;
    truth.live += size;
    truth.of_node[node] += size;
    settle();
}

static void do_free(struct vbt_thread *thread, uint32_t block) {
    assert_int_not_equal(world_free(thread, address_of(block)), 0);
    truth.live -= truth.blocks[block].size;
    truth.of_node[truth.blocks[block].node] -= truth.blocks[block].size;
    truth.blocks[block].size = -1;
}

/* Allocations prevail for a while, then frees, so that there are many peaks; with the stream's
 * ticks in between. */
static void random_step(struct vbt_thread *thread, uint64_t *seed, int step) {
    uint32_t block = (uint32_t)(world_random(seed) % BLOCKS);
    bool rising = step / 200 % 2 == 0;
    if (world_random(seed) % 50 == 0)
        atomic_fetch_add(&vbt_epoch, 1);
    if (truth.blocks[block].size < 0 && (rising || world_random(seed) % 4 == 0)) {
        int64_t size = world_random(seed) % 20 == 0 ? (int64_t)(world_random(seed) % 100000) : (int64_t)(world_random(seed) % 300);
        do_alloc(thread, block, (uint32_t)(world_random(seed) % NODES), size);
    } else if (truth.blocks[block].size >= 0 && (!rising || world_random(seed) % 4 == 0)) {
        do_free(thread, block);
    }
}

static struct vbt_books read_books(void) {
    struct vbt_books books;
    vbt_books_read(&books);
    return books;
}

static int64_t at_peak(const struct vbt_books *books, uint32_t node) {
    struct vbt_node_sum sum;
    vbt_books_node(books, nodes[node], &sum);
    return sum.totals.at_peak;
}

static int64_t sum_at_peak(const struct vbt_books *books) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < NODES; i++)
        sum += at_peak(books, i);
    return sum;
}

static void assert_exact(void) {
    struct vbt_books books = read_books();
    assert_int_equal(books.peak, truth.peak);
    assert_int_equal(books.peak_error, 0);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(at_peak(&books, i), truth.at_peak[i]);
}

static void one_thread_knows_its_peak_exactly(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint64_t seed = 11;
    for (int step = 0; step < 40000; step++) {
        random_step(thread, &seed, step);
        if (world_random(&seed) % 40 == 0)
            assert_exact();
    }
}

/* A peak that is reached again is not exceeded: the live bytes of the first one are kept. */
static void the_first_of_equal_peaks_counts(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    do_alloc(thread, 0, 0, 1000);
    do_free(thread, 0);
    do_alloc(thread, 1, 1, 1000);
    struct vbt_books books = read_books();
    assert_int_equal(at_peak(&books, 0), 1000);
    assert_int_equal(at_peak(&books, 1), 0);
    do_free(thread, 1);
    books = read_books();
    assert_int_equal(books.peak, 1000);
    assert_int_equal(at_peak(&books, 0), 1000);
    assert_int_equal(at_peak(&books, 1), 0);
}

static void a_failed_realloc_leaves_the_peak_alone(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    do_alloc(thread, 0, 0, 1000);
    do_alloc(thread, 1, 1, 500);
    uint64_t cell = world_free(thread, address_of(0));
    vbt_ledger_unfree(&thread->ledger, (void *)address_of(0), cell, false);
    do_alloc(thread, 2, 2, 1);
    do_free(thread, 1);
    struct vbt_books books = read_books();
    assert_int_equal(books.peak, 1501);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(at_peak(&books, i), truth.at_peak[i]);
}

/* The recorded peak, and the nodes' bytes at it, are the true ones within the stated error. */
static void assert_within_error(void) {
    struct vbt_books books = read_books();
    assert_int_equal(books.peak_error, (int64_t)books.threads * VBT_PEAK_BATCH);
    assert_in_range(llabs(books.peak - truth.peak), 0, books.peak_error);
    assert_in_range(llabs(sum_at_peak(&books) - truth.peak), 0, 2 * books.peak_error);
}

/* Several threads' ledgers, used in turn: the order of events is known, and so is the true peak. */
static void several_threads_stay_within_the_stated_error(void **state) {
    (void)state;
    enum { THREADS = 5 };
    struct vbt_thread *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = vbt_thread_begin();
    uint64_t seed = 12;
    for (int step = 0; step < 40000; step++) {
        random_step(threads[world_random(&seed) % THREADS], &seed, step);
        if (step % 50 == 0)
            assert_within_error();
    }
}

/* The first thread's share while it was alone belongs to the peak that a second one makes. */
static void a_second_thread_adds_to_what_the_first_holds(void **state) {
    (void)state;
    struct vbt_thread *one = vbt_thread_begin();
    do_alloc(one, 0, 0, MB);
    struct vbt_thread *two = vbt_thread_begin();
    do_alloc(two, 1, 1, MB); /* while the first one waits for it */
    do_free(two, 1);
    assert_within_error();
    do_free(one, 0);
    assert_within_error();
}

static void what_one_thread_reached_alone_is_kept(void **state) {
    (void)state;
    struct vbt_thread *one = vbt_thread_begin();
    do_alloc(one, 0, 0, MB);
    struct vbt_thread *two = vbt_thread_begin();
    do_free(one, 0);
    do_alloc(two, 1, 1, 100);
    assert_within_error();
    do_alloc(one, 2, 2, 2 * MB);
    do_alloc(two, 3, 3, MB);
    do_free(two, 3);
    do_free(one, 2);
    assert_within_error();
}

static void one_thread_becomes_several(void **state) {
    (void)state;
    uint64_t seed = 13;
    struct vbt_thread *threads[4];
    uint32_t count = 0;
    for (int step = 0; step < 20000; step++) {
        if (step % 5000 == 0)
            threads[count++] = vbt_thread_begin();
        random_step(threads[world_random(&seed) % count], &seed, step);
        if (step % 20 == 0 && count > 1)
            assert_within_error();
    }
}

/* The thread that forks is alone in the child, until that has a second one. */
static void a_child_of_several_threads_knows_its_peak_exactly(void **state) {
    (void)state;
    struct vbt_thread *threads[3];
    uint64_t seed = 14;
    int step = 0;
    for (int i = 0; i < 3; i++)
        threads[i] = vbt_thread_begin();
    for (; step < 10000; step++)
        random_step(threads[world_random(&seed) % 3], &seed, step);
    vbt_self = threads[1];
    vbt_threads_after_fork();
    vbt_books_inherit(true);
    truth.peak = truth.live;
    memcpy(truth.at_peak, truth.of_node, sizeof truth.at_peak);
    for (; step < 30000; step++) {
        random_step(threads[1], &seed, step);
        if (step % 20 == 0)
            assert_exact();
    }
    struct vbt_thread *both[2] = {threads[1], vbt_thread_begin()};
    assert_true(both[1] == threads[0] || both[1] == threads[2]);
    for (; step < 50000; step++) {
        random_step(both[world_random(&seed) % 2], &seed, step);
        if (step % 20 == 0)
            assert_within_error();
    }
    for (uint32_t block = 0; block < BLOCKS; block++)
        if (truth.blocks[block].size >= 0)
            do_free(threads[1], block);
    vbt_books_inherit(true); /* for later tests: nothing is left */
}

/* The block that was not freed after all still counts when another thread goes higher. */
static void a_failed_realloc_does_not_hide_live_bytes_from_other_threads(void **state) {
    (void)state;
    struct vbt_thread *one = vbt_thread_begin();
    struct vbt_thread *two = vbt_thread_begin();
    do_alloc(one, 0, 0, MB);
    uint64_t cell = world_free(one, address_of(0));
    vbt_ledger_unfree(&one->ledger, (void *)address_of(0), cell, true);
    do_alloc(two, 1, 1, MB);
    do_free(two, 1);
    assert_within_error();
}

/* Blocks move between threads: each one's own share may be far below 0. */
static void memory_that_is_freed_elsewhere_stays_within_the_error(void **state) {
    (void)state;
    struct vbt_thread *maker = vbt_thread_begin();
    struct vbt_thread *taker = vbt_thread_begin();
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i <= round; i++)
            do_alloc(maker, i, i % NODES, 1000 + round);
        for (uint32_t i = 0; i <= round; i++)
            do_free(taker, i);
        assert_within_error();
    }
    assert_true(taker->ledger.live < -MB);
}

enum { REAL_THREADS = 4, HELD = 50 };

static pthread_barrier_t meeting;

static void *hold_and_release(void *number) {
    uintptr_t mine = 0x1000000 * (1 + (uintptr_t)number);
    struct vbt_thread *thread = vbt_thread_begin();
    pthread_barrier_wait(&meeting);
    for (int round = 0; round < 20; round++) {
        for (uintptr_t i = 0; i < HELD; i++)
            world_alloc(thread, nodes[i % NODES], mine + 1024 * i, 1000);
        pthread_barrier_wait(&meeting); /* all threads hold all blocks */
        for (uintptr_t i = 0; i < HELD; i++)
            world_free(thread, mine + 1024 * i);
        pthread_barrier_wait(&meeting);
    }
    return NULL;
}

static void real_threads_stay_within_the_stated_error(void **state) {
    (void)state;
    pthread_t threads[REAL_THREADS];
    pthread_barrier_init(&meeting, NULL, REAL_THREADS);
    for (uintptr_t i = 0; i < REAL_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_release, (void *)i), 0);
    for (uintptr_t i = 0; i < REAL_THREADS; i++)
        pthread_join(threads[i], NULL);
    truth.peak = REAL_THREADS * HELD * 1000;
    assert_within_error();
    assert_int_equal(read_books().totals[VBT_DOMAIN_HEAP].allocs, REAL_THREADS * HELD * 20);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_thread_knows_its_peak_exactly),
        TEST(the_first_of_equal_peaks_counts),
        TEST(a_failed_realloc_leaves_the_peak_alone),
        TEST(several_threads_stay_within_the_stated_error),
        TEST(a_second_thread_adds_to_what_the_first_holds),
        TEST(what_one_thread_reached_alone_is_kept),
        TEST(one_thread_becomes_several),
        TEST(a_child_of_several_threads_knows_its_peak_exactly),
        TEST(a_failed_realloc_does_not_hide_live_bytes_from_other_threads),
        TEST(memory_that_is_freed_elsewhere_stays_within_the_error),
        TEST(real_threads_stay_within_the_stated_error),
    };
    world_init();
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = world_node(i == 0 ? 0 : nodes[(i - 1) / 2], i % 2 ? "odd" : "even", VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
