/* What the program itself allocated: without vbtrace's own part, of one thread or of all, after a
 * fork, and where nodes turn out to be vbtrace's own. */
#include "preload/thread/program_counts.h"

#include "preload/ledger/ledger.h"
#include "preload/ledger/own.h"
#include "preload/thread/books.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint32_t node;

static void assert_counts(const struct vbt_thread *only, struct vbt_program_counts wanted) {
    struct vbt_program_counts found;
    vbt_program_counts_read(only, &found);
    if (only != NULL)
        found.peak = 0;
    found.peak_lately = 0;
    assert_memory_equal(&found, &wanted, sizeof wanted);
}

static void vbtraces_own_events_are_left_out(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    assert_counts(NULL, (struct vbt_program_counts){0});
    world_alloc(thread, node, 0x1000, 100);
    world_alloc(thread, vbt_tree.own_node, 0x2000, 5000);
    assert_counts(NULL, (struct vbt_program_counts){1, 0, 100, 0, 100, 100, 0});
    world_alloc(thread, node, 0x3000, 50);
    world_free(thread, 0x1000);
    assert_counts(NULL, (struct vbt_program_counts){2, 1, 150, 100, 50, 150, 0});
    world_free(thread, 0x2000);
    world_alloc(thread, node, 0x1000, 60);
    assert_counts(NULL, (struct vbt_program_counts){3, 1, 210, 100, 110, 150, 0});
    assert_counts(thread, (struct vbt_program_counts){3, 1, 210, 100, 110, 0, 0});
    assert_int_equal(atomic_load(&vbt_peak.own), 0);
}

/* The realloc of a block of vbtrace's own fails. */
static void an_end_that_is_taken_back_is_none(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, vbt_tree.own_node, 0x2000, 500);
    uint64_t cell = world_free(thread, 0x2000);
    vbt_ledger_unfree(&thread->ledger, (void *)0x2000, cell, false);
    assert_counts(NULL, (struct vbt_program_counts){0});
    world_free(thread, 0x2000);
    assert_counts(NULL, (struct vbt_program_counts){0});
    assert_int_equal(atomic_load(&vbt_peak.own), 0);
}

/* What line mode moves to another node was vbtrace's own before, and is no longer. */
static void a_block_that_is_moved_is_counted_once(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, node, 0x1000, 100);
    world_alloc(thread, vbt_tree.own_node, 0x2000, 500);
    assert_true(vbt_ledger_move(&thread->ledger, (void *)0x2000, node));
    assert_counts(NULL, (struct vbt_program_counts){2, 0, 600, 0, 600, 600, 0});
    world_free(thread, 0x2000);
    assert_counts(NULL, (struct vbt_program_counts){2, 1, 600, 500, 100, 600, 0});
}

static void a_second_peak_can_be_counted_from_any_moment(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    struct vbt_program_counts found;
    world_alloc(thread, node, 0x1000, 1000);
    world_free(thread, 0x1000);
    world_alloc(thread, node, 0x2000, 100);
    vbt_program_counts_restart_peak(&thread->ledger);
    vbt_program_counts_read(NULL, &found);
    assert_int_equal(found.peak_lately, 100);
    world_alloc(thread, node, 0x3000, 50);
    world_free(thread, 0x3000);
    world_alloc(thread, node, 0x3000, 20);
    vbt_program_counts_read(NULL, &found);
    assert_int_equal(found.peak_lately, 150);
    assert_int_equal(found.peak, 1000);
    world_free(thread, 0x2000);
    vbt_program_counts_restart_peak(&thread->ledger);
    world_free(thread, 0x3000);
    vbt_program_counts_read(NULL, &found);
    assert_int_equal(found.peak_lately, 20);
    assert_int_equal(found.peak, 1000);
}

static void *other_thread(void *unused) {
    world_alloc(vbt_thread_begin(), node, 0x4000, 7);
    world_free(vbt_self, 0x1000);
    return unused;
}

static void threads_are_summed_or_not(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, node, 0x1000, 100);
    world_in_thread(other_thread, NULL);
    assert_counts(thread, (struct vbt_program_counts){1, 0, 100, 0, 100, 0, 0});
    struct vbt_program_counts all;
    vbt_program_counts_read(NULL, &all);
    assert_int_equal(all.allocs, 2);
    assert_int_equal(all.frees, 1);
    assert_int_equal(all.live, 7);
    assert_in_range(all.peak, 100, 107);
}

static void a_child_counts_what_it_inherited_as_live(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, node, 0x1000, 100);
    world_alloc(thread, vbt_tree.own_node, 0x2000, 30);
    vbt_books_inherit(true);
    assert_counts(NULL, (struct vbt_program_counts){0, 0, 0, 0, 100, 100, 0});
    world_free(thread, 0x2000);
    world_alloc(thread, node, 0x3000, 1);
    assert_counts(NULL, (struct vbt_program_counts){1, 0, 1, 0, 101, 101, 0});
    world_free(thread, 0x1000);
    assert_counts(NULL, (struct vbt_program_counts){1, 1, 1, 100, 1, 101, 0});
}

/* What was counted there before is taken out, and what follows, too. */
static void nodes_that_become_vbtraces_own(void **state) {
    (void)state;
    struct vbt_thread *thread = vbt_thread_begin();
    uint32_t few = world_node(0, "few", VBT_DOMAIN_PYTHON), many = world_node(0, "many", VBT_DOMAIN_PYTHON);
    world_alloc(thread, few, 0x1000, 8);
    for (uintptr_t i = 0; i < 1000; i++)
        world_alloc(thread, many, 0x10000 + 16 * i, 1 + i % 16);
    world_alloc(thread, node, 0x2000, 3);
    vbt_node_at(few)->flags |= VBT_SITE_OWN;
    vbt_node_at(many)->flags |= VBT_SITE_OWN;
    vbt_program_counts_disown(&thread->ledger);
    struct vbt_program_counts wanted = {1, 0, 3, 0, 3, 3, 0};
    struct vbt_program_counts found;
    vbt_program_counts_read(NULL, &found);
    assert_int_equal(found.live, wanted.live);
    for (uintptr_t i = 0; i < 1000; i++)
        world_free(thread, 0x10000 + 16 * i);
    world_free(thread, 0x1000);
    world_alloc(thread, few, 0x1000, 8);
    vbt_program_counts_read(NULL, &found);
    assert_int_equal(found.allocs, 1);
    assert_int_equal(found.frees, 0);
    assert_int_equal(found.allocated, 3);
    assert_int_equal(found.freed, 0);
    assert_int_equal(found.live, 3);
    vbt_node_at(few)->flags = vbt_node_at(many)->flags = 0;
}

#define TEST(name) cmocka_unit_test_setup(name, world_reset)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(vbtraces_own_events_are_left_out),
        TEST(an_end_that_is_taken_back_is_none),
        TEST(a_block_that_is_moved_is_counted_once),
        TEST(a_second_peak_can_be_counted_from_any_moment),
        TEST(threads_are_summed_or_not),
        TEST(nodes_that_become_vbtraces_own),
        TEST(a_child_counts_what_it_inherited_as_live),
    };
    world_init();
    node = world_node(0, "heap", VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
