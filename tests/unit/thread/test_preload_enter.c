/* Entering and leaving an event, by what is recorded and where the thread stands. */
#include "preload/thread/enter.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uint32_t standing(void) { return atomic_load(&vbt_self->standing); }

static int begin(void **state) {
    world_reset(state);
    atomic_store(&vbt_recording, VBT_RECORDING);
    vbt_thread_begin();
    return 0;
}

static void an_idle_thread_enters_and_leaves(void **state) {
    (void)state;
    assert_ptr_equal(vbt_enter_usual(VBT_IN_LEDGER), vbt_self);
    assert_int_equal(standing(), VBT_IN_LEDGER);
    vbt_stand(vbt_self, VBT_IN_REAL);
    assert_int_equal(standing(), VBT_IN_REAL);
    assert_null(vbt_enter_usual(VBT_IN_CALL));
    assert_int_equal(standing(), VBT_IN_REAL);
    vbt_leave(vbt_self);
    assert_int_equal(standing(), VBT_IDLE);
}

static void nothing_but_plain_recording_is_usual(void **state) {
    (void)state;
    static const uint32_t others[] = {VBT_NOT_YET, VBT_RECORDING_POLLED, VBT_STOPPED, VBT_PAUSED};
    for (int i = 0; i < 4; i++) {
        atomic_store(&vbt_recording, others[i]);
        assert_null(vbt_enter_usual(VBT_IN_CALL));
        assert_int_equal(standing(), VBT_IDLE);
    }
}

static void *enter_elsewhere(void *entered) {
    *(void **)entered = vbt_enter_usual(VBT_IN_CALL);
    return NULL;
}

static void a_thread_without_a_state_does_not_enter(void **state) {
    (void)state;
    void *entered = state;
    world_in_thread(enter_elsewhere, &entered);
    assert_null(entered);
}

static void a_pause_lets_in_what_ends_known_blocks(void **state) {
    (void)state;
    enum { KNOWN = 0x10000, UNKNOWN = 0x20000 };
    world_alloc(vbt_self, world_node(0, "paused", VBT_DOMAIN_HEAP), KNOWN, 8);
    assert_null(vbt_enter_paused());
    assert_null(vbt_enter_paused_for((void *)KNOWN));
    atomic_store(&vbt_recording, VBT_PAUSED);
    assert_null(vbt_enter_paused_for((void *)UNKNOWN));
    assert_ptr_equal(vbt_enter_paused_for((void *)KNOWN), vbt_self);
    assert_int_equal(standing(), VBT_IN_CALL);
    assert_null(vbt_enter_paused());
    vbt_leave(vbt_self);
    assert_ptr_equal(vbt_enter_paused(), vbt_self);
    vbt_leave(vbt_self);
    world_free(vbt_self, KNOWN);
}

static void vbtraces_own_code_stands_aside_whatever_is_recorded(void **state) {
    (void)state;
    for (uint32_t recording = VBT_NOT_YET; recording <= VBT_PAUSED; recording++) {
        atomic_store(&vbt_recording, recording);
        assert_ptr_equal(vbt_enter_aside(), vbt_self);
        assert_int_equal(standing(), VBT_IN_CALL);
        assert_null(vbt_enter_aside());
        vbt_leave(vbt_self);
    }
    vbt_self = NULL;
    assert_null(vbt_enter_aside());
}

static void a_thread_gets_a_state_while_something_is_recorded(void **state) {
    (void)state;
    struct vbt_thread *self = vbt_self;
    assert_ptr_equal(vbt_thread_own(), self);
    vbt_self = NULL;
    atomic_store(&vbt_recording, VBT_STOPPED);
    assert_null(vbt_thread_own());
    atomic_store(&vbt_recording, VBT_NOT_YET);
    assert_null(vbt_thread_own());
    atomic_store(&vbt_recording, VBT_PAUSED);
    assert_non_null(vbt_thread_own());
    assert_ptr_not_equal(vbt_self, self);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_idle_thread_enters_and_leaves),
        TEST(nothing_but_plain_recording_is_usual),
        TEST(a_thread_without_a_state_does_not_enter),
        TEST(a_pause_lets_in_what_ends_known_blocks),
        TEST(vbtraces_own_code_stands_aside_whatever_is_recorded),
        TEST(a_thread_gets_a_state_while_something_is_recorded),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
