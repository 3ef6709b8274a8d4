/* Line events by sys.monitoring: which code they are switched on for, and what each of them
 * books. */
#include "preload/lines/books/line_silent.h"
#include "preload/lines/line_follow.h"
#include "preload/lines/line_tool.h"
#include "preload/shared/options.h"
#include "preload/thread/pause.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum {
    TOOL = 4,
    FIRST = 10,
    ALL_OF_CODE =
        1 << FAKE_PY_START | 1 << FAKE_PY_RESUME | 1 << FAKE_PY_RETURN | 1 << FAKE_PY_YIELD | 1 << FAKE_LINE | 1 << FAKE_JUMP
};

static int minor;
static struct vbt_thread *thread;
static uint32_t heap_node;
static void *code;          /* of the user's; line FIRST + i at offset 2 * i */
static void *library;       /* code that is not */
static char *frame, *inner; /* of each */

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    atomic_store(&vbt_recording, VBT_RECORDING);
    fake_python_begin(minor, thread);
    fake_api_begin();
    fake_monitoring();
    vbt_options.lines = VBT_LINES_CHOSEN;
    code = fake_code("/home/user/program.py", "work", FIRST);
    library = fake_code("/usr/lib/python3/dist-packages/library.py", "help", FIRST);
    frame = fake_frame();
    inner = fake_frame();
    fake_frame_set(frame, NULL, code, 0);
    fake_frame_set(inner, frame, library, 0);
    fake_python_run(frame);
    assert_true(vbt_line_monitoring_start(NULL));
    assert_int_equal(vbt_line_tool(), TOOL);
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_monitoring_end();
    if (thread->lines != NULL)
        vbt_line_reset(thread->lines);
    vbt_line_code_chosen = NULL;
    vbt_line_frame_now = NULL;
    vbt_line_objects = VBT_OBJECTS_NONE;
    vbt_options.functions[0] = '\0';
    fake_api_end();
    fake_python_end();
    atomic_store(&vbt_recording, VBT_NOT_YET);
    vbt_self = NULL;
    return 0;
}

static void *report(enum fake_event event, void *of, long number) { return fake_report(TOOL, event, of, fake_int(number), NULL); }

/* An event that is wanted again returns None. */
static void expect(enum fake_event event, long number) { assert_ptr_equal(report(event, code, number), vbt_line_api.none); }

static struct vbt_line *line_of(int number) {
    uint32_t slot = 0;
    for (; slot < VBT_LINE_CACHE && thread->lines->cache[slot].code != (uintptr_t)code; slot++)
        ;
    assert_in_range(slot, 0, VBT_LINE_CACHE - 1);
    return &thread->lines->cache[slot].block->lines[number - FIRST];
}

static void functions_are_reported_when_they_begin(void **state) {
    (void)state;
    const struct fake_tool *tool = &fake_tools[TOOL];
    assert_int_equal(tool->events, 1 << FAKE_PY_START | 1 << FAKE_PY_THROW | 1 << FAKE_PY_UNWIND);
    for (int event = 0; event < FAKE_EVENTS; event++)
        assert_non_null(tool->callbacks[event]);
    assert_false(fake_error());
}

static void other_code_is_not_reported_again(void **state) {
    (void)state;
    fake_python_run(inner);
    assert_ptr_equal(report(FAKE_PY_START, library, 0), fake_disable());
    assert_int_equal(fake_local_events(library, TOOL), 0);
    assert_null(thread->lines->running);
}

static void chosen_code_has_its_lines_counted(void **state) {
    (void)state;
    assert_null(report(FAKE_LINE, code, 10)); /* it has no line events yet */
    expect(FAKE_PY_START, 0);
    assert_int_equal(fake_local_events(code, TOOL), ALL_OF_CODE);
    expect(FAKE_LINE, 11);
    world_alloc(thread, heap_node, 0x1000, 100);
    expect(FAKE_LINE, 12);
    expect(FAKE_LINE, 11);
    world_free(thread, 0x1000);
    expect(FAKE_PY_RETURN, 20);
    assert_int_equal(line_of(10)->entries, 1);
    assert_int_equal(line_of(11)->hits, 2);
    assert_int_equal(line_of(11)->own.allocated, 100);
    assert_int_equal(line_of(11)->own.freed, 100);
    assert_int_equal(line_of(12)->hits, 1);
    assert_int_equal(line_of(12)->own.allocs, 0);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
}

static void an_exception_ends_a_call_too(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 11);
    expect(FAKE_PY_UNWIND, 20);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
    fake_python_run(inner);
    assert_ptr_equal(report(FAKE_PY_UNWIND, library, 0), vbt_line_api.none); /* of code that is not followed */
}

static void a_generator_goes_on_in_its_line(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 11);
    world_alloc(thread, heap_node, 0x1000, 100);
    expect(FAKE_PY_YIELD, 2);
    fake_python_run(NULL);
    world_alloc(thread, heap_node, 0x2000, 1000); /* its caller's */
    fake_python_run(frame);
    expect(FAKE_PY_RESUME, 2);
    world_alloc(thread, heap_node, 0x3000, 10);
    expect(FAKE_LINE, 12);
    expect(FAKE_PY_RETURN, 20);
    for (uintptr_t block = 0x1000; block <= 0x3000; block += 0x1000)
        world_free(thread, block);
    assert_int_equal(line_of(11)->hits, 1);
    assert_int_equal(line_of(11)->entries, 1);
    assert_int_equal(line_of(11)->own.allocated, 110);
    assert_int_equal(line_of(11)->most, 110);
}

/* A throw into it, where it is not known in which line it stopped: the offset says it. */
static void a_generator_that_was_not_followed_goes_on_by_its_offset(void **state) {
    (void)state;
    assert_ptr_equal(report(FAKE_PY_THROW, code, 8), vbt_line_api.none);
    assert_int_equal(line_of(14)->entries, 1);
    assert_ptr_equal(thread->lines->running, frame);
    fake_python_run(inner);
    assert_ptr_equal(report(FAKE_PY_THROW, library, 8), vbt_line_api.none);
    assert_ptr_equal(thread->lines->running, frame);
}

static void *jump(long from, long to) { return fake_report(TOOL, FAKE_JUMP, code, fake_int(from), fake_int(to)); }

static void a_loop_in_one_line_executes_it_each_time(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 15);
    assert_ptr_equal(jump(11, 10), vbt_line_api.none);
    assert_ptr_equal(jump(11, 10), vbt_line_api.none);
    assert_int_equal(line_of(15)->hits, 3);
    assert_ptr_equal(jump(10, 11), fake_disable()); /* forward */
    assert_ptr_equal(jump(12, 10), fake_disable()); /* to another line, which has an event of its own */
    assert_int_equal(line_of(15)->hits, 3);
}

/* What the interpreter allocates for the number that it passes is not the line's. */
static void numbers_that_are_passed_are_not_the_programs(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 11);
    void *number = fake_int(12);
    world_alloc(thread, heap_node, (uintptr_t)number, 32);
    assert_ptr_equal(fake_report(TOOL, FAKE_LINE, code, number, NULL), vbt_line_api.none);
    assert_int_equal(world_place(thread, vbt_tree.line_node).counters->allocs, 1);
    world_free(thread, (uintptr_t)number);
    void *from = fake_int(5), *to = fake_int(4);
    world_alloc(thread, heap_node, (uintptr_t)to, 32);
    world_alloc(thread, heap_node, (uintptr_t)from, 32);
    fake_report(TOOL, FAKE_JUMP, code, from, to);
    assert_int_equal(world_place(thread, vbt_tree.line_node).counters->allocs, 3);
    world_free(thread, (uintptr_t)from);
    world_free(thread, (uintptr_t)to);
    expect(FAKE_PY_RETURN, 20);
    assert_int_equal(line_of(11)->own.allocs, 0);
    assert_int_equal(line_of(12)->own.allocs, 0);
    assert_int_equal(line_of(12)->own.frees, 0);
}

static void of_numbers_only_small_ones_are_objects_that_exist(void **state) {
    (void)state;
    vbt_line_objects = VBT_OBJECTS_ALL;
    expect(FAKE_PY_START, 0);
    thread->lines->objects = 10;
    expect(FAKE_LINE, 11);
    expect(FAKE_LINE, VBT_PY_LAST_SMALL_INT);
    assert_int_equal(thread->lines->objects, 10);
    expect(FAKE_LINE, VBT_PY_LAST_SMALL_INT + 1);
    assert_int_equal(thread->lines->objects, 9);
    expect(FAKE_PY_RETURN, (long)1 << 40); /* of more than one digit */
    assert_int_equal(thread->lines->objects, 8);
}

static void numbers_of_one_digit_are_read_in_place(void **state) {
    (void)state;
    expect(FAKE_PY_START, 1);
    unsigned conversions = fake_conversions;
    expect(FAKE_LINE, 11);
    expect(FAKE_LINE, (1 << 30) - 1);
    assert_int_equal(fake_conversions, conversions);
    expect(FAKE_LINE, 1 << 30);
    expect(FAKE_LINE, 0);
    assert_int_equal(fake_conversions, conversions + 2);
    assert_int_equal(line_of(11)->hits, 1);
}

/* When code first runs after events were requested, the interpreter allocates a record of them. */
static void records_of_events_are_not_the_programs(void **state) {
    (void)state;
    static uintptr_t record[4], another[4];
    const void *block = record;
    char *points_at_it = fake_code("/usr/lib/python3/dist-packages/library.py", "monitored", FIRST);
    memcpy(points_at_it, &block, sizeof block);
    world_alloc(thread, heap_node, (uintptr_t)record, sizeof record);
    report(FAKE_PY_START, points_at_it, 0);
    assert_int_equal(vbt_ledger_node_of(record), vbt_tree.line_node);
    world_alloc(thread, heap_node, (uintptr_t)another, sizeof another);
    report(FAKE_PY_START, library, 0); /* which does not point at it */
    assert_int_equal(vbt_ledger_node_of(another), heap_node);
    world_free(thread, (uintptr_t)record);
    world_free(thread, (uintptr_t)another);
}

static void silent_functions_are_called_by_the_line(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 11);
    fake_python_run(inner); /* which has been disabled */
    world_alloc(thread, heap_node, 0x1000, 100);
    fake_python_run(frame);
    world_alloc(thread, heap_node, 0x2000, 10);
    expect(FAKE_PY_RETURN, 20);
    world_free(thread, 0x1000);
    world_free(thread, 0x2000);
    assert_int_equal(line_of(11)->called.allocated, 100);
    assert_int_equal(line_of(11)->own.allocated, 10);
}

static void frames_that_ended_silently_are_closed(void **state) {
    (void)state;
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 11);
    char *second = fake_frame();
    fake_frame_set(second, frame, code, 0);
    fake_python_run(second);
    expect(FAKE_PY_START, 0);
    expect(FAKE_LINE, 12);
    fake_python_run(frame); /* the second ended without an event */
    expect(FAKE_LINE, 13);
    assert_ptr_equal(thread->lines->running, frame);
    assert_int_equal(thread->lines->top - thread->lines->frames, 1);
    assert_int_equal(line_of(11)->active, 0);
}

static void while_recording_is_paused_functions_become_known(void **state) {
    (void)state;
    assert_non_null(vbt_line_thread(thread));
    vbt_pause_begin(1);
    expect(FAKE_PY_START, 0);
    assert_int_equal(fake_local_events(code, TOOL), ALL_OF_CODE);
    assert_ptr_equal(report(FAKE_PY_START, library, 0), fake_disable());
    expect(FAKE_LINE, 11);
    assert_ptr_equal(thread->lines->top, thread->lines->frames);
    vbt_pause_end(2);
    expect(FAKE_LINE, 12); /* from here on */
    assert_int_equal(line_of(11)->hits, 0);
    assert_int_equal(line_of(12)->hits, 1);
}

/* @profile before a function that runs already. */
static void code_that_is_chosen_later_is_switched_on_then(void **state) {
    (void)state;
    strcpy(vbt_options.functions, "nothing_of_this_name");
    char name[32]; /* that no other version's test has chosen */
    snprintf(name, sizeof name, "decorated_3_%d", minor);
    void *decorated = fake_code("/home/user/program.py", name, FIRST);
    assert_ptr_equal(report(FAKE_PY_START, decorated, 0), fake_disable());
    vbt_line_choose(decorated);
    assert_int_equal(fake_local_events(decorated, TOOL), ALL_OF_CODE);
}

static void with_the_interpreter_the_events_end(void **state) {
    (void)state;
    vbt_line_monitoring_end();
    assert_int_equal(vbt_line_tool(), -1);
    void *late = fake_code("/home/user/program.py", "late", FIRST);
    vbt_line_choose(late);
    assert_int_equal(fake_local_events(late, TOOL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(functions_are_reported_when_they_begin),
        TEST(other_code_is_not_reported_again),
        TEST(chosen_code_has_its_lines_counted),
        TEST(an_exception_ends_a_call_too),
        TEST(a_generator_goes_on_in_its_line),
        TEST(a_generator_that_was_not_followed_goes_on_by_its_offset),
        TEST(a_loop_in_one_line_executes_it_each_time),
        TEST(numbers_that_are_passed_are_not_the_programs),
        TEST(of_numbers_only_small_ones_are_objects_that_exist),
        TEST(numbers_of_one_digit_are_read_in_place),
        TEST(records_of_events_are_not_the_programs),
        TEST(silent_functions_are_called_by_the_line),
        TEST(frames_that_ended_silently_are_closed),
        TEST(while_recording_is_paused_functions_become_known),
        TEST(code_that_is_chosen_later_is_switched_on_then),
        TEST(with_the_interpreter_the_events_end),
    };
    heap_node = world_init_lines();
    int failed = 0;
    for (minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++)
        if (vbt_cpython_known(minor)->line_events == VBT_LINE_EVENTS_MONITORED) {
            print_message("3.%d\n", minor);
            failed += cmocka_run_group_tests(tests, NULL, NULL);
        }
    return failed;
}
