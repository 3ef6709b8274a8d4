/* What the child of a fork inherits is worked out account by account, when something happens there:
 * until then, its counters are the parent's. */
#include "preload/ledger/ledger.h"
#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NODES = 5, BLOCKS = 200, FIRST_BLOCK = 0x10000, APART = 1 << 20 };

static uint32_t nodes[NODES];

static struct vbt_node_totals totals_of(uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum;
    vbt_books_read(&books);
    vbt_books_node(&books, node, &sum);
    return sum.totals;
}

static void nothing_is_written_before_the_first_change(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, nodes[0], FIRST_BLOCK, 100);
    world_alloc(thread, nodes[0], FIRST_BLOCK + APART, 30);
    for (uintptr_t i = 0; i < 10; i++)
        world_alloc(thread, nodes[1], FIRST_BLOCK + APART * (10 + i), 1);
    uint32_t account = vbt_account_if_made(nodes[1]);
    assert_true(account != 0 && vbt_account_if_made(nodes[0]) == 0);
    const struct vbt_counters_page *page = vbt_counters_page(&thread->ledger, account / VBT_PAGE_ACCOUNTS);
    struct vbt_counters_page before = *page;
    const struct vbt_slip *slips = vbt_slip_at(&thread->ledger, 0);
    struct vbt_slip slips_before[VBT_PAGE_SLIPS];
    memcpy(slips_before, slips, sizeof slips_before);
    vbt_books_inherit(true);
    assert_memory_equal(page, &before, sizeof before);
    assert_memory_equal(slips, slips_before, sizeof slips_before);
    assert_int_equal(totals_of(nodes[0]).inherited_blocks, 2);
    assert_int_equal(totals_of(nodes[0]).inherited_bytes, 130);
    assert_int_equal(totals_of(nodes[1]).inherited_blocks, 10);
    assert_int_equal(totals_of(nodes[1]).inherited_bytes, 10);
    world_free(thread, FIRST_BLOCK);
    assert_int_equal(totals_of(nodes[0]).inherited_bytes, 130);
    assert_int_equal(totals_of(nodes[0]).freed, 100);
    assert_int_equal(totals_of(nodes[0]).allocs, 0);
    world_free(thread, FIRST_BLOCK + APART * 10);
    assert_int_equal(totals_of(nodes[1]).inherited_bytes, 10);
    assert_int_equal(totals_of(nodes[1]).freed, 1);
    assert_memory_equal(slips, slips_before, sizeof slips_before);
}

static void sizes_are_those_since_the_fork(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    for (uintptr_t i = 0; i < 10; i++)
        world_alloc(thread, nodes[0], FIRST_BLOCK + APART * i, 1 + 1000 * i);
    vbt_books_inherit(true);
    assert_int_equal(totals_of(nodes[0]).min_size, 0);
    assert_int_equal(totals_of(nodes[0]).max_size, 0);
    assert_int_equal(totals_of(nodes[0]).buckets, 0);
    world_alloc(thread, nodes[0], FIRST_BLOCK + 100 * APART, 50);
    assert_int_equal(totals_of(nodes[0]).min_size, 50);
    assert_int_equal(totals_of(nodes[0]).max_size, 50);
    assert_int_equal(totals_of(nodes[0]).buckets, 1);
    world_alloc(thread, nodes[0], FIRST_BLOCK + 101 * APART, 5000);
    assert_int_equal(totals_of(nodes[0]).max_size, 5000);
    assert_int_equal(totals_of(nodes[0]).buckets, 2);
}

/* The latest allocation of a thread is charged to another node, but the thread has forked since. */
static void what_the_parent_allocated_is_not_moved(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, nodes[0], FIRST_BLOCK, 100);
    vbt_books_inherit(true);
    assert_false(vbt_ledger_move(&thread->ledger, (void *)FIRST_BLOCK, nodes[1]));
    assert_int_equal(totals_of(nodes[0]).inherited_blocks, 1);
}

/* A fork in a signal handler, while the thread was about to change an account: it does so in the
 * child. */
static void an_event_that_a_fork_interrupts_is_the_childs(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    for (uintptr_t i = 0; i <= VBT_SLIP_ALLOCS; i++)
        world_alloc(thread, nodes[0], FIRST_BLOCK + APART * i, 100);
    for (uintptr_t i = 1; i <= VBT_SLIP_ALLOCS; i++)
        world_free(thread, FIRST_BLOCK + APART * i);
    struct vbt_counters *counters = vbt_place_of(&thread->ledger, nodes[0]).counters;
    assert_ptr_not_equal(counters, &vbt_no_counters);
    atomic_store(&thread->standing, VBT_IN_LEDGER);
    vbt_books_before_fork();
    vbt_books_inherit(true);
    counters->allocs++;
    counters->allocated += 7;
    atomic_store(&thread->standing, VBT_IDLE);
    assert_int_equal(totals_of(nodes[0]).allocs, 1);
    assert_int_equal(totals_of(nodes[0]).allocated, 7);
    assert_int_equal(totals_of(nodes[0]).inherited_blocks, 1);
    assert_int_equal(totals_of(nodes[0]).inherited_bytes, 100);
    vbt_books_before_fork();
    counters->allocs--;
    counters->allocated -= 7;
}

static struct truth { uint64_t allocs, frees, allocated, freed, inherited_blocks, inherited_bytes; } truth[NODES];

static struct {
    int node; /* -1: free */
    size_t size;
} blocks[BLOCKS];

static void assert_truth(void) {
    struct truth sums = {0};
    struct vbt_books books;
    vbt_books_read(&books);
    for (int n = 0; n < NODES; n++) {
        struct vbt_node_totals totals = totals_of(nodes[n]);
        assert_int_equal(totals.allocs, truth[n].allocs);
        assert_int_equal(totals.frees, truth[n].frees);
        assert_int_equal(totals.allocated, truth[n].allocated);
        assert_int_equal(totals.freed, truth[n].freed);
        assert_int_equal(totals.inherited_blocks, truth[n].inherited_blocks);
        assert_int_equal(totals.inherited_bytes, truth[n].inherited_bytes);
        sums.allocs += totals.allocs;
        sums.freed += totals.freed;
        sums.inherited_blocks += totals.inherited_blocks;
        sums.inherited_bytes += totals.inherited_bytes;
    }
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, sums.allocs);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].freed, sums.freed);
    assert_int_equal(books.inherited_blocks[VBT_DOMAIN_HEAP], sums.inherited_blocks);
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_HEAP], sums.inherited_bytes);
}

static void use_block(struct vbt_thread *thread, int i) {
    uintptr_t address = FIRST_BLOCK + APART * (uintptr_t)i;
    if (blocks[i].node >= 0) {
        world_free(thread, address);
        truth[blocks[i].node].frees++;
        truth[blocks[i].node].freed += blocks[i].size;
        blocks[i].node = -1;
    } else {
        blocks[i].node = rand() % NODES;
        blocks[i].size = (size_t)(rand() % 3000);
        world_alloc(thread, nodes[blocks[i].node], address, blocks[i].size);
        truth[blocks[i].node].allocs++;
        truth[blocks[i].node].allocated += blocks[i].size;
    }
}

/* One thread is left; the others' states are taken over by those that begin later. */
static void fork_from(struct vbt_thread *thread, bool in_order) {
    vbt_self = thread;
    vbt_books_before_fork();
    vbt_threads_after_fork();
    vbt_books_inherit(in_order);
    for (int n = 0; n < NODES; n++)
        truth[n] = (struct truth){.inherited_blocks = truth[n].inherited_blocks + truth[n].allocs - truth[n].frees,
                                  .inherited_bytes = truth[n].inherited_bytes + truth[n].allocated - truth[n].freed};
}

/* Forks of forks, from any thread, with events in between at some of the nodes only. */
static void random_events_in_a_line_of_children(void **state) {
    (void)state;
    srand(7);
    memset(truth, 0, sizeof truth);
    for (int i = 0; i < BLOCKS; i++)
        blocks[i].node = -1;
    for (int generation = 0; generation < 60; generation++) {
        struct vbt_thread *threads[3] = {vbt_self};
        for (int t = vbt_self != NULL; t < 1 + generation % 3; t++)
            threads[t] = vbt_thread_begin();
        for (int event = rand() % 40; event > 0; event--) {
            use_block(threads[rand() % (1 + generation % 3)], rand() % BLOCKS);
            if (rand() % 8 == 0)
                atomic_fetch_add(&vbt_epoch, 1); /* a tick */
        }
        assert_truth();
        fork_from(threads[rand() % (1 + generation % 3)], generation % 7 != 0);
        assert_truth();
    }
}

/* Frees the blocks that the test left, so that the next one inherits nothing. */
static int end(void **state) {
    (void)state;
    for (uintptr_t i = 0; i < BLOCKS; i++)
        world_free(vbt_self, FIRST_BLOCK + APART * i);
    vbt_books_inherit(true);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_reset, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_written_before_the_first_change), TEST(sizes_are_those_since_the_fork),
        TEST(what_the_parent_allocated_is_not_moved),     TEST(an_event_that_a_fork_interrupts_is_the_childs),
        TEST(random_events_in_a_line_of_children),
    };
    world_init();
    for (int n = 0; n < NODES; n++)
        nodes[n] = world_node(0, (const char[]){(char)('a' + n), '\0'}, VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
