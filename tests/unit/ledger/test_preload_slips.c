/* Slips: call paths that are seen a few times are counted as exactly as all others, before and
 * after they outgrow their slips. */
#include "preload/ledger/slips.h"

#include "preload/ledger/ledger.h"
#include "format/count.h"
#include "preload/shared/options.h"
#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static uint32_t fresh_node(void) {
    static int number;
    char name[32];
    snprintf(name, sizeof name, "slip %d", number++);
    return world_node(0, name, VBT_DOMAIN_HEAP);
}

static struct vbt_node_sum sum_of(uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum;
    vbt_books_read(&books);
    vbt_books_node(&books, node, &sum);
    return sum;
}

static bool is_slip(uint32_t node) { return vbt_account_if_made(node) == 0; }

static uintptr_t block_at(uintptr_t number) { return 0x20000000 + number * 0x100000; }

/* What a slip cannot hold moves to an account, and nothing is lost on the way. */
static void what_does_not_fit_moves(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = fresh_node();
    for (uint32_t n = 1; n <= VBT_SLIP_ALLOCS; n++) {
        world_alloc(thread, node, block_at(n), 100 * n);
        assert_true(is_slip(node));
    }
    for (uint32_t n = 1; n <= VBT_SLIP_ALLOCS; n++)
        world_free(thread, block_at(n));
    assert_true(is_slip(node));
    world_alloc(thread, node, block_at(9), 7);
    assert_false(is_slip(node));
    struct vbt_node_sum sum = sum_of(node);
    assert_int_equal(sum.totals.allocs, 5);
    assert_int_equal(sum.totals.allocated, 1007);
    assert_int_equal(sum.totals.frees, 4);
    assert_int_equal(sum.totals.freed, 1000);
    assert_int_equal(sum.totals.temporary, 1);
    assert_int_equal(sum.totals.min_size, 7);
    assert_int_equal(sum.totals.max_size, 400);
    assert_int_equal(sum.sizes[vbt_size_bucket(300)], 1 + (vbt_size_bucket(300) == vbt_size_bucket(400)));
}

static void a_large_block_has_no_slip(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t fits = fresh_node(), large = fresh_node(), huge = fresh_node();
    world_alloc(thread, fits, block_at(0), UINT16_MAX);
    world_alloc(thread, large, block_at(1), UINT16_MAX + 1);
    world_alloc(thread, huge, 0x7000000000, (size_t)70 << 30);
    assert_true(is_slip(fits));
    assert_false(is_slip(large));
    assert_false(is_slip(huge));
    assert_int_equal(sum_of(fits).totals.max_size, UINT16_MAX);
    assert_int_equal(sum_of(large).totals.max_size, UINT16_MAX + 1);
    assert_int_equal(sum_of(huge).totals.allocated, (uint64_t)70 << 30);
    world_free(thread, 0x7000000000);
    world_free(thread, block_at(0));
    assert_int_equal(sum_of(huge).totals.freed, (uint64_t)70 << 30);
    assert_int_equal(sum_of(fits).totals.freed, UINT16_MAX);
}

/* A thread that only frees what others allocate at a node has a slip there, too; with as many frees
 * and bytes as its fields can hold, and more. */
static void what_others_allocated_is_freed_at_a_slip(void **state) {
    (void)state;
    enum { MANY = 40 };
    for (size_t size = 24; size < 100000; size *= 60) {
        struct vbt_thread *one = vbt_thread_begin();
        vbt_self = NULL;
        struct vbt_thread *other = vbt_thread_begin();
        uint32_t node = fresh_node();
        for (uint32_t n = 0; n < MANY; n++)
            world_alloc(one, node, block_at(n), size);
        for (uint32_t n = 0; n < MANY; n++) {
            world_free(other, block_at(n));
            assert_int_equal(sum_of(node).totals.frees, n + 1);
            assert_int_equal(sum_of(node).totals.freed, (n + 1) * size);
        }
        assert_int_equal(sum_of(node).totals.allocs, MANY);
    }
    struct vbt_thread *threads[MANY];
    uint32_t node = fresh_node();
    for (uint32_t n = 0; n < MANY; n++) { /* none has much to count */
        vbt_self = NULL;
        threads[n] = vbt_thread_begin();
        world_alloc(threads[n], node, block_at(n), 60000);
    }
    assert_true(is_slip(node));
    for (uint32_t n = 0; n < MANY; n++)
        world_free(threads[0], block_at(n));
    assert_false(is_slip(node));
    assert_int_equal(sum_of(node).totals.allocs, MANY);
    assert_int_equal(sum_of(node).totals.frees, MANY);
    assert_int_equal(sum_of(node).totals.freed, MANY * 60000);
}

/* After so many peaks and ticks that a slip's epoch has no room. */
static void epochs_beyond_32_bits_move_slips(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint64_t before = atomic_load(&vbt_epoch);
    uint32_t node = fresh_node(), later = fresh_node();
    world_alloc(thread, node, block_at(0), 5);
    atomic_store(&vbt_epoch, UINT64_C(1) << 32);
    world_alloc(thread, node, block_at(1), 6);
    world_alloc(thread, later, block_at(2), 7);
    assert_false(is_slip(node));
    assert_false(is_slip(later));
    assert_int_equal(sum_of(node).totals.allocated, 11);
    assert_int_equal(sum_of(later).totals.allocated, 7);
    atomic_store(&vbt_epoch, before);
}

static void a_place_is_renewed_when_there_is_an_account(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = fresh_node();
    struct vbt_place kept = vbt_place_of(&thread->ledger, node);
    assert_int_equal(kept.account, 0);
    assert_ptr_equal(kept.counters, &vbt_no_counters);
    for (uint32_t n = 0; n < 10; n++) {
        struct vbt_place now = vbt_place_renewed(&thread->ledger, &kept);
        assert_int_equal(now.account != 0, n > VBT_SLIP_ALLOCS);
        assert_int_equal(vbt_ledger_alloc_usual(&thread->ledger, VBT_DOMAIN_HEAP, now, (void *)block_at(n), 8),
                         n > VBT_SLIP_ALLOCS);
        if (n <= VBT_SLIP_ALLOCS)
            vbt_ledger_alloc(&thread->ledger, VBT_DOMAIN_HEAP, now, (void *)block_at(n), 8);
    }
    assert_int_equal(kept.account, vbt_account_if_made(node));
    assert_int_equal(sum_of(node).totals.allocs, 10);
    assert_int_equal(vbt_no_counters.allocs, 0);
}

static void a_failed_realloc_leaves_a_slip_as_it_was(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = fresh_node();
    world_alloc(thread, node, block_at(0), 40);
    struct vbt_slip before = *vbt_slip_at(&thread->ledger, vbt_account_slip(vbt_account_of(node)));
    uint64_t cell = world_free(thread, block_at(0));
    vbt_ledger_unfree(&thread->ledger, (void *)block_at(0), cell, true);
    const struct vbt_slip *after = vbt_slip_at(&thread->ledger, vbt_account_slip(vbt_account_of(node)));
    assert_int_equal(after->counts, before.counts);
    assert_memory_equal(after->sizes, before.sizes, sizeof before.sizes);
    assert_int_equal(sum_of(node).totals.frees, 0);
    world_free(thread, block_at(0));
    assert_int_equal(sum_of(node).totals.temporary, 1);
}

static void a_block_moves_between_slips(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t from = fresh_node(), to = fresh_node();
    world_alloc(thread, from, block_at(0), 40);
    world_alloc(thread, from, block_at(1), 50);
    assert_true(vbt_ledger_move(&thread->ledger, (void *)block_at(1), to));
    assert_true(vbt_ledger_move(&thread->ledger, (void *)block_at(1), to)); /* where it is already */
    assert_int_equal(sum_of(from).totals.allocated, 40);
    assert_int_equal(sum_of(from).totals.max_size, 40);
    assert_int_equal(sum_of(to).totals.allocated, 50);
    assert_int_equal(vbt_ledger_node_of((void *)block_at(1)), to);
    world_free(thread, block_at(1));
    assert_int_equal(sum_of(to).totals.freed, 50);
    assert_int_equal(sum_of(from).totals.frees, 0);
    world_alloc(thread, from, block_at(2), 60);
    assert_int_equal(sum_of(from).totals.allocated, 100);
    assert_int_equal(sum_of(from).totals.max_size, 60);
    assert_int_equal(sum_of(from).totals.min_size, 40);
}

/* With VBTRACE_MAX_MEMORY: what a known path would need an account for is lost with the new ones,
 * but each block ends where it began. */
static void beyond_the_limit_of_memory_slips_stay(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = fresh_node(), other = fresh_node(), lost = vbt_tree.lost_nodes[VBT_DOMAIN_HEAP];
    uint64_t lost_before = sum_of(lost).totals.allocs, totals_before = thread->ledger.totals[VBT_DOMAIN_HEAP].allocs;
    world_alloc(thread, node, block_at(0), 10);
    vbt_options.max_memory = 1;
    for (uint32_t n = 1; n < 10; n++)
        world_alloc(thread, node, block_at(n), 10);
    world_alloc(thread, other, block_at(10), 10);
    assert_true(is_slip(node));
    assert_true(atomic_load(&vbt_tree.limited));
    assert_int_equal(sum_of(node).totals.allocs, VBT_SLIP_ALLOCS);
    assert_int_equal(sum_of(other).totals.allocs, 0);
    assert_int_equal(sum_of(lost).totals.allocs - lost_before, 10 - VBT_SLIP_ALLOCS + 1);
    assert_int_equal(thread->ledger.totals[VBT_DOMAIN_HEAP].allocs - totals_before, 11);
    for (uint32_t n = 0; n <= 10; n++)
        world_free(thread, block_at(n));
    assert_int_equal(sum_of(node).totals.frees, VBT_SLIP_ALLOCS);
    assert_int_equal(sum_of(lost).totals.freed, sum_of(lost).totals.allocated);
    vbt_self = NULL;
    struct vbt_thread *others[30]; /* of which one frees more than fits its slip */
    uint32_t shared = node;
    for (uint32_t n = 0; n < VBT_COUNT(others); n++) {
        vbt_self = NULL;
        others[n] = vbt_thread_begin();
        world_alloc(others[n], shared, block_at(20 + n), 10);
    }
    for (uint32_t n = 0; n < VBT_COUNT(others); n++)
        world_free(others[0], block_at(20 + n));
    assert_false(is_slip(shared));
    assert_int_equal(sum_of(shared).totals.allocs, VBT_SLIP_ALLOCS + VBT_COUNT(others));
    assert_int_equal(sum_of(shared).totals.freed, sum_of(shared).totals.allocated);
    assert_int_equal(thread->ledger.lost[VBT_LOST_MEMORY], 0);
    vbt_options.max_memory = 0;
}

/* A model of what each of many nodes has seen; most see little. */
enum { NODES = 4000, BLOCKS = 3000, STEPS = 40000, THREADS = 3 };

static struct node_truth {
    uint32_t node;
    uint64_t allocs, frees, allocated, freed, temporary, min, max;
    int64_t at_peak;
} truths[NODES];

static struct {
    struct node_truth *truth; /* NULL: free */
    size_t size;
} blocks[BLOCKS];

static void assert_truths(bool peak_too) {
    struct vbt_books books;
    vbt_books_read(&books);
    for (uint32_t i = 0; i < NODES; i++) {
        struct vbt_node_sum sum = {0};
        const struct node_truth *truth = &truths[i];
        vbt_books_node(&books, truth->node, &sum);
        assert_int_equal(sum.totals.allocs, truth->allocs);
        assert_int_equal(sum.totals.frees, truth->frees);
        assert_int_equal(sum.totals.allocated, truth->allocated);
        assert_int_equal(sum.totals.freed, truth->freed);
        assert_int_equal(sum.totals.temporary, truth->temporary);
        if (truth->allocs > 0) {
            assert_int_equal(sum.totals.min_size, truth->min);
            assert_int_equal(sum.totals.max_size, truth->max);
        }
        if (peak_too)
            assert_int_equal(sum.totals.at_peak, truth->at_peak);
    }
}

static void random_events(uint32_t threads, uint64_t seed) {
    struct vbt_thread *thread[THREADS];
    uintptr_t last[THREADS] = {0};
    int64_t live = 0, peak = 0;
    memset(truths, 0, sizeof truths);
    memset(blocks, 0, sizeof blocks);
    for (uint32_t i = 0; i < threads; i++) {
        vbt_self = NULL;
        thread[i] = vbt_thread_begin();
    }
    for (uint32_t i = 0; i < NODES; i++)
        truths[i].node = fresh_node();
    for (int step = 0; step < STEPS; step++) {
        uint32_t by = (uint32_t)(world_random(&seed) % threads), b = (uint32_t)(world_random(&seed) % BLOCKS);
        uintptr_t address = block_at(b);
        if (step % 1000 == 0)
            atomic_fetch_add(&vbt_epoch, 1); /* a tick */
        if (blocks[b].truth != NULL) {
            if (live > peak) { /* a peak counts once something is freed */
                peak = live;
                for (uint32_t i = 0; i < NODES; i++)
                    truths[i].at_peak = (int64_t)(truths[i].allocated - truths[i].freed);
            }
            world_free(thread[by], address);
            blocks[b].truth->frees++;
            blocks[b].truth->freed += blocks[b].size;
            blocks[b].truth->temporary += last[by] == address;
            last[by] = last[by] == address ? 0 : last[by];
            live -= (int64_t)blocks[b].size;
            blocks[b].truth = NULL;
        } else {
            uint64_t r = world_random(&seed);
            struct node_truth *truth = &truths[r % 8 == 0 ? r / 8 % 100 : r / 8 % NODES]; /* some are seen often */
            size_t size = world_random(&seed) % (r % 50 == 0 ? 100000 : 300);
            world_alloc(thread[by], truth->node, address, size);
            truth->min = truth->allocs == 0 || size < truth->min ? size : truth->min;
            truth->max = size > truth->max ? size : truth->max;
            truth->allocs++;
            truth->allocated += size;
            live += (int64_t)size;
            last[by] = address;
            blocks[b].truth = truth;
            blocks[b].size = size;
        }
    }
}

static void random_events_are_counted_exactly(void **state) {
    (void)state;
    random_events(1, 11);
    assert_truths(atomic_load(&vbt_peak.threads) == 1 && vbt_self->ledger.live <= atomic_load(&vbt_peak.bytes));
    uint32_t slips = 0;
    for (uint32_t i = 0; i < NODES; i++)
        slips += is_slip(truths[i].node);
    assert_in_range(slips, NODES / 10, NODES * 9 / 10); /* both kinds were tested */
}

static void random_events_of_threads_are_counted_exactly(void **state) {
    (void)state;
    random_events(THREADS, 12);
    assert_truths(false);
}

#define TEST(name) cmocka_unit_test_setup(name, world_reset)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_does_not_fit_moves),
        TEST(a_large_block_has_no_slip),
        TEST(what_others_allocated_is_freed_at_a_slip),
        TEST(epochs_beyond_32_bits_move_slips),
        TEST(a_place_is_renewed_when_there_is_an_account),
        TEST(a_failed_realloc_leaves_a_slip_as_it_was),
        TEST(a_block_moves_between_slips),
        TEST(beyond_the_limit_of_memory_slips_stay),
        TEST(random_events_are_counted_exactly),
        TEST(random_events_of_threads_are_counted_exactly),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
