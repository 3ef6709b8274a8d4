/* Methods that the evaluation loop binds only because there is a trace function: they are not the
 * program's. */
#include "preload/lines/line_methods.h"

#include "preload/lines/line_follow.h"
#include "preload/shared/options.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_calls.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The type of methods in C: what vbt_line_methods_learn finds. */
FAKE_EXPORT char PyMethodDescr_Type[VBT_PY_TYPE_DESCRIPTOR_GET + sizeof(void *)];

typedef void *(*descriptor_get)(void *descriptor, void *object, void *type);

static struct vbt_thread *thread;
static uint32_t heap_node;
static char *code;
static bool reuses; /* the bound method comes from a free list */

static void *real_get(void *descriptor, void *object, void *type) {
    (void)object, (void)type;
    return reuses ? descriptor : fake_exception(fake_object(), 0, NULL);
}

static descriptor_get in_type(void) {
    descriptor_get function;
    memcpy(&function, PyMethodDescr_Type + VBT_PY_TYPE_DESCRIPTOR_GET, sizeof function);
    return function;
}

/* Two places that ask for a bound method: an instruction of the evaluation loop, and any other
 * code. They differ, so that no compiler makes one of them. */
static __attribute__((noinline)) const void *in_loop(void *object) {
    void *volatile bound = in_type()(fake_object(), object, PyMethodDescr_Type);
    return bound;
}

static int asked_elsewhere;

static __attribute__((noinline)) const void *elsewhere(void *object) {
    asked_elsewhere++;
    void *volatile bound = in_type()(fake_object(), object, PyMethodDescr_Type);
    return bound;
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    atomic_store(&vbt_recording, VBT_RECORDING);
    fake_python_begin(11, thread);
    fake_api_begin();
    fake_calls_begin(thread);
    vbt_options.lines = VBT_LINES_CHOSEN;
    code = fake_code("/home/user/program.py", "work", 10);
    assert_true(vbt_line_trace_start());
    assert_non_null(vbt_line_thread(thread));
    reuses = false;
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_reset(thread->lines);
    fake_calls_end();
    fake_api_end();
    fake_python_end();
    atomic_store(&vbt_recording, VBT_NOT_YET);
    vbt_self = NULL;
    return 0;
}

static bool is_programs(const void *object) { return vbt_ledger_node_of((void *)fake_block_of(object)) != vbt_tree.line_node; }

static const void *nothing_yet(void) {
    assert_true(is_programs(in_loop(code)));
    vbt_line_methods_learn();
    assert_ptr_not_equal(in_type(), real_get);
    assert_false(is_programs(in_loop(code)));
    vbt_line_methods_learned();
    return fake_value;
}

/* Once a process: what is learned here holds for the tests below. */
static void where_the_loop_asks_is_learned(void **state) {
    (void)state;
    descriptor_get function = real_get;
    memcpy(PyMethodDescr_Type + VBT_PY_TYPE_DESCRIPTOR_GET, &function, sizeof function);
    fake_call(code, nothing_yet);
    function = in_type();
    vbt_line_methods_learn(); /* of the process's next interpreter: the type is the same */
    vbt_line_methods_learned();
    assert_ptr_equal(in_type(), function);
}

static const void *calls_methods(void) {
    world_alloc(thread, heap_node, 0x1000, 8);
    const void *before = thread->ledger.last_block;
    assert_false(is_programs(in_loop(code)));
    assert_ptr_equal(thread->ledger.last_block, before); /* as if nothing had been allocated since */
    const void *bound = elsewhere(code);
    assert_true(is_programs(bound));
    assert_ptr_equal(thread->ledger.last_block, fake_block_of(bound));
    assert_true(is_programs(in_loop(NULL))); /* an attribute of the type: not bound */
    world_free(thread, 0x1000);
    return fake_value;
}

static void what_the_loop_binds_is_not_the_programs(void **state) {
    (void)state;
    fake_call(code, calls_methods);
}

static const void *calls_with_free_list(void) {
    const void *bound = elsewhere(code);
    reuses = true;
    in_loop(code);
    assert_ptr_equal(thread->ledger.last_block, fake_block_of(bound));
    assert_true(is_programs(bound));
    return fake_value;
}

static void what_was_not_allocated_is_left_alone(void **state) {
    (void)state;
    fake_call(code, calls_with_free_list);
}

static int others_trace(void *object, void *frame, int what, void *argument) {
    (void)object, (void)frame, (void)what, (void)argument;
    return 0;
}

static const void *is_traced_by_others(void) {
    fake_trace_function ours = fake_trace();
    fake_trace_set(others_trace); /* which would have it bound, too */
    assert_true(is_programs(in_loop(code)));
    fake_trace_set(ours);
    return fake_value;
}

static void with_another_trace_function_it_is_the_programs(void **state) {
    (void)state;
    fake_call(code, is_traced_by_others);
    assert_true(is_programs(in_loop(code))); /* with none: it asked for it */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(where_the_loop_asks_is_learned),
        TEST(what_the_loop_binds_is_not_the_programs),
        TEST(what_was_not_allocated_is_left_alone),
        TEST(with_another_trace_function_it_is_the_programs),
    };
    heap_node = world_init_lines();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
