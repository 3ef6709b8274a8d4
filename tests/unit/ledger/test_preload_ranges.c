/* Ranges of addresses: the tree against an array with the owner of each address. */
#include "preload/ledger/ranges.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { ADDRESSES = 400 };

static struct vbt_ranges ranges;

static void insert(uintptr_t start, uintptr_t end, uint32_t owner) {
    assert_true(vbt_ranges_reserve(&ranges, 1));
    vbt_ranges_insert(&ranges, start, end, owner);
}

static uint32_t take(uintptr_t start, uintptr_t end) {
    assert_true(vbt_ranges_reserve(&ranges, 2));
    return vbt_ranges_take(&ranges, start, end);
}

static void assert_popped(uint32_t *tree, uintptr_t start, uintptr_t end, uint32_t owner) {
    struct vbt_range range;
    assert_true(vbt_ranges_pop(&ranges, tree, &range));
    assert_int_equal(range.start, start);
    assert_int_equal(range.end, end);
    assert_int_equal(range.owner, owner);
}

static void assert_found(uintptr_t address, uintptr_t start, uintptr_t end, uint32_t owner) {
    const struct vbt_range *range = vbt_ranges_find(&ranges, address);
    assert_non_null(range);
    assert_int_equal(range->start, start);
    assert_int_equal(range->end, end);
    assert_int_equal(range->owner, owner);
}

static int empty(void **state) {
    (void)state;
    struct vbt_range range;
    uint32_t all = take(0, UINTPTR_MAX);
    while (vbt_ranges_pop(&ranges, &all, &range))
        ;
    assert_null(vbt_ranges_find(&ranges, 0));
    return 0;
}

static void what_is_taken_out_of_the_middle_leaves_both_ends(void **state) {
    (void)state;
    insert(10, 20, 1);
    uint32_t taken = take(13, 17);
    assert_popped(&taken, 13, 17, 1);
    assert_int_equal(taken, 0);
    assert_found(0, 10, 13, 1);
    assert_found(13, 17, 20, 1);
    assert_null(vbt_ranges_find(&ranges, 20));
}

static void what_spans_several_is_cut_at_both_ends(void **state) {
    (void)state;
    insert(30, 40, 3);
    insert(10, 20, 1);
    insert(20, 25, 2);
    uint32_t taken = take(15, 35);
    assert_popped(&taken, 15, 20, 1);
    assert_popped(&taken, 20, 25, 2);
    assert_popped(&taken, 30, 35, 3);
    assert_int_equal(taken, 0);
    assert_found(0, 10, 15, 1);
    assert_found(15, 35, 40, 3);
}

static void a_hole_gives_nothing(void **state) {
    (void)state;
    insert(10, 20, 1);
    insert(30, 40, 2);
    assert_int_equal(take(20, 30), 0);
    assert_int_equal(take(0, 10), 0);
    assert_int_equal(take(40, 50), 0);
    assert_found(0, 10, 20, 1);
    assert_found(20, 30, 40, 2);
}

static void trees_taken_one_by_one_join_in_either_order(void **state) {
    (void)state;
    insert(10, 20, 1);
    insert(30, 40, 2);
    uint32_t high = take(30, 40), low = take(10, 20);
    uint32_t both = vbt_ranges_join(&ranges, high, low);
    assert_popped(&both, 10, 20, 1);
    assert_popped(&both, 30, 40, 2);
    assert_int_equal(vbt_ranges_join(&ranges, 0, 0), 0);
}

/* No range may overlap its neighbour, and each address must have the owner that the array gives
 * it. */
static void compare(const uint32_t owner[ADDRESSES]) {
    uintptr_t at = 0;
    const struct vbt_range *range;
    for (; (range = vbt_ranges_find(&ranges, at)) != NULL; at = range->end) {
        assert_true(range->start >= at && range->end > range->start);
        for (; at < range->start; at++)
            assert_int_equal(owner[at], 0);
        for (; at < range->end; at++)
            assert_int_equal(owner[at], range->owner);
    }
    for (; at < ADDRESSES; at++)
        assert_int_equal(owner[at], 0);
}

static void random_calls_agree_with_an_array(void **state) {
    (void)state;
    uint32_t owner[ADDRESSES] = {0};
    uint64_t seed = 2026;
    for (uint32_t step = 1; step <= 20000; step++) {
        uintptr_t start = world_random(&seed) % ADDRESSES, end = start + 1 + world_random(&seed) % (step % 2 ? 8 : 60);
        end = end < ADDRESSES ? end : ADDRESSES;
        uint32_t taken = take(start, end);
        struct vbt_range range;
        uintptr_t at = start;
        while (vbt_ranges_pop(&ranges, &taken, &range)) {
            assert_true(range.start >= at && range.end <= end);
            for (at = range.start; at < range.end; at++) {
                assert_int_equal(owner[at], range.owner);
                owner[at] = 0;
            }
        }
        for (at = start; at < end; at++)
            assert_int_equal(owner[at], 0);
        if (world_random(&seed) % 3 != 0) {
            insert(start, end, step);
            for (at = start; at < end; at++)
                owner[at] = step;
        }
        compare(owner);
    }
}

/* Ranges inserted and removed again and again use the same few items, and a long ordered sequence
 * makes no deep tree. */
static void items_are_used_again_and_the_tree_stays_shallow(void **state) {
    (void)state;
    enum { ROW = 100000, DEEP = 60 };
    for (uintptr_t i = 0; i < ROW; i++)
        insert(2 * i, 2 * i + 1, 7);
    uint32_t items = ranges.items.count;
    for (uintptr_t i = 0; i < ROW; i++) {
        uint32_t taken = take(2 * i, 2 * i + 1);
        assert_popped(&taken, 2 * i, 2 * i + 1, 7);
        insert(2 * i, 2 * i + 1, 8);
    }
    assert_in_range(ranges.items.count, items, items + 2);
    for (uintptr_t i = 0; i < ROW; i += 997) {
        int depth = 0;
        for (uint32_t id = ranges.root; vbt_range_at(&ranges, id)->start != 2 * i; depth++)
            id = vbt_range_at(&ranges, id)->start < 2 * i ? vbt_range_at(&ranges, id)->right : vbt_range_at(&ranges, id)->left;
        assert_in_range(depth, 0, DEEP);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_taken_out_of_the_middle_leaves_both_ends, empty),
        cmocka_unit_test_setup(what_spans_several_is_cut_at_both_ends, empty),
        cmocka_unit_test_setup(a_hole_gives_nothing, empty),
        cmocka_unit_test_setup(trees_taken_one_by_one_join_in_either_order, empty),
        cmocka_unit_test_setup(random_calls_agree_with_an_array, empty),
        cmocka_unit_test_setup(items_are_used_again_and_the_tree_stays_shallow, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
