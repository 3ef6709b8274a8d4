/* Changes that are made long after they were marked: by threads that lost the processor in
 * between, and by what takes back an event. */
#include "preload/thread/epochs.h"

#include "preload/ledger/ledger.h"
#include "preload/process/process.h"
#include "preload/thread/books.h"
#include "preload/thread/enter.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <sys/syscall.h>
#include <unistd.h>

static uint32_t heap_node;

static struct vbt_epochs tick;

static void pass_a_tick(void) { vbt_epochs_tick(&tick); }

static bool is_seen(uint32_t node) {
    uint32_t position = 0, nodes[64];
    while (position != VBT_BOOKS_END) {
        uint32_t count = vbt_books_changed(tick.settled, vbt_tree.nodes.count - 1, &position, nodes, 64);
        for (uint32_t i = 0; i < count; i++)
            if (nodes[i] == node)
                return true;
    }
    return false;
}

static struct vbt_thread *begin(void) {
    vbt_pid = getpid();
    tick.last = atomic_load(&vbt_epoch);
    tick.before = tick.last - 1;
    struct vbt_thread *thread = vbt_thread_begin();
    world_alloc(thread, heap_node, 0x1000, 10);
    pass_a_tick();
    pass_a_tick();
    assert_true(tick.settled == tick.before);
    return thread;
}

static void nothing_is_waited_for_at_rest(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 5; i++) {
        pass_a_tick();
        assert_true(tick.settled == tick.before);
        assert_false(is_seen(heap_node));
    }
}

/* The thread marks the counters, loses the processor for a while, and changes them. */
static void a_late_change_is_seen(void **state) {
    (void)state;
    struct vbt_thread *thread = begin();
    vbt_stand(thread, VBT_IN_LEDGER);
    world_alloc(thread, heap_node, 0x2000, 10);
    uint64_t marked = atomic_load(&vbt_epoch);
    for (int i = 0; i < 20; i++)
        pass_a_tick();
    assert_true(tick.settled < marked);
    assert_true(is_seen(heap_node));
    vbt_leave(thread);
    pass_a_tick();
    pass_a_tick();
    assert_true(tick.settled == tick.before);
    assert_false(is_seen(heap_node));
}

/* Another event, in which the thread is at each tick. */
static void a_thread_that_goes_on_is_not_waited_for(void **state) {
    (void)state;
    struct vbt_thread *thread = begin();
    vbt_stand(thread, VBT_IN_LEDGER);
    for (uint32_t i = 0; i < 20; i++) {
        world_alloc(thread, heap_node, 0x3000 + 64 * i, 10);
        uint64_t earlier = tick.before;
        pass_a_tick();
        assert_true(tick.settled == earlier);
    }
    vbt_leave(thread);
}

static void *end_inside(void *own) {
    *(struct vbt_thread **)own = vbt_thread_begin();
    vbt_stand(vbt_self, VBT_IN_LEDGER);
    return NULL;
}

static void a_thread_that_ended_is_not_waited_for(void **state) {
    (void)state;
    begin();
    struct vbt_thread *ended = NULL;
    world_in_thread(end_inside, &ended);
    while (syscall(SYS_tgkill, getpid(), ended->tid, 0) == 0)
        usleep(1000); /* the kernel removes it a little later than it is joined */
    for (int i = 0; i < 5; i++) {
        uint64_t earlier = tick.before;
        pass_a_tick();
        assert_true(tick.settled >= earlier);
    }
}

/* A realloc that takes long, and fails. */
static void what_is_taken_back_late_is_seen(void **state) {
    (void)state;
    struct vbt_thread *thread = begin();
    uint64_t cell = world_free(thread, 0x1000);
    for (int i = 0; i < 5; i++)
        pass_a_tick();
    assert_false(is_seen(heap_node));
    vbt_ledger_unfree(&thread->ledger, (void *)0x1000, cell, false);
    assert_true(is_seen(heap_node));
}

static void what_is_moved_late_is_seen(void **state) {
    (void)state;
    struct vbt_thread *thread = begin();
    uint32_t other = world_node(heap_node, "to", VBT_DOMAIN_HEAP);
    for (int i = 0; i < 5; i++)
        pass_a_tick();
    assert_false(is_seen(heap_node));
    assert_true(vbt_ledger_move(&thread->ledger, (void *)0x1000, other));
    assert_true(is_seen(heap_node) && is_seen(other));
}

int main(void) {
    world_init();
    heap_node = world_node(0, "settled", VBT_DOMAIN_HEAP);
#define TEST(name) cmocka_unit_test_setup(name, world_reset)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_waited_for_at_rest),           TEST(a_late_change_is_seen),
        TEST(a_thread_that_goes_on_is_not_waited_for), TEST(a_thread_that_ended_is_not_waited_for),
        TEST(what_is_taken_back_late_is_seen),         TEST(what_is_moved_late_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
