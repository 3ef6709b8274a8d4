/* The books: sums over all threads, changes since a tick, and what the child of a fork inherits. */
#include "preload/thread/books.h"

#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint32_t heap_node, python_node;

static struct vbt_books read_books(void) {
    struct vbt_books books;
    vbt_books_read(&books);
    return books;
}

static struct vbt_node_sum sum_of(uint32_t node) {
    struct vbt_books books = read_books();
    struct vbt_node_sum sum;
    vbt_books_node(&books, node, &sum);
    return sum;
}

static void nothing_happened_at_an_untouched_node(void **state) {
    (void)state;
    vbt_thread_begin();
    struct vbt_books books = read_books();
    struct vbt_node_sum sum;
    assert_false(vbt_books_node(&books, heap_node, &sum));
    assert_int_equal(books.threads, 1);
    assert_int_equal(books.peak, 0);
}

static void threads_are_summed(void **state) {
    (void)state;
    for (uintptr_t i = 1; i <= 3; i++) {
        struct vbt_thread *thread = vbt_thread_begin();
        world_alloc(thread, heap_node, 0x1000 * i, 10 * i);
        world_alloc(thread, heap_node, 0x1000 * i + 2048, 1);
        world_free(thread, 0x1000 * i + 2048);
        world_free(thread, 0x1000 * i + 64);
        thread->lost_in_signal = i;
        thread->stack.truncated = i;
        thread->ledger.lost[VBT_LOST_MEMORY] = i;
    }
    struct vbt_books books = read_books();
    assert_int_equal(books.threads, 3);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, 6);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].temporary, 3);
    assert_int_equal(books.unknown_frees[VBT_DOMAIN_HEAP], 3);
    assert_int_equal(books.lost[VBT_LOST_SIGNAL], 6);
    assert_int_equal(books.lost[VBT_LOST_MEMORY], 6);
    assert_int_equal(books.truncated, 6);
    struct vbt_node_sum sum = sum_of(heap_node);
    assert_int_equal(sum.totals.allocs, 6);
    assert_int_equal(sum.totals.frees, 3);
    assert_int_equal(sum.totals.allocated, 63);
    assert_int_equal(sum.totals.freed, 3);
    assert_int_equal(sum.totals.min_size, 1);
    assert_int_equal(sum.totals.max_size, 30);
}

/* The changed nodes, read in pieces. */
static uint32_t changed_since(uint64_t epoch, uint32_t last, uint32_t nodes[], uint32_t most) {
    enum { PIECE = 7 };
    uint32_t position = 0, count = 0, found;
    while (position != VBT_BOOKS_END) {
        uint32_t piece[PIECE];
        found = vbt_books_changed(epoch, last, &position, piece, PIECE);
        for (uint32_t i = 0; i < found; i++) {
            assert_true(i == 0 || piece[i - 1] < piece[i]);
            assert_true(count < most);
            nodes[count++] = piece[i];
        }
    }
    return count;
}

static bool is_among(uint32_t node, const uint32_t nodes[], uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i] == node)
            return true;
    return false;
}

/* More slips than a page has, opened in a different order than the nodes were made; and nodes
 * without one between them. Then the same with accounts. */
static void what_changed_since_a_tick_is_known(void **state) {
    (void)state;
    enum { NODES = 3 * VBT_PAGE_SLIPS };
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t nodes[NODES], changed[2 * NODES];
    for (uint32_t i = 0, node = heap_node; i < NODES; i++)
        nodes[i] = node = world_node(world_node(node, "on the way", VBT_DOMAIN_HEAP), "deeper", VBT_DOMAIN_HEAP);
    uint32_t last = vbt_tree.nodes.count - 1;
    uint64_t first = atomic_fetch_add(&vbt_epoch, 1) + 1;
    for (uint32_t i = 0; i < NODES; i++)
        world_alloc(thread, nodes[(i + 5) % NODES], 0x10000 + 16 * i, 1);
    uint64_t second = atomic_fetch_add(&vbt_epoch, 1) + 1;
    assert_int_equal(changed_since(first, last, changed, 2 * NODES), NODES);
    for (uint32_t i = 0; i < NODES; i++)
        assert_true(is_among(nodes[i], changed, NODES));
    assert_int_equal(changed_since(first, nodes[9], changed, 2 * NODES), 10);
    assert_int_equal(changed_since(second, last, changed, 2 * NODES), 0);
    world_alloc(thread, nodes[NODES - 1], 0x20000, 1);
    world_free(thread, 0x10000); /* a free is a change, too */
    world_alloc(thread, vbt_tree.own_node, 0x21000, 1);
    assert_int_equal(changed_since(second, last, changed, 2 * NODES), 3);
    assert_true(is_among(nodes[NODES - 1], changed, 3));
    assert_true(is_among(nodes[5], changed, 3));
    assert_true(is_among(vbt_tree.own_node, changed, 3));
    assert_int_equal(changed_since(atomic_load(&vbt_epoch) + 1, last, changed, 2 * NODES), 0);
    uint32_t all = changed_since(0, last, changed, 2 * NODES);
    assert_int_equal(all, vbt_slip_nodes.count - 1);
    vbt_vector_add(&vbt_slip_nodes, sizeof(uint32_t)); /* one that is about to be opened */
    assert_int_equal(changed_since(0, last, changed, 2 * NODES), all);
    *VBT_VECTOR_ITEM(&vbt_slip_nodes, uint32_t, all + 1) = nodes[3]; /* and whose node does not have it yet */
    assert_int_equal(changed_since(0, last, changed, 2 * NODES), all);
    uint64_t third = atomic_fetch_add(&vbt_epoch, 1) + 1;
    for (uint32_t i = 0; i < NODES; i += 3) /* these outgrow their slips */
        for (uint32_t n = 0; n <= VBT_SLIP_ALLOCS; n++)
            world_alloc(thread, nodes[i], 0x40000 + 16 * (16 * i + n), 1);
    uint64_t fourth = atomic_fetch_add(&vbt_epoch, 1) + 1;
    assert_int_equal(changed_since(third, last, changed, 2 * NODES), NODES / 3);
    for (uint32_t i = 0; i < NODES; i += 3)
        assert_true(vbt_account_if_made(nodes[i]) != 0 && is_among(nodes[i], changed, NODES / 3));
    assert_int_equal(changed_since(fourth, last, changed, 2 * NODES), 0);
    world_free(thread, 0x40000 + 16 * 16 * 30);
    world_alloc(thread, nodes[31], 0x30000, 1);
    assert_int_equal(changed_since(fourth, last, changed, 2 * NODES), 2);
    assert_true(is_among(nodes[30], changed, 2) && is_among(nodes[31], changed, 2));
    assert_int_equal(changed_since(0, last, changed, 2 * NODES), all);
}

/* Of a node that has an account, another thread may have a slip that changes. */
static void a_slip_of_another_thread_is_seen(void **state) {
    (void)state;
    struct vbt_thread *one = vbt_thread_begin();
    vbt_self = NULL;
    struct vbt_thread *other = vbt_thread_begin();
    uint32_t node = world_node(heap_node, "used by two", VBT_DOMAIN_HEAP), last = node, changed[2];
    world_alloc(other, node, 0x50000, 7);
    for (uint32_t n = 0; n < 10; n++)
        world_alloc(one, node, 0x51000 + 64 * n, 7);
    assert_true(vbt_account_if_made(node) != 0);
    assert_int_equal(sum_of(node).totals.allocs, 11);
    uint64_t now = atomic_fetch_add(&vbt_epoch, 1) + 1;
    world_free(other, 0x50000); /* which moves the slip */
    assert_int_equal(changed_since(now, last, changed, 2), 1);
    assert_int_equal(changed[0], node);
    assert_int_equal(sum_of(node).totals.frees, 1);
    assert_int_equal(sum_of(node).totals.freed, 7);
    vbt_self = NULL;
    struct vbt_thread *third = vbt_thread_begin(); /* which has neither slip nor counters there */
    world_free(third, 0x51000);
    assert_int_equal(sum_of(node).totals.frees, 2);
    assert_int_equal(sum_of(node).totals.allocs, 11);
}

/* One thread, and a fork: live blocks are reported as inherited, all other counts start at 0. */
static void a_child_inherits_what_is_live(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, heap_node, 0x20000, 100);
    world_alloc(thread, heap_node, 0x21000, 50);
    world_alloc(thread, python_node, 0x22000, 7);
    world_free(thread, 0x21000);
    world_free(thread, 0x29990);
    vbt_books_inherit(true);

    struct vbt_books books = read_books();
    assert_int_equal(books.inherited_blocks[VBT_DOMAIN_HEAP], 1);
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_HEAP], 100);
    assert_int_equal(books.inherited_blocks[VBT_DOMAIN_PYTHON], 1);
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_PYTHON], 7);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, 0);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].frees, 0);
    assert_int_equal(books.unknown_frees[VBT_DOMAIN_HEAP], 0);
    assert_int_equal(books.peak, 107);
    struct vbt_node_sum sum = sum_of(heap_node);
    assert_int_equal(sum.totals.inherited_blocks, 1);
    assert_int_equal(sum.totals.inherited_bytes, 100);
    assert_int_equal(sum.totals.at_peak, 100);
    assert_int_equal(sum.totals.allocs, 0);

    world_free(thread, 0x20000); /* from before the fork */
    world_alloc(thread, heap_node, 0x23000, 30);
    sum = sum_of(heap_node);
    assert_int_equal(sum.totals.frees, 1);
    assert_int_equal(sum.totals.freed, 100);
    assert_int_equal(sum.totals.allocs, 1);
    assert_int_equal(sum.totals.inherited_bytes + sum.totals.allocated - sum.totals.freed, 30);
    assert_int_equal(sum.totals.min_size, 30);
    assert_int_equal(sum.totals.max_size, 30);
    books = read_books();
    assert_int_equal(books.peak, 107);
    assert_int_equal(books.unknown_frees[VBT_DOMAIN_HEAP], 0);
    assert_int_equal(sum_of(heap_node).totals.at_peak, 100);
    assert_int_equal(sum_of(python_node).totals.at_peak, 7);
}

static void a_grandchild_inherits_from_both(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, heap_node, 0x30000, 1);
    world_alloc(thread, heap_node, 0x31000, 2);
    vbt_books_inherit(true);
    world_alloc(thread, heap_node, 0x32000, 4);
    world_free(thread, 0x30000);
    vbt_books_inherit(true);
    struct vbt_node_sum sum = sum_of(heap_node);
    assert_int_equal(sum.totals.inherited_blocks, 2);
    assert_int_equal(sum.totals.inherited_bytes, 6);
    assert_int_equal(read_books().peak, 6);
    world_free(thread, 0x31000);
    world_free(thread, 0x32000);
    vbt_books_inherit(true);
    assert_int_equal(sum_of(heap_node).totals.inherited_blocks, 0);
    assert_int_equal(read_books().inherited_bytes[VBT_DOMAIN_HEAP], 0);
}

/* The parent's threads are gone in the child; their blocks are not. */
static void a_child_of_many_threads_inherits_from_all(void **state) {
    (void)state;
    struct vbt_thread *other = vbt_thread_begin();
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(other, heap_node, 0x40000, 100000);
    world_alloc(thread, heap_node, 0x41000, 200000);
    vbt_books_inherit(true);
    struct vbt_books books = read_books();
    assert_int_equal(books.inherited_bytes[VBT_DOMAIN_HEAP], 300000);
    world_alloc(thread, heap_node, 0x42000, 50000);
    world_free(thread, 0x40000);
    world_free(thread, 0x41000);
    books = read_books();
    assert_in_range(books.peak, 350000 - books.peak_error, 350000 + books.peak_error);
}

/* A child that allocates nothing still has what it inherited. */
static void the_peak_of_a_child_is_never_below_what_it_inherited(void **state) {
    (void)state;
    struct vbt_thread *other = vbt_thread_begin();
    vbt_thread_begin();
    world_alloc(other, heap_node, 0x50000, 100000);
    vbt_books_inherit(true);
    struct vbt_books books = read_books();
    assert_in_range(books.peak, 100000 - books.peak_error, 100000 + books.peak_error);
    assert_in_range(sum_of(heap_node).totals.at_peak, 100000 - books.peak_error, 100000 + books.peak_error);
}

/* The latest allocation before a fork is not the child's. */
static void a_block_from_before_the_fork_is_not_temporary(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, heap_node, 0x60000, 1);
    vbt_books_inherit(true);
    world_free(thread, 0x60000);
    assert_int_equal(sum_of(heap_node).totals.temporary, 0);
    assert_int_equal(read_books().totals[VBT_DOMAIN_HEAP].temporary, 0);
}

static void lost_events_and_intervals_start_at_zero_in_a_child(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    thread->lost_in_signal = 3;
    thread->ledger.lost[VBT_LOST_MEMORY] = 4;
    thread->stack.truncated = 5;
    world_reading(&thread->ledger, 1, 0);
    vbt_intervals_section_begin(&thread->ledger, 1, 1, 1, 0);
    vbt_books_inherit(true);
    struct vbt_books books = read_books();
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        assert_int_equal(books.lost[reason], 0);
    assert_int_equal(books.truncated, 0);
    assert_false(thread->intervals.clock_open);
    assert_int_equal(thread->intervals.depth, 0);
}

/* vbtrace's own nodes are still known as such after a fork: they stay out of intervals. */
static void own_nodes_stay_own_in_a_child(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, vbt_tree.own_node, 0x70000, 100);
    vbt_books_inherit(true);
    world_reading(&thread->ledger, 2, 0);
    world_alloc(thread, vbt_tree.own_node, 0x71000, 50);
    world_free(thread, 0x70000);
    world_reading(&thread->ledger, 3, 1);
    const struct vbt_interval_group *group = vbt_vector_at(&vbt_interval_groups.groups, vbt_interval_groups.groups.count - 1);
    assert_int_equal(group->from, 2);
    assert_int_equal(group->to, 3);
    assert_int_equal(group->stats[VBT_Q_ALLOCS].total, 0);
    assert_int_equal(group->stats[VBT_Q_FREED].total, 0);
    assert_int_equal(group->stats[VBT_Q_HIGH].total, 0);
}

/* Frees the blocks that the test left, so that the next one inherits nothing. */
static int end(void **state) {
    (void)state;
    for (uintptr_t block = 0x1000; block < 0x80000; block += 16)
        world_free(vbt_self, block);
    vbt_books_inherit(true);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_reset, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_happened_at_an_untouched_node),
        TEST(threads_are_summed),
        TEST(what_changed_since_a_tick_is_known),
        TEST(a_slip_of_another_thread_is_seen),
        TEST(a_child_inherits_what_is_live),
        TEST(a_grandchild_inherits_from_both),
        TEST(a_child_of_many_threads_inherits_from_all),
        TEST(the_peak_of_a_child_is_never_below_what_it_inherited),
        TEST(a_block_from_before_the_fork_is_not_temporary),
        TEST(lost_events_and_intervals_start_at_zero_in_a_child),
        TEST(own_nodes_stay_own_in_a_child),
    };
    world_init();
    heap_node = world_node(0, "heap", VBT_DOMAIN_HEAP);
    python_node = world_node(0, "python", VBT_DOMAIN_PYTHON);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
