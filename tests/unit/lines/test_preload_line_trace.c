/* Line events by a trace function: in which frames it is in place, what each event books, and who
 * else may have a trace function. */
#include "preload/lines/line_frames.h"
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

enum { FIRST = 10 };

static int minor;
static struct vbt_thread *thread;
static uint32_t heap_node;
static char *code, *other_code, *library; /* two of the user's, which are followed, and one that is not */

static int settings; /* calls of the real sys.settrace */

static void *real_settrace(void *self, void *function) {
    (void)self;
    settings++;
    fake_audit("sys.settrace");
    fake_trace_function set;
    memcpy(&set, &function, sizeof set);
    fake_trace_set(set);
    return vbt_line_api.none;
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    atomic_store(&vbt_recording, VBT_RECORDING);
    fake_python_begin(minor, thread);
    fake_api_begin();
    fake_calls_begin(thread);
    fake_attribute_set(fake_module("sys"), "settrace", fake_builtin("settrace", real_settrace, 8));
    vbt_options.lines = VBT_LINES_CHOSEN;
    code = fake_code("/home/user/program.py", "work", FIRST);
    other_code = fake_code("/home/user/program.py", "more", FIRST + 40);
    library = fake_code("/usr/lib/python3/dist-packages/library.py", "help", FIRST);
    assert_true(vbt_line_trace_start());
    assert_non_null(vbt_line_thread(thread));
    settings = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_reset(thread->lines);
    vbt_line_objects = VBT_OBJECTS_NONE;
    fake_calls_end();
    fake_api_end();
    fake_python_end();
    atomic_store(&vbt_recording, VBT_NOT_YET);
    vbt_self = NULL;
    return 0;
}

static struct vbt_line *line_of(const char *of, int number) {
    bool is_new;
    struct vbt_line_block *block = vbt_line_block_of(thread->lines, of, &is_new);
    assert_non_null(block);
    return &block->lines[number - block->first];
}

/* A block of the program's that ends when the test does. */
static void allocate(size_t size) {
    static uintptr_t next = 0x100000;
    world_alloc(thread, heap_node, next += 0x1000, size);
}

static const void *help(void) {
    assert_false(fake_is_traced());
    allocate(1000);
    return fake_value;
}

static const void *work(void) {
    assert_true(fake_is_traced());
    fake_line(11);
    allocate(100);
    fake_line(12);
    fake_call(library, help);
    assert_true(fake_is_traced());
    allocate(10);
    fake_line(11);
    return fake_value;
}

static void chosen_code_has_its_lines_counted(void **state) {
    (void)state;
    fake_call(code, work);
    assert_int_equal(line_of(code, 10)->entries, 1);
    assert_int_equal(line_of(code, 11)->hits, 2);
    assert_int_equal(line_of(code, 11)->own.allocated, 100);
    assert_int_equal(line_of(code, 12)->hits, 1);
    assert_int_equal(line_of(code, 12)->own.allocated, 10);
    assert_int_equal(line_of(code, 12)->called.allocated, 1000);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
    assert_int_equal(thread->lines->roots, 0);
}

static void other_code_runs_without_a_trace_function(void **state) {
    (void)state;
    fake_call(library, help);
    assert_false(fake_is_traced());
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
}

static const void *more(void) {
    assert_true(fake_is_traced());
    fake_line(51);
    allocate(1);
    return fake_value;
}

static const void *help_calls_more(void) {
    assert_false(fake_is_traced());
    fake_call(other_code, more);
    assert_false(fake_is_traced());
    return fake_value;
}

static const void *work_calls_help(void) {
    fake_line(11);
    fake_call(library, help_calls_more);
    fake_line(12);
    fake_call(other_code, more);
    return fake_value;
}

static void chosen_code_is_followed_wherever_it_is_called(void **state) {
    (void)state;
    fake_call(code, work_calls_help);
    assert_int_equal(line_of(other_code, 51)->hits, 2);
    assert_int_equal(line_of(other_code, 51)->own.allocated, 2);
    assert_int_equal(line_of(code, 11)->called.allocated, 1);
    assert_int_equal(line_of(code, 12)->called.allocated, 1);
    assert_int_equal(line_of(code, 11)->active, 0);
}

static const void *raises(void) {
    fake_line(51);
    return NULL;
}

static const void *catches(void) {
    fake_line(11);
    fake_call(other_code, raises);
    fake_line(12);
    return fake_value;
}

static void an_exception_ends_a_call_too(void **state) {
    (void)state;
    fake_call(code, catches);
    assert_int_equal(line_of(other_code, 51)->hits, 1);
    assert_int_equal(line_of(code, 12)->hits, 1);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
}

static char *generator;

static const void *yields(void) {
    fake_line(51);
    allocate(100);
    return fake_value;
}

static const void *goes_on(void) {
    allocate(10);
    fake_line(52);
    return fake_value;
}

static const void *uses_generator(void) {
    fake_line(11);
    fake_resume(generator, yields, false);
    allocate(1000);
    fake_resume(generator, goes_on, true);
    return fake_value;
}

static void a_generator_goes_on_in_its_line(void **state) {
    (void)state;
    generator = fake_generator(other_code);
    fake_call(code, uses_generator);
    assert_int_equal(line_of(other_code, 51)->hits, 1);
    assert_int_equal(line_of(other_code, 51)->own.allocated, 110);
    assert_int_equal(line_of(other_code, 51)->most, 110);
    assert_int_equal(line_of(other_code, 52)->hits, 1);
    assert_int_equal(line_of(code, 11)->own.allocated, 1000);
    assert_int_equal(line_of(code, 11)->called.allocated, 110);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
}

/* From 3.11 on the interpreter makes an object of the frame, to call the trace function with it. */
static void frame_objects_are_not_the_programs(void **state) {
    (void)state;
    fake_call(code, work);
    uint64_t expected = vbt_cpython_known(minor)->trace.frame_inner != 0;
    assert_int_equal(world_place(thread, vbt_tree.line_node).counters->allocs, expected);
    assert_int_equal(line_of(code, 10)->own.allocs, 0);
}

static void *traceback;
static char *stopped;

static const void *raise_stop(void) {
    fake_line(11);
    fake_raise(*vbt_line_api.stop_iteration, stopped, vbt_line_api.none);
    fake_line(12);
    return fake_value;
}

/* A value whose type has these flags. */
static void *value_of_type(uint64_t flags) {
    static char type[VBT_PY_TYPE_FLAGS + sizeof flags];
    memcpy(type + VBT_PY_TYPE_FLAGS, &flags, sizeof flags);
    char *value = fake_object();
    const void *is = type;
    memcpy(value + vbt_python.abi.object_type, &is, sizeof is);
    return value;
}

static void stop_with(uint64_t flags) {
    stopped = fake_exception(*vbt_line_api.stop_iteration, 64, value_of_type(flags));
    fake_call(code, raise_stop);
}

static bool is_lines_own(const void *object) { return vbt_ledger_node_of((void *)fake_block_of(object)) == vbt_tree.line_node; }

static void a_stop_iteration_made_for_tracing_is_not_the_programs(void **state) {
    (void)state;
    vbt_line_objects = VBT_OBJECTS_SERVED;
    stop_with(0);
    assert_true(is_lines_own(stopped));
    bool always = minor >= 10;
    stop_with(VBT_PY_TUPLES);
    assert_int_equal(is_lines_own(stopped), always);
    stop_with(VBT_PY_EXCEPTIONS);
    assert_int_equal(is_lines_own(stopped), always);
    void *another = fake_object();
    stopped = fake_exception(another, 64, value_of_type(0)); /* of a type derived from it */
    fake_call(code, raise_stop);
    assert_false(is_lines_own(stopped));
}

static const void *raise_other(void) {
    fake_line(11);
    traceback = fake_exception(fake_object(), 0, NULL);
    stopped = fake_exception(*vbt_line_api.stop_iteration, 64, value_of_type(0));
    fake_raise(*vbt_line_api.stop_iteration, stopped, traceback);
    return NULL;
}

static void a_raised_exception_is_the_programs(void **state) {
    (void)state;
    fake_call(code, raise_other);
    assert_false(is_lines_own(stopped));
    assert_false(is_lines_own(traceback));
}

static const void *is_closed(void) {
    traceback = fake_exception(fake_object(), 0, NULL);
    stopped = fake_exception(*vbt_line_api.generator_exit, 0, NULL);
    fake_raise(*vbt_line_api.generator_exit, stopped, traceback);
    return NULL;
}

/* Its exception has an object only because there is a trace function. */
static void a_closed_generators_exception_is_not_the_programs(void **state) {
    (void)state;
    stop_with(0);
    assert_true(is_lines_own(fake_tuple())); /* as the tuple that holds it is, which exists from now on */
    generator = fake_generator(code);
    fake_resume(generator, yields, false);
    fake_resume(generator, is_closed, true);
    assert_true(is_lines_own(stopped));
    assert_false(is_lines_own(traceback));
}

/* ---- other trace functions ---- */

static int others_events;

static int others_trace(void *object, void *frame, int what, void *argument) {
    (void)object, (void)frame, (void)what, (void)argument;
    others_events++;
    return 0;
}

static void settrace(fake_trace_function function) {
    void *as_pointer;
    memcpy(&as_pointer, &function, sizeof as_pointer);
    fake_call_one(fake_attribute(fake_module("sys"), "settrace"), as_pointer);
}

static const void *sets_trace(void) {
    fake_line(11);
    settrace(others_trace);
    assert_ptr_equal(fake_trace(), others_trace);
    fake_line(12);
    fake_call(other_code, more);
    assert_ptr_equal(fake_trace(), others_trace);
    settrace(NULL);
    fake_line(13);
    return fake_value;
}

static void the_programs_trace_function_takes_the_place(void **state) {
    (void)state;
    others_events = 0;
    fake_call(code, sets_trace);
    assert_int_equal(settings, 2);
    assert_int_equal(others_events, 4); /* a line, and a call, a line, a return of the other function */
    assert_int_equal(line_of(code, 11)->hits, 1);
    assert_int_equal(line_of(code, 12)->hits, 0);
    assert_int_equal(line_of(other_code, 51)->hits, 0);
    assert_int_equal(line_of(code, 13)->hits, 1); /* ours is in place again */
    assert_true(world_noted("trace function of its own"));
}

static const void *sets_trace_in_c(void) {
    fake_line(11);
    fake_audit("sys.settrace");
    fake_trace_set(NULL); /* by PyEval_SetTrace: what it was set to is not reported */
    fake_line(12);
    fake_run_pending();
    fake_line(13);
    return fake_value;
}

static void code_in_c_that_removes_it_is_noticed_later(void **state) {
    (void)state;
    fake_call(code, sets_trace_in_c);
    assert_int_equal(line_of(code, 12)->hits, 0);
    assert_int_equal(line_of(code, 13)->hits, 1);
}

static const void *sees_another_event(void) {
    fake_line(11);
    fake_audit("import");
    fake_line(12);
    return fake_value;
}

static void other_audit_events_do_not_matter(void **state) {
    (void)state;
    fake_call(code, sees_another_event);
    assert_int_equal(line_of(code, 12)->hits, 1);
}

static const void *is_asked(void) {
    assert_true(vbt_line_frames_is_sole_tracer());
    const void *profile = fake_value;
    char *place = (char *)vbt_python.this_thread() + vbt_cpython_known(minor)->trace.tstate_function - (int)sizeof profile;
    memcpy(place, &profile, sizeof profile);
    assert_false(vbt_line_frames_is_sole_tracer());
    memset(place, 0, sizeof profile);
    fake_trace_function ours = fake_trace();
    fake_trace_set(others_trace);
    assert_false(vbt_line_frames_is_sole_tracer());
    fake_trace_set(ours);
    return fake_value;
}

static void a_profile_function_listens_too(void **state) {
    (void)state;
    fake_call(code, is_asked);
}

/* ---- stacks that are switched ---- */

static const void *on_other_stack(void) {
    assert_true(fake_is_traced()); /* though this is none of the chosen code */
    allocate(1000);
    return fake_value;
}

static const void *switches(void) {
    fake_line(11);
    assert_false(thread->lines->switches);
    fake_call_on_other_stack(library, on_other_stack);
    assert_true(thread->lines->switches);
    fake_line(12);
    return fake_value;
}

static void where_stacks_are_switched_it_stays_in_place(void **state) {
    (void)state;
    fake_call(code, switches);
    assert_int_equal(line_of(code, 11)->hits, 1);
    assert_int_equal(line_of(code, 12)->hits, 1);
    assert_int_equal(line_of(code, 11)->called.allocated, 1000);
    assert_int_equal(thread->lines->roots, 0);
}

static const void *goes_on_with_switched_stacks(void) {
    assert_false(fake_is_traced());
    fake_call(code, switches);
    assert_true(fake_is_traced()); /* as every frame of the thread is from now on */
    return fake_value;
}

static void other_code_that_called_it_is_traced_from_then_on(void **state) {
    (void)state;
    fake_call(library, goes_on_with_switched_stacks);
    assert_int_equal(line_of(code, 12)->hits, 1);
}

static void set_nothing(int (*function)(void *, void *, int, void *), void *object) { (void)function, (void)object; }

static void an_interpreter_that_is_laid_out_otherwise_is_left_alone(void **state) {
    (void)state;
    fake_trace_set(NULL);
    vbt_line_api.set_trace = set_nothing; /* or to another place */
    assert_false(vbt_line_trace_start());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(chosen_code_has_its_lines_counted),
        TEST(other_code_runs_without_a_trace_function),
        TEST(chosen_code_is_followed_wherever_it_is_called),
        TEST(an_exception_ends_a_call_too),
        TEST(a_generator_goes_on_in_its_line),
        TEST(frame_objects_are_not_the_programs),
        TEST(a_stop_iteration_made_for_tracing_is_not_the_programs),
        TEST(a_raised_exception_is_the_programs),
        TEST(a_closed_generators_exception_is_not_the_programs),
        TEST(the_programs_trace_function_takes_the_place),
        TEST(code_in_c_that_removes_it_is_noticed_later),
        TEST(other_audit_events_do_not_matter),
        TEST(a_profile_function_listens_too),
        TEST(where_stacks_are_switched_it_stays_in_place),
        TEST(other_code_that_called_it_is_traced_from_then_on),
        TEST(an_interpreter_that_is_laid_out_otherwise_is_left_alone),
    };
    heap_node = world_init_lines();
    int failed = 0;
    for (minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++)
        if (vbt_cpython_known(minor)->line_events == VBT_LINE_EVENTS_TRACED) {
            print_message("3.%d\n", minor);
            failed += cmocka_run_group_tests(tests, NULL, NULL);
        }
    return failed;
}
