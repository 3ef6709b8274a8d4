/* Line mode's number in sys.monitoring, and its functions in the place of built-in ones. */
#include "preload/lines/line_tool.h"

#include "preload/lines/line_wrap.h"
#include "preload/python/python_stack.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct vbt_thread *thread;
static void *monitoring, *leave; /* leave: line_mode.py's leave_tool */
static int listened;             /* how often, and the number then */
static int listened_by;
static bool can_listen;
static int left_old, left_new;

static bool listen_to_all(void *given) {
    assert_ptr_equal(given, leave);
    listened++;
    listened_by = vbt_line_tool();
    return can_listen;
}

/* line_mode.py's leave_tool(old, new). */
static void *call(void *function, const char *format, ...) {
    assert_ptr_equal(function, leave);
    assert_string_equal(format, "ii");
    va_list arguments;
    va_start(arguments, format);
    left_old = va_arg(arguments, int);
    left_new = va_arg(arguments, int);
    va_end(arguments);
    fake_tools[left_old].taken = false;
    return vbt_line_api.none;
}

static int asked_for; /* by the program, of the real functions */

static void *real_use(void *self, void *const *arguments, long count) {
    assert_non_null(self);
    assert_int_equal(count, 2);
    asked_for = (int)vbt_line_api.as_long(arguments[0]);
    fake_tools[asked_for].taken = true;
    return vbt_line_api.none;
}

static void *real_get(void *self, void *number) {
    (void)self;
    asked_for = (int)vbt_line_api.as_long(number);
    return monitoring;
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    fake_python_begin(13, thread);
    fake_api_begin();
    vbt_line_api.call = call;
    leave = fake_object();
    monitoring = fake_monitoring();
    fake_attribute_set(monitoring, "use_tool_id", fake_builtin("use_tool_id", real_use, VBT_PY_METH_FASTCALL));
    fake_attribute_set(monitoring, "get_tool", fake_builtin("get_tool", real_get, 8));
    listened = asked_for = 0;
    left_old = left_new = 77;
    can_listen = true;
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_tool_end();
    fake_api_end();
    fake_python_end();
    vbt_self = NULL;
    return 0;
}

static void program_uses(int number) {
    asked_for = -1;
    fake_call_two(fake_attribute(monitoring, "use_tool_id"), fake_int(number), fake_object());
    assert_int_equal(asked_for, number); /* it gets what it asked for in any case */
}

static void the_first_free_number_is_taken(void **state) {
    static const int order[] = {4, 3, 5, 2, 1};
    for (unsigned taken = 0; taken < 5; taken++) {
        if (taken > 0)
            begin(state);
        for (unsigned i = 0; i < taken; i++)
            fake_tools[order[i]].taken = true;
        assert_true(vbt_line_tool_take(monitoring, leave, listen_to_all));
        assert_int_equal(vbt_line_tool(), order[taken]);
        assert_int_equal(listened, 1);
        assert_int_equal(listened_by, order[taken]);
        assert_false(fake_error());
        if (taken < 4)
            end(state);
    }
}

static void none_is_taken_where_all_are_in_use(void **state) {
    (void)state;
    for (int i = 1; i < FAKE_TOOLS; i++) /* 0 is for debuggers alone */
        fake_tools[i].taken = true;
    assert_false(vbt_line_tool_take(monitoring, leave, listen_to_all));
    assert_int_equal(vbt_line_tool(), -1);
    assert_int_equal(listened, 0);
    assert_false(fake_tools[0].taken);
}

static void taking_fails_if_listening_does(void **state) {
    (void)state;
    void *before = fake_attribute(monitoring, "use_tool_id");
    can_listen = false;
    assert_false(vbt_line_tool_take(monitoring, leave, listen_to_all));
    assert_ptr_equal(fake_attribute(monitoring, "use_tool_id"), before);
}

static void who_asks_for_our_number_gets_it(void **state) {
    (void)state;
    assert_true(vbt_line_tool_take(monitoring, leave, listen_to_all));
    uint64_t generations = vbt_python_generations;
    fake_tools[4].events = 1;
    program_uses(4);
    assert_int_equal(vbt_line_tool(), 3);
    assert_int_equal(listened, 2);
    assert_int_equal(listened_by, 3);
    assert_int_equal(left_old, 4);
    assert_int_equal(left_new, 3);
    assert_int_equal(fake_tools[4].events, 0); /* nothing of ours is left on it */
    assert_int_not_equal(vbt_python_generations, generations);
    program_uses(3); /* and again */
    assert_int_equal(vbt_line_tool(), 5);
}

static void other_numbers_do_not_matter(void **state) {
    (void)state;
    assert_true(vbt_line_tool_take(monitoring, leave, listen_to_all));
    program_uses(2);
    program_uses(0);
    assert_int_equal(vbt_line_tool(), 4);
    assert_int_equal(listened, 1);
    thread->stack.override.node = 1; /* it is vbtrace itself that asks */
    program_uses(4);
    thread->stack.override.node = 0;
    assert_int_equal(vbt_line_tool(), 4);
}

static void where_no_number_is_left_lines_end(void **state) {
    (void)state;
    static const int all[] = {1, 2, 3, 5};
    assert_true(vbt_line_tool_take(monitoring, leave, listen_to_all));
    for (unsigned i = 0; i < 4; i++)
        program_uses(all[i]);
    assert_false(world_noted("no lines were counted"));
    world_listen();
    program_uses(4);
    assert_non_null(strstr(world_said(), "no lines are counted"));
    assert_true(world_noted("no lines were counted"));
    assert_int_equal(vbt_line_tool(), -1);
    assert_int_equal(left_new, -1);
    program_uses(4); /* there is nothing of ours any more */
    assert_int_equal(listened, 1);
}

static void our_number_looks_free(void **state) {
    (void)state;
    assert_true(vbt_line_tool_take(monitoring, leave, listen_to_all));
    void *get_tool = fake_attribute(monitoring, "get_tool");
    assert_ptr_equal(fake_call_one(get_tool, fake_int(4)), vbt_line_api.none);
    assert_int_equal(asked_for, 0);
    assert_ptr_equal(fake_call_one(get_tool, fake_int(2)), monitoring);
    assert_int_equal(asked_for, 2);
    vbt_line_tool_end();
    assert_ptr_equal(fake_call_one(get_tool, fake_int(4)), monitoring);
}

/* ---- line_wrap ---- */

static void *other(void *self, void *argument) {
    (void)self;
    return argument;
}

static void a_replacement_looks_like_what_it_replaces(void **state) {
    (void)state;
    static struct vbt_py_method ours;
    void *module = fake_object(), *real = NULL;
    void *before = fake_builtin("function", real_get, 8);
    fake_attribute_set(module, "function", before);
    assert_true(vbt_line_wrap(module, "function", other, &ours, &real));
    void *after = fake_attribute(module, "function");
    assert_ptr_not_equal(after, before);
    const struct vbt_py_function *was = fake_builtin_of(before), *is = fake_builtin_of(after);
    assert_ptr_equal(is->self, was->self);
    assert_ptr_equal(is->module, was->module);
    assert_string_equal(is->method->name, "function");
    assert_string_equal(is->method->doc, was->method->doc);
    assert_int_equal(is->method->flags, 8);
    assert_ptr_equal(is->method->function, other);
    assert_ptr_equal(real, real_get);
    assert_ptr_equal(fake_call_one(after, before), before);
}

static void what_is_no_such_function_stays(void **state) {
    (void)state;
    static struct vbt_py_method ours;
    void *module = fake_object(), *something = fake_object(), *real = NULL;
    assert_false(vbt_line_wrap(module, "function", other, &ours, &real)); /* there is none */
    assert_false(fake_error());
    fake_attribute_set(module, "function", something); /* not in C */
    assert_false(vbt_line_wrap(module, "function", other, &ours, &real));
    assert_ptr_equal(fake_attribute(module, "function"), something);
    void *another = fake_builtin("another", real_get, 8); /* under another's name */
    fake_attribute_set(module, "function", another);
    assert_false(vbt_line_wrap(module, "function", other, &ours, &real));
    assert_ptr_equal(fake_attribute(module, "function"), another);
    assert_null(real);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_free_number_is_taken), TEST(none_is_taken_where_all_are_in_use),
        TEST(taking_fails_if_listening_does), TEST(who_asks_for_our_number_gets_it),
        TEST(other_numbers_do_not_matter),    TEST(where_no_number_is_left_lines_end),
        TEST(our_number_looks_free),          TEST(a_replacement_looks_like_what_it_replaces),
        TEST(what_is_no_such_function_stays),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
