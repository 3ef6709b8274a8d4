/* The table of a thread's steps: it grows where they displace each other, and only there. */
#include "preload/python/python_stack.h"
#include "preload/python/python_walk.h"

#include "preload/thread/thread.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { VERSION = 11, FUNCTIONS = 24, LINES = FAKE_INSTRUCTIONS };

static struct vbt_thread *thread;

/* A function that calls others, and those. */
static char *code, *inner_codes[FUNCTIONS], *frame, *inner_frame;

static void begin(void) {
    void *state = NULL;
    world_reset(&state);
    thread = vbt_thread_begin();
    fake_python_begin(VERSION, thread);
    code = fake_code("a.py", "outer", 1);
    for (int i = 0; i < FUNCTIONS; i++)
        inner_codes[i] = fake_code("a.py", "inner", 1000 * (i + 1));
    frame = fake_frame();
    inner_frame = fake_frame();
    fake_python_run(inner_frame);
}

/* Calls a function from a line; returns the node. */
static uint32_t call(int line, int function, int inner_line) {
    fake_frame_set(frame, NULL, code, line);
    fake_frame_set(inner_frame, frame, inner_codes[function], inner_line);
    return vbt_python_leaf(&thread->stack)->node;
}

static size_t steps_kept(void) { return thread->stack.step_offsets / sizeof *thread->stack.steps + 1; }

static int32_t line_of(uint32_t node) { return vbt_site_at(vbt_node_at(node)->site)->b; }

/* So many steps come by turns that the table becomes as large as it may; each is still found to be
 * what it is. */
static void steps_that_displace_each_other(void **state) {
    (void)state;
    static uint32_t nodes[LINES][FUNCTIONS][LINES];
    assert_true(LINES * FUNCTIONS * LINES > VBT_MOST_STEPS * 5 / 4);
    begin();
    assert_int_equal(thread->stack.steps, 0);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < LINES * FUNCTIONS * LINES; i++) {
            int line = i % LINES, function = i / LINES % FUNCTIONS, inner_line = i / LINES / FUNCTIONS;
            uint32_t node = call(line, function, inner_line);
            const struct vbt_step *known = vbt_walk_known(&thread->stack, &vbt_cpythons[VERSION].abi);
            assert_true(known != NULL && known->place.node == node);
            if (round == 0)
                nodes[line][function][inner_line] = node;
            assert_int_equal(nodes[line][function][inner_line], node);
            assert_int_equal(line_of(node), 1000 * (function + 1) + inner_line);
            assert_int_equal(line_of(vbt_node_at(node)->parent), 1 + line);
        }
    }
    assert_int_equal(steps_kept(), VBT_MOST_STEPS);
    fake_python_end();
}

/* Steps that are displaced now and then need no larger table. */
static void few_displaced_steps(void **state) {
    (void)state;
    begin();
    for (int i = 0; i < 20000; i++) {
        call(i % LINES, i / LINES % FUNCTIONS, 0);
        thread->ledger.totals[VBT_DOMAIN_PYTHON].allocs += 1000;
    }
    assert_int_equal(steps_kept(), VBT_FEW_STEPS);
    fake_python_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_that_displace_each_other),
        cmocka_unit_test(few_displaced_steps),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
