/* Calls with room on the stack: they happen where the thread's own stack has less than a quarter
 * left. */
#include "preload/thread/call_on_stack.h"

#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static uintptr_t here(void) { return (uintptr_t)__builtin_frame_address(0); }

static uintptr_t called_at;

static void *note(void *a, void *b, int c) {
    called_at = here();
    return (char *)a + (uintptr_t)b + c;
}

static void arguments_and_result_are_passed_on(void **state) {
    (void)state;
    char base[64];
    vbt_stack_end = UINTPTR_MAX;
    assert_ptr_equal(vbt_call_with_room(base, (void *)8, 5, note), base + 13);
    vbt_stack_end = UINTPTR_MAX - 1; /* on another stack */
    assert_ptr_equal(vbt_call_with_room(base, (void *)8, 5, note), base + 13);
}

static void a_thread_is_looked_at_once(void **state) {
    (void)state;
    vbt_stack_end = UINTPTR_MAX;
    vbt_call_with_room(NULL, NULL, 0, note);
    assert_in_range(vbt_stack_end, 1, here() - 1); /* there is room yet */
    uintptr_t found = vbt_stack_end;
    vbt_call_with_room(NULL, NULL, 0, note);
    assert_int_equal(vbt_stack_end, found);
    assert_in_range(called_at, found, here());
}

static void below_the_end_another_stack_is_used(void **state) {
    (void)state;
    uintptr_t end = vbt_stack_end = here() + 4096;
    vbt_call_with_room(NULL, NULL, 0, note);
    assert_false(called_at < here() && called_at > here() - 1024 * 1024);
    assert_int_equal(vbt_stack_end, end); /* as before */
}

/* On a small stack of its own, each turn takes 1 KiB. */
static void *recurse(void *turns, void *sum, int unused) {
    (void)unused;
    volatile char room[1024];
    room[0] = room[sizeof room - 1] = 1;
    uintptr_t left = (uintptr_t)turns, so_far = (uintptr_t)sum + (uintptr_t)room[0];
    return left == 0 ? (void *)so_far : vbt_call_with_room((void *)(left - 1), (void *)so_far, 0, recurse);
}

static void *deep_thread(void *turns) {
    vbt_stack_end = UINTPTR_MAX;
    return vbt_call_with_room(turns, NULL, 0, recurse);
}

static void recursion_goes_deeper_than_the_stack(void **state) {
    (void)state;
    enum { TURNS = 60000 }; /* 60 MiB: more than one of our stacks holds */
    pthread_attr_t attributes;
    pthread_t thread;
    void *result;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 256 * 1024), 0);
    assert_int_equal(pthread_create(&thread, &attributes, deep_thread, (void *)(uintptr_t)TURNS), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal((uintptr_t)result, TURNS + 1);
    pthread_attr_destroy(&attributes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_result_are_passed_on),
        cmocka_unit_test(a_thread_is_looked_at_once),
        cmocka_unit_test(below_the_end_another_stack_is_used),
        cmocka_unit_test(recursion_goes_deeper_than_the_stack),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
