/* What hooks have in common: the end of a block is booked before the real call, and taken back
 * where the call failed. */
#include "preload/hooks/hook.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { FIRST = 0x10000, BLOCK = 0x20000, UNKNOWN = 0x30000, SIZE = 100 };

static struct vbt_thread *thread;

static uint32_t standing(void) { return atomic_load(&thread->standing); }

static struct vbt_totals *heap(void) { return &thread->ledger.totals[VBT_DOMAIN_HEAP]; }

static int begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    uint32_t node = world_node(0, "hook", VBT_DOMAIN_HEAP);
    world_alloc(thread, node, FIRST, 1);
    world_alloc(thread, node, BLOCK, SIZE);
    return 0;
}

static int end(void **state) {
    (void)state;
    world_free(thread, FIRST);
    world_free(thread, BLOCK);
    return 0;
}

static void the_end_of_a_block_is_booked(void **state) {
    (void)state;
    struct vbt_retired retired = vbt_book_end(thread, VBT_DOMAIN_HEAP, (void *)FIRST);
    assert_int_not_equal(retired.cell, 0);
    assert_false(retired.was_last);
    assert_int_equal(standing(), VBT_IN_REAL);
    assert_int_equal(thread->ledger.live, SIZE);
    assert_int_equal(heap()->frees, 1);
    assert_false(vbt_shadow_holds((void *)FIRST));
}

static void one_that_did_not_end_is_as_it_was(void **state) {
    (void)state;
    struct vbt_totals before = *heap();
    struct vbt_retired retired = vbt_book_end(thread, VBT_DOMAIN_HEAP, (void *)BLOCK);
    assert_true(retired.was_last);
    assert_int_equal(heap()->temporary, before.temporary + 1);
    vbt_book_end_undone(thread, (void *)BLOCK, retired);
    assert_int_equal(standing(), VBT_IN_CALL);
    assert_memory_equal(heap(), &before, sizeof before);
    assert_int_equal(thread->ledger.live, 1 + SIZE);
    assert_ptr_equal(thread->ledger.last_block, BLOCK);
    assert_true(vbt_shadow_holds((void *)BLOCK));
}

static void a_request_to_python_stays_in_its_call(void **state) {
    (void)state;
    vbt_book_end(thread, VBT_DOMAIN_PYTHON, (void *)BLOCK);
    assert_int_equal(standing(), VBT_IN_CALL);
}

static void a_block_that_is_not_known_is_counted_only(void **state) {
    (void)state;
    struct vbt_retired retired = vbt_book_end(thread, VBT_DOMAIN_HEAP, (void *)UNKNOWN);
    assert_int_equal(retired.cell, 0);
    vbt_book_end_undone(thread, (void *)UNKNOWN, retired);
    assert_int_equal(thread->ledger.unknown_frees[VBT_DOMAIN_HEAP], 1);
    assert_int_equal(heap()->frees, 0);
    assert_int_equal(thread->ledger.live, 1 + SIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_end_of_a_block_is_booked),
        TEST(one_that_did_not_end_is_as_it_was),
        TEST(a_request_to_python_stays_in_its_call),
        TEST(a_block_that_is_not_known_is_counted_only),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
