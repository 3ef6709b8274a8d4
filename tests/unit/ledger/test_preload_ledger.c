/* The ledger: the effect of each allocation and free on its node's counters and on the totals,
 * against plain arithmetic. */
#include "preload/ledger/ledger.h"

#include "format/count.h"
#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct vbt_node_sum sum_of(uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum;
    memset(&sum, 0, sizeof sum); /* so that sums can be compared bytewise */
    vbt_books_read(&books);
    vbt_books_node(&books, node, &sum);
    return sum;
}

static struct vbt_totals totals_of(enum vbt_domain domain) {
    struct vbt_books books;
    vbt_books_read(&books);
    return books.totals[domain];
}

static void assert_flow(uint32_t node, uint64_t allocs, uint64_t frees, uint64_t allocated, uint64_t freed) {
    struct vbt_node_sum sum = sum_of(node);
    assert_int_equal(sum.totals.allocs, allocs);
    assert_int_equal(sum.totals.frees, frees);
    assert_int_equal(sum.totals.allocated, allocated);
    assert_int_equal(sum.totals.freed, freed);
}

/* The address of a block of any size. */
static uintptr_t block_at(uint32_t number) { return 0x40000000 + VBT_CELL_SIZES * number; }

static void an_allocation_and_its_free_are_counted_at_its_node(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t a = world_node(0, "counted a", VBT_DOMAIN_HEAP), b = world_node(0, "counted b", VBT_DOMAIN_HEAP);
    world_alloc(thread, a, 0x10000, 100);
    world_alloc(thread, b, 0x10080, 50);
    assert_flow(a, 1, 0, 100, 0);
    assert_flow(b, 1, 0, 50, 0);
    assert_int_equal(thread->ledger.live, 150);
    assert_int_not_equal(world_free(thread, 0x10000), 0);
    assert_flow(a, 1, 1, 100, 100);
    assert_flow(b, 1, 0, 50, 0);
    assert_int_equal(thread->ledger.live, 50);
}

static void domains_are_summed_apart(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, world_node(0, "of heap", VBT_DOMAIN_HEAP), 0x20000, 10);
    world_alloc(thread, world_node(0, "of Python", VBT_DOMAIN_PYTHON), 0x20010, 7);
    /* Freed through the other allocator's hook, as Python's own large blocks can be: counted where
     * it was allocated. */
    vbt_ledger_free(&thread->ledger, VBT_DOMAIN_HEAP, (void *)0x20010);
    struct vbt_totals heap = totals_of(VBT_DOMAIN_HEAP), python = totals_of(VBT_DOMAIN_PYTHON);
    assert_int_equal(heap.allocs, 1);
    assert_int_equal(heap.allocated, 10);
    assert_int_equal(heap.frees, 0);
    assert_int_equal(python.allocs, 1);
    assert_int_equal(python.frees, 1);
    assert_int_equal(python.freed, 7);
}

static void frees_of_unknown_blocks_are_counted_separately(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    assert_int_equal(vbt_ledger_free(&thread->ledger, VBT_DOMAIN_HEAP, (void *)0x30000), 0);
    assert_int_equal(vbt_ledger_free(&thread->ledger, VBT_DOMAIN_PYTHON, (void *)0x700000000000), 0);
    assert_int_equal(vbt_ledger_free(&thread->ledger, VBT_DOMAIN_PYTHON, (void *)0x30003), 0);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.unknown_frees[VBT_DOMAIN_HEAP], 1);
    assert_int_equal(books.unknown_frees[VBT_DOMAIN_PYTHON], 2);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].frees, 0);
}

static void a_block_is_freed_once(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = world_node(0, "freed once", VBT_DOMAIN_HEAP);
    world_alloc(thread, node, 0x40000, 1);
    world_free(thread, 0x40000);
    assert_int_equal(world_free(thread, 0x40000), 0);
    assert_flow(node, 1, 1, 1, 1);
}

/* Temporary: freed before the thread allocated again. */
static void temporaries_are_freed_before_the_next_allocation(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = world_node(0, "temporary", VBT_DOMAIN_HEAP);
    world_alloc(thread, node, 0x50000, 8);
    world_free(thread, 0x50000);
    assert_int_equal(sum_of(node).totals.temporary, 1);
    world_alloc(thread, node, 0x50000, 8);
    world_alloc(thread, node, 0x50010, 8);
    world_free(thread, 0x50000); /* not the latest */
    assert_int_equal(sum_of(node).totals.temporary, 1);
    world_free(thread, 0x50010); /* frees in between do not matter */
    assert_int_equal(sum_of(node).totals.temporary, 2);
    assert_int_equal(totals_of(VBT_DOMAIN_HEAP).temporary, 2);
}

static void a_block_freed_by_another_thread_is_not_temporary(void **state) {
    (void)state;
    struct vbt_thread *one = vbt_thread_begin();
    struct vbt_thread *other = vbt_thread_begin();
    uint32_t node = world_node(0, "handed over", VBT_DOMAIN_HEAP);
    world_alloc(one, node, 0x60000, 8);
    world_free(other, 0x60000);
    assert_flow(node, 1, 1, 8, 8);
    assert_int_equal(sum_of(node).totals.temporary, 0);
    assert_int_equal(one->ledger.live, 8); /* live is a sum over threads */
    assert_int_equal(other->ledger.live, -8);
}

static void assert_sizes(uint32_t node, const size_t *sizes, size_t count) {
    struct vbt_node_sum sum = sum_of(node);
    uint64_t buckets[VBT_SIZE_BUCKETS] = {0};
    uint64_t min = UINT64_MAX, max = 0;
    uint32_t used = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned bucket = 0;
        while (bucket < VBT_SIZE_BUCKETS - 1 && sizes[i] >> bucket != 0)
            bucket++;
        used += buckets[bucket]++ == 0;
        min = sizes[i] < min ? sizes[i] : min;
        max = sizes[i] > max ? sizes[i] : max;
    }
    assert_int_equal(sum.totals.allocs, count);
    assert_int_equal(sum.totals.min_size, min);
    assert_int_equal(sum.totals.max_size, max);
    assert_int_equal(sum.totals.buckets, used);
    if (used > 1) /* a single bucket is implicit */
        assert_memory_equal(sum.sizes, buckets, sizeof buckets);
}

/* Sequences of one size, of two in turn, of a new usual size, of 0 and of more than 32 bits: at
 * first, later, and again. */
static void histograms_hold_every_size(void **state) {
    (void)state;
    const size_t G = (size_t)1 << 30;
    const size_t sequences[][10] = {
        {24, 24, 24, 24, 24, 24, 24, 24, 24, 24},
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        {0, 1, 0, 1, 0, 1, 0, 0, 1, 1},
        {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
        {100, 24, 24, 24, 100, 24, 100, 100, 100, 24},
        {24, 0, 0, 0, 24, 0, 5, 5, 0, 24},
        {5 * G, 5 * G, 5 * G, 1, 1, 1, 5 * G, 0, 0, 5 * G},
        {1, 5 * G, 5 * G, 5 * G, 1, 6 * G, 1, 1, 1, 6 * G},
        {UINT32_MAX, UINT32_MAX, UINT32_MAX, (size_t)UINT32_MAX + 1, UINT32_MAX - 1, UINT32_MAX - 1, UINT32_MAX - 1, UINT32_MAX,
         4 * G, 4 * G},
        {200 * G, 200 * G, 64 * G, 64 * G - 1, 64 * G - 2, 200000 * G, 1, 1, 1, 64 * G},
    };
    struct vbt_thread *thread = vbt_thread_begin();
    for (uint32_t s = 0; s < sizeof sequences / sizeof *sequences; s++) {
        char name[] = "histogram ?";
        name[10] = (char)('0' + s);
        uint32_t node = world_node(0, name, VBT_DOMAIN_HEAP);
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < 10; i++) {
            world_alloc(thread, node, block_at(i), sequences[s][i]);
            bytes += sequences[s][i];
            assert_sizes(node, sequences[s], i + 1);
        }
        assert_flow(node, 10, 0, bytes, 0);
        for (uint32_t i = 0; i < 10; i++)
            world_free(thread, block_at(i));
        assert_flow(node, 10, 10, bytes, bytes);
    }
    assert_int_equal(thread->ledger.live, 0);
}

/* The usual size changes again and again, usually to the more frequent of two or three sizes. */
static void histograms_survive_a_change_of_the_usual_size(void **state) {
    (void)state;
    enum { EVENTS = 4000 };
    static size_t sequence[EVENTS];
    static const size_t usual[] = {24, 1000, 3, 24, (size_t)5 << 30, 0};
    uint64_t seed = 7;
    for (uint32_t i = 0; i < EVENTS; i++) {
        uint64_t dice = world_random(&seed) % 100;
        sequence[i] = dice < 70 ? usual[i / 700] : dice < 90 ? 77 : world_random(&seed) % 5000;
    }
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = world_node(0, "long histogram", VBT_DOMAIN_HEAP);
    for (uint32_t i = 0; i < EVENTS; i++) {
        world_alloc(thread, node, block_at(i), sequence[i]);
        if (i % 97 == 0 || i == EVENTS - 1)
            assert_sizes(node, sequence, i + 1);
    }
    for (uint32_t i = 0; i < EVENTS; i++)
        world_free(thread, block_at(i));
    assert_int_equal(thread->ledger.live, 0);
}

static void histograms_of_threads_are_added(void **state) {
    (void)state;
    uint32_t node = world_node(0, "added histogram", VBT_DOMAIN_HEAP);
    static const size_t sizes[] = {8, 8, 8, 500, 0, 500, 8, 70000};
    for (uint32_t i = 0; i < 8; i += 2) {
        struct vbt_thread *thread = vbt_thread_begin();
        world_alloc(thread, node, block_at(i), sizes[i]);
        world_alloc(thread, node, block_at(i + 1), sizes[i + 1]);
        assert_sizes(node, sizes, i + 2);
    }
}

static void blocks_that_no_cell_can_hold_are_counted_and_lost(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = world_node(0, "unaligned", VBT_DOMAIN_HEAP);
    world_alloc(thread, node, 0x300004, 8);
    assert_flow(node, 1, 0, 8, 0);
    assert_int_equal(world_free(thread, 0x300004), 0);
    struct vbt_books books;
    vbt_books_read(&books);
    assert_int_equal(books.lost[VBT_LOST_ADDRESS], 1);
}

/* A failed realloc leaves everything as it was. */
static void unfree_restores_everything(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 100, (size_t)5 << 30, (size_t)100 << 30};
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t node = world_node(0, "not freed", VBT_DOMAIN_HEAP);
    for (uint32_t i = 0; i < 8; i++) {
        uintptr_t block = block_at(i);
        world_alloc(thread, node, block, sizes[i / 2]);
        if (i % 2 == 1)
            world_alloc(thread, node, 0x500000 + 16 * i, 1); /* so that it is not the latest */
        struct vbt_node_sum before = sum_of(node);
        struct vbt_totals totals_before = totals_of(VBT_DOMAIN_HEAP);
        int64_t live = thread->ledger.live;
        uint64_t in_shadow = *vbt_shadow_find((void *)block);

        bool was_last = thread->ledger.last_block == (void *)block;
        assert_int_equal(was_last, i % 2 == 0);
        uint64_t cell = world_free(thread, block);
        vbt_ledger_unfree(&thread->ledger, (void *)block, cell, was_last);

        struct vbt_node_sum after = sum_of(node);
        struct vbt_totals totals_after = totals_of(VBT_DOMAIN_HEAP);
        assert_memory_equal(&after.totals, &before.totals, offsetof(struct vbt_node_totals, buckets));
        assert_int_equal(after.totals.buckets, before.totals.buckets);
        assert_memory_equal(&totals_after, &totals_before, sizeof totals_after);
        assert_int_equal(thread->ledger.live, live);
        assert_int_equal(*vbt_shadow_find((void *)block), in_shadow);
        assert_int_equal(thread->ledger.last_block == (void *)block, was_last);

        world_free(thread, block);
        assert_int_equal(sum_of(node).totals.freed, before.totals.freed + sizes[i / 2]);
        assert_int_equal(sum_of(node).totals.temporary, before.totals.temporary + was_last);
    }
}

static void unfree_of_an_unknown_block_does_nothing(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint64_t cell = world_free(thread, 0x600000);
    vbt_ledger_unfree(&thread->ledger, (void *)0x600000, cell, false);
    assert_int_equal(totals_of(VBT_DOMAIN_HEAP).frees, 0);
    assert_int_equal(thread->ledger.live, 0);
    assert_int_equal(world_free(thread, 0x600000), 0);
}

/* Random events by three threads on 200 nodes: the sums over nodes equal the totals, to the
 * byte. */
static void nodes_add_up_to_the_totals(void **state) {
    (void)state;
    enum { NODES = 200, BLOCKS = 500, STEPS = 20000, THREADS = 3 };
    static bool used[BLOCKS];
    struct vbt_thread *threads[THREADS];
    uint32_t nodes[NODES];
    uint64_t seed = 5;
    for (int i = 0; i < THREADS; i++)
        threads[i] = vbt_thread_begin();
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = world_node(i < 10 ? 0 : nodes[i / 10], i % 2 ? "odd" : "even", i % 3 ? VBT_DOMAIN_HEAP : VBT_DOMAIN_PYTHON);
    for (int step = 0; step < STEPS; step++) {
        struct vbt_thread *thread = threads[world_random(&seed) % THREADS];
        uint32_t block = (uint32_t)(world_random(&seed) % BLOCKS);
        if (used[block])
            world_free(thread, 0x800000 + 0x2008 * block);
        else
            world_alloc(thread, nodes[world_random(&seed) % NODES], 0x800000 + 0x2008 * block, world_random(&seed) % 5000);
        used[block] = !used[block];
    }
    struct vbt_books books;
    vbt_books_read(&books);
    struct vbt_totals sums[VBT_DOMAINS] = {0};
    for (uint32_t node = 0; node < vbt_tree.nodes.count; node++) {
        struct vbt_node_sum sum;
        struct vbt_totals *total = &sums[vbt_node_at(node)->domain];
        if (!vbt_books_node(&books, node, &sum))
            continue;
        total->allocs += sum.totals.allocs;
        total->frees += sum.totals.frees;
        total->allocated += sum.totals.allocated;
        total->freed += sum.totals.freed;
        total->temporary += sum.totals.temporary;
    }
    assert_memory_equal(sums, books.totals, sizeof sums);
    assert_int_equal(sums[VBT_DOMAIN_HEAP].allocs + sums[VBT_DOMAIN_HEAP].frees + sums[VBT_DOMAIN_PYTHON].allocs +
                         sums[VBT_DOMAIN_PYTHON].frees,
                     STEPS);
}

/* A thread's tables become writable as far as they are needed, up to the last slip and the last
 * account. */
static void accounts_beyond_the_first_tables_have_counters(void **state) {
    (void)state;
    static const uint32_t slips[] = {VBT_FEW_ACCOUNTS - 1, VBT_FEW_ACCOUNTS + 1, 3 * VBT_FEW_ACCOUNTS,
                                     VBT_MAX_ACCOUNTS / 4 * 3 - VBT_DOMAINS - 1};
    static const uint32_t accounts[] = {VBT_FEW_ACCOUNTS / 4 - 1, VBT_FEW_ACCOUNTS / 4 + 1, VBT_FEW_ACCOUNTS,
                                        VBT_MAX_ACCOUNTS / 4 - VBT_DOMAINS - 1};
    static const char *const names[] = {"far 0", "far 1", "far 2", "far 3"};
    uint32_t slips_before = vbt_slip_nodes.count, accounts_before = vbt_account_slips.count;
    struct vbt_thread *thread = vbt_thread_begin();
    struct vbt_ledger *ledger = &thread->ledger;
    for (uint32_t i = 0; i < VBT_COUNT(slips); i++) {
        uint32_t node = vbt_node_of(0, vbt_intern_special_site(names[i]), VBT_DOMAIN_HEAP);
        vbt_slip_nodes.count = slips[i];
        vbt_account_slips.count = accounts[i];
        assert_null(vbt_slip_at(ledger, slips[i]));
        for (uint32_t n = 0; n <= VBT_SLIP_ALLOCS; n++) {
            world_alloc(thread, node, 0x900000 + 64 * (8 * i + n), 10);
            assert_int_equal(vbt_node_at(node)->account, n < VBT_SLIP_ALLOCS ? vbt_first_slip_account + slips[i] : accounts[i]);
            assert_flow(node, n + 1, 0, 10 * (n + 1), 0);
        }
        world_free(thread, 0x900000 + 64 * 8 * i);
        assert_flow(node, VBT_SLIP_ALLOCS + 1, 1, 10 * (VBT_SLIP_ALLOCS + 1), 10);
        assert_true(vbt_counters_page(ledger, accounts[i] / VBT_PAGE_ACCOUNTS)->epoch > 0);
        assert_true(vbt_slip_page(ledger, slips[i] / VBT_PAGE_SLIPS)->epoch > 0);
        assert_true(ledger->pages_open > accounts[i] / VBT_PAGE_ACCOUNTS && ledger->slips_open > slips[i] / VBT_PAGE_SLIPS);
    }
    for (uint32_t i = 0; i < VBT_COUNT(slips); i++)
        assert_flow(vbt_node_of(0, vbt_intern_special_site(names[i]), VBT_DOMAIN_HEAP), VBT_SLIP_ALLOCS + 1, 1,
                    10 * (VBT_SLIP_ALLOCS + 1), 10);
    vbt_slip_nodes.count = slips_before;
    vbt_account_slips.count = accounts_before;
}

/* The last of each can be written, and what is beside them; the state is all within. */
static void where_address_space_is_scarce_tables_are_small(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    struct vbt_ledger ledger = {0};
    vbt_accounts_limit(VBT_FEW_ACCOUNTS);
    char *start = vbt_counters_map(SIZE);
    vbt_counters_begin(&ledger, start, SIZE);
    uint32_t last_account = vbt_first_slip_account - 1, last_slip = vbt_most_accounts - vbt_first_slip_account - 1;
    struct vbt_counters *last = vbt_counters_at(&ledger, last_account);
    assert_non_null(last);
    assert_ptr_equal(vbt_counters_at(&ledger, last_account), last);
    struct vbt_slip *slip = vbt_slip_make(&ledger, last_slip);
    assert_non_null(slip);
    assert_ptr_equal(vbt_slip_at(&ledger, last_slip), slip);
    assert_ptr_equal(vbt_slip_make(&ledger, last_slip), slip);
    assert_null(vbt_slip_at(&ledger, 0));
    assert_null(vbt_counters_page(&ledger, vbt_most_accounts / VBT_PAGE_ACCOUNTS - 1)); /* as the number of a slip */
    assert_true((char *)ledger.pages >= start + SIZE);
    memset(start, 1, SIZE);
    assert_null(vbt_counters_page(&ledger, 0));
    assert_null(vbt_slip_at(&ledger, 0));
    vbt_accounts_limit(VBT_MAX_ACCOUNTS);
}

#define TEST(name) cmocka_unit_test_setup(name, world_reset)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_allocation_and_its_free_are_counted_at_its_node),
        TEST(domains_are_summed_apart),
        TEST(frees_of_unknown_blocks_are_counted_separately),
        TEST(a_block_is_freed_once),
        TEST(temporaries_are_freed_before_the_next_allocation),
        TEST(a_block_freed_by_another_thread_is_not_temporary),
        TEST(histograms_hold_every_size),
        TEST(histograms_survive_a_change_of_the_usual_size),
        TEST(histograms_of_threads_are_added),
        TEST(blocks_that_no_cell_can_hold_are_counted_and_lost),
        TEST(unfree_restores_everything),
        TEST(unfree_of_an_unknown_block_does_nothing),
        TEST(nodes_add_up_to_the_totals),
        TEST(accounts_beyond_the_first_tables_have_counters),
        TEST(where_address_space_is_scarce_tables_are_small),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
