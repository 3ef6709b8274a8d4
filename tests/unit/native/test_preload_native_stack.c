/* Native call stacks of many shapes, each compared with libunwind's, frame by frame. */
#include "tests/unit/support/native_shapes.h"
#include "preload/tree/modules.h"
#include "preload/native/native_known.h"
#include "preload/native/native_oracle.h"
#include "preload/native/native_room.h"
#include "preload/native/native_rules.h"
#include "preload/native/native_stack.h"
#include "tests/unit/support/preload_world.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>

static __thread struct vbt_native_stack stack;
static __thread uint64_t repeats, knowns; /* redundant captures: the stack is the previous one, or known */

static const struct shapes *const all_shapes[] = {&shapes_at_o0, &shapes_at_o2, &shapes_at_o3};
enum { SHAPE_SETS = sizeof all_shapes / sizeof all_shapes[0] };

/* The node has exactly the frames of the capture, and these equal libunwind's. If the stack is
 * reported as the previous one, or as known, it has the same node as then. */
__attribute__((noinline)) static void look_here(void) {
    struct vbt_registers caller = VBT_CALLER_REGISTERS;
    uint32_t before = stack.whole != NULL ? stack.whole->node : 0;
    bool is_repeated = vbt_native_verify_every == 0 ? vbt_native_repeats(&stack, caller.sp, caller.pc, caller.fp)
                                                    : vbt_native_repeats_verified(&stack, caller.sp, caller.pc, caller.fp);
    struct vbt_place *known = vbt_native_known(&stack, caller.sp, caller.pc, caller.fp);
    uint32_t known_node = known != NULL ? known->node : 0;
    uint32_t node = vbt_native_capture(&stack, &caller);
    vbt_native_remember(&stack, (struct vbt_place){.node = node});
    if ((is_repeated && node != before) || (known != NULL && node != known_node))
        stack.different++;
    repeats += is_repeated;
    knowns += known != NULL;
    for (uint32_t i = stack.leaf; i > 0; i--, node = vbt_node_at(node)->parent)
        if (vbt_site_at(vbt_node_at(node)->site)->a != vbt_native_frames(&stack)[i].pc)
            stack.different++;
    if ((node == 0) != (stack.cut == VBT_CUT_NONE))
        stack.different++;
}

static int fresh_stack(void **state) {
    (void)state;
    vbt_native_stack_forget(&stack);
    memset(stack.cuts, 0, sizeof stack.cuts);
    stack.compared = stack.different = 0;
    return 0;
}

/* All captures were compared, none differed, none was truncated. */
static void assert_exact(uint64_t at_least) {
    assert_true(stack.compared >= at_least);
    assert_int_equal(stack.different, 0);
    for (int cut = VBT_CUT_NONE + 1; cut < VBT_CUTS; cut++)
        assert_int_equal(stack.cuts[cut], 0);
}

__attribute__((noinline)) static void look_thrice(void) {
    static volatile int times = 3;
    for (int i = 0; i < times; i++)
        look_here();
}

/* The first of three captures is at another place than the one before, the other two are not. */
static void repetition(void **state) {
    (void)state;
    uint64_t before = repeats;
    look_thrice();
    assert_int_equal(repeats - before, 2);
    all_shapes[0]->recurse(100, 1, look_thrice);
    assert_int_equal(repeats - before, 2 + 2 * 2 * (100 + 1));
    assert_exact(100);
}

__attribute__((noinline)) static void look_left(void) {
    look_here();
    __asm__ volatile(""); /* no tail call */
}

__attribute__((noinline)) static void look_right(void) {
    look_here();
    __asm__ volatile("");
}

/* Two stacks in turn are known from the second time on, unless both have the same place in the
 * cache. */
static void stacks_in_turn(void **state) {
    (void)state;
    enum { TIMES = 10 };
    static volatile int times = TIMES;
    uint64_t before = knowns, repeats_before = repeats;
    for (int i = 0; i < times; i++) {
        look_left();
        look_right();
    }
    assert_int_equal(repeats, repeats_before);
    assert_true(knowns - before == 2 * (TIMES - 1) || knowns - before == TIMES - 1);
    vbt_native_stack_forget(&stack);
    look_left();
    assert_true(knowns - before <= 2 * (TIMES - 1)); /* belongs to another thread now */
    assert_exact(2 * TIMES + 1);
}

static void deep_recursion(void **state) {
    (void)state;
    for (int i = 0; i < SHAPE_SETS; i++) {
        all_shapes[i]->recurse(2048, 64, look_here);
        assert_true(stack.leaf > 1);
        all_shapes[i]->recurse(60, 1, look_here);
    }
    assert_exact(SHAPE_SETS * 180);
}

static void shapes_of_all_kinds(void **state) {
    (void)state;
    for (int i = 0; i < 3 * SHAPE_SETS; i++)
        all_shapes[i % SHAPE_SETS]->wander((uint64_t)i, 4000, 5 + i * 3, look_here);
    assert_exact(3 * SHAPE_SETS * 4000);
}

static void long_jumps(void **state) {
    (void)state;
    for (int i = 0; i < SHAPE_SETS; i++)
        all_shapes[i]->jump(200, look_here);
    assert_exact(SHAPE_SETS * 400);
}

static void realigned_stacks(void **state) {
    (void)state;
    for (int i = 0; i < SHAPE_SETS; i++)
        all_shapes[i]->realign(500, look_here);
    assert_exact(SHAPE_SETS * 500);
}

static void *in_thread(void *argument) {
    const struct shapes *shapes = argument;
    void *none = NULL;
    fresh_stack(&none);
    shapes->recurse(100, 3, look_here);
    shapes->jump(50, look_here);
    shapes->realign(50, look_here);
    return stack.compared >= 200 && stack.different == 0 && stack.cuts[VBT_CUT_NONE] <= stack.compared ? argument : NULL;
}

static void threads(void **state) {
    (void)state;
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, in_thread, (void *)all_shapes[i % SHAPE_SETS]), 0);
    for (int i = 0; i < THREADS; i++) {
        void *good;
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_non_null(good);
    }
}

static ucontext_t outside, inside;
static int turn;

static void coroutine(void) {
    for (;;) {
        all_shapes[turn % SHAPE_SETS]->recurse(20 + turn % 7, 2, look_here);
        all_shapes[turn % SHAPE_SETS]->realign(3, look_here);
        swapcontext(&inside, &outside);
        look_here();
    }
}

enum { LARGE = 1 << 18, SMALL = 1 << 16 };

/* Runs the coroutine in fresh memory, five times in turn with code outside. */
static void run_coroutine(int first, size_t size) {
    char *memory = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    if (size != LARGE)
        munmap(memory + size, LARGE - size);
    assert_int_equal(getcontext(&inside), 0);
    inside.uc_stack = (stack_t){.ss_sp = memory, .ss_size = size};
    inside.uc_link = NULL;
    makecontext(&inside, coroutine, 0);
    for (turn = first; turn < first + 5; turn++) {
        look_here();
        assert_int_equal(swapcontext(&outside, &inside), 0);
        all_shapes[turn % SHAPE_SETS]->recurse(3, 1, look_here);
    }
    munmap(memory, size);
}

/* A stack anywhere in memory, newly entered or resumed, also in memory of a former stack that is
 * partly unmapped. */
static void coroutines_on_switched_stacks(void **state) {
    (void)state;
    for (int i = 0; i < 30; i++)
        run_coroutine(i, i % 3 == 2 ? SMALL : LARGE);
    assert_exact(30 * 5 * 8);
}

static volatile sig_atomic_t busy;
static volatile sig_atomic_t handled;

static void handler(int number) {
    (void)number;
    if (busy)
        return;
    busy = 1;
    look_here();
    shapes_at_o2.recurse(5, 1, look_here);
    handled++;
    busy = 0;
}

static void look_undisturbed(void) {
    busy = 1;
    look_here();
    busy = 0;
}

static void raise_and_look(void) {
    raise(SIGUSR1);
    look_here();
}

/* Raised at known places, on the same stack and on an alternate one. */
static void signal_handlers(void **state) {
    (void)state;
    static char alternate[1 << 17];
    stack_t there = {.ss_sp = alternate, .ss_size = sizeof alternate};
    assert_int_equal(sigaltstack(&there, NULL), 0);
    handled = 0;
    for (int on_stack = 0; on_stack < 2; on_stack++) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = on_stack ? SA_ONSTACK : 0};
        assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
        for (int i = 0; i < SHAPE_SETS; i++) {
            all_shapes[i]->recurse(10, 2, raise_and_look);
            all_shapes[i]->wander((uint64_t)i, 100, 10, raise_and_look);
        }
    }
    assert_true(handled >= 2 * SHAPE_SETS * 110);
    assert_exact(2 * SHAPE_SETS * 110 * 8);
    there.ss_flags = SS_DISABLE;
    sigaltstack(&there, NULL);
}

enum { INTERRUPTIONS = 300 };

static void interrupted(int number) {
    static const struct itimerval never;
    if (handled < INTERRUPTIONS)
        handler(number);
    else
        setitimer(ITIMER_REAL, &never, NULL);
}

/* At whatever instruction the timer hits, in prologues and epilogues too. */
static void interrupted_anywhere(void **state) {
    (void)state;
    enum { ROUNDS = 100000 };
    struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_RESTART};
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    struct itimerval often = {{0, 700}, {0, 700}};
    handled = 0; /* before the timer, whose handler would take what earlier tests counted for enough */
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    for (int i = 0; handled < INTERRUPTIONS && i < ROUNDS; i++)
        all_shapes[i % SHAPE_SETS]->wander((uint64_t)i, 1, 12, i % 16 == 0 ? look_undisturbed : (looker)getpid);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    assert_true(handled > 0);
    assert_int_equal(stack.different, 0);
    assert_true(stack.compared > (uint64_t)handled);
}

/* Every stack is truncated at the same depth, whatever was captured before, and nodes stay few. */
static void too_deep_a_stack_keeps_its_innermost_frames(void **state) {
    (void)state;
    enum { DEPTH = VBT_NATIVE_FRAMES + 2000 };
    uint32_t verify = vbt_native_verify_every;
    vbt_native_verify_every = 0; /* libunwind takes a second for each of these */
    uint32_t nodes = vbt_tree.nodes.count;
    shapes_at_o2.recurse(DEPTH, 100, look_here);
    vbt_native_verify_every = verify;
    assert_true(stack.cuts[VBT_CUT_DEPTH] >= 2 * 2000 / 100);
    assert_true(stack.cuts[VBT_CUT_NONE] >= 2 * (VBT_NATIVE_FRAMES - 500) / 100);
    assert_int_equal(stack.cuts[VBT_CUT_NONE] + stack.cuts[VBT_CUT_DEPTH], 2 * (DEPTH / 100 + 1));
    assert_int_equal(stack.different, 0);
    assert_true(vbt_tree.nodes.count - nodes < VBT_NATIVE_FRAMES + 2 * VBT_NATIVE_DEEP_FRAMES + 500);
    look_here();
    assert_int_equal(stack.cut, VBT_CUT_NONE);
}

/* Another thread's state, as a fork may have copied it: allocated but still empty, or with an entry
 * half written. */
static void a_state_that_was_left_half_made(void **state) {
    (void)state;
    look_thrice();
    for (int half = 0; half < 2; half++) {
        if (half == 0)
            memset(stack.room, 0, sizeof *stack.room);
        else
            for (int i = 0; i < 1 << VBT_MEMO_BITS; i++)
                stack.room->memos[i].rule.cfa += 8;
        vbt_native_stack_expire(&stack);
        vbt_native_stack_forget(&stack);
        all_shapes[0]->recurse(20, 1, look_thrice);
    }
    assert_exact(2 * 20);
}

int main(void) {
    const char *trouble = vbt_oracle_open();
    if (trouble != NULL) {
        printf("nothing to compare with: %s\n", trouble);
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(repetition, fresh_stack),
        cmocka_unit_test_setup(stacks_in_turn, fresh_stack),
        cmocka_unit_test_setup(deep_recursion, fresh_stack),
        cmocka_unit_test_setup(shapes_of_all_kinds, fresh_stack),
        cmocka_unit_test_setup(long_jumps, fresh_stack),
        cmocka_unit_test_setup(realigned_stacks, fresh_stack),
        cmocka_unit_test_setup(threads, fresh_stack),
        cmocka_unit_test_setup(coroutines_on_switched_stacks, fresh_stack),
        cmocka_unit_test_setup(signal_handlers, fresh_stack),
        cmocka_unit_test_setup(interrupted_anywhere, fresh_stack),
        cmocka_unit_test_setup(a_state_that_was_left_half_made, fresh_stack),
        cmocka_unit_test_setup(too_deep_a_stack_keeps_its_innermost_frames, fresh_stack),
    };
    world_init();
    if (!vbt_native_stack_init())
        return 1;
    vbt_native_verify_every = 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
