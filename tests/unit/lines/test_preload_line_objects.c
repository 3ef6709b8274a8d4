/* Exact objects: what the reference tracer reports, whom else it reports to, and what is said where
 * objects cannot be seen. What free lists have to do with it is in
 * test_preload_line_free_lists.c. */
#include "preload/lines/line_objects.h"

#include "preload/lines/books/line_books.h"
#include "preload/shared/options.h"
#include "preload/thread/pause.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { CREATE, DESTROY, ANOTHER };

typedef int (*ref_tracer)(void *object, int event, void *data);

static struct vbt_thread *thread;
static ref_tracer tracer;
static void *tracer_data;
static bool refuses;

FAKE_EXPORT int PyRefTracer_SetTracer(ref_tracer function, void *data);
FAKE_EXPORT ref_tracer PyRefTracer_GetTracer(void **data);

int PyRefTracer_SetTracer(ref_tracer function, void *data) {
    if (refuses)
        return -1;
    tracer = function;
    tracer_data = data;
    return 0;
}

ref_tracer PyRefTracer_GetTracer(void **data) {
    *data = tracer_data;
    return tracer;
}

static int others_events[3];

static int others_tracer(void *object, int event, void *data) {
    assert_ptr_equal(object, &thread);
    assert_ptr_equal(data, others_events);
    others_events[event]++;
    return 7;
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    atomic_store(&vbt_recording, VBT_RECORDING);
    vbt_options.objects = true;
    tracer = NULL;
    tracer_data = NULL;
    refuses = false;
    assert_non_null(vbt_line_thread(thread));
    thread->lines->objects = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_objects_end();
    vbt_line_objects = VBT_OBJECTS_NONE;
    vbt_options.objects = false;
    fake_python_end();
    atomic_store(&vbt_recording, VBT_NOT_YET);
    vbt_self = NULL;
    return 0;
}

static void start(int minor) {
    fake_python_begin(minor, thread);
    vbt_python.library = NULL;
    vbt_line_objects_start();
}

static void only_who_asks_has_them_counted(void **state) {
    (void)state;
    vbt_options.objects = false;
    start(13);
    assert_null(tracer);
    assert_int_equal(vbt_line_objects, VBT_OBJECTS_NONE);
}

static void created_objects_are_counted(void **state) {
    (void)state;
    start(VBT_PYTHON_LAST);
    assert_int_equal(vbt_line_objects, VBT_OBJECTS_ALL);
    assert_null(vbt_line_objects_on_event);
    assert_int_equal(tracer(&thread, CREATE, tracer_data), 0);
    assert_int_equal(tracer(&thread, CREATE, tracer_data), 0);
    assert_int_equal(tracer(&thread, DESTROY, tracer_data), 0);
    assert_int_equal(tracer(&thread, ANOTHER, tracer_data), 0); /* of a later version */
    assert_int_equal(thread->lines->objects, 2);
}

static void not_while_vbtrace_works_or_recording_is_paused(void **state) {
    (void)state;
    start(13);
    thread->stack.override.node = 1;
    tracer(&thread, CREATE, tracer_data);
    thread->stack.override.node = 0;
    vbt_pause_begin(1);
    tracer(&thread, CREATE, tracer_data);
    vbt_pause_end(2);
    vbt_self = NULL;
    tracer(&thread, CREATE, tracer_data);
    vbt_self = thread;
    assert_int_equal(thread->lines->objects, 0);
    tracer(&thread, CREATE, tracer_data);
    assert_int_equal(thread->lines->objects, 1);
}

/* There is one tracer: who had it before, such as tracemalloc, is called in turn. */
static void the_tracer_before_is_called_too(void **state) {
    (void)state;
    tracer = others_tracer;
    tracer_data = others_events;
    start(13);
    assert_ptr_not_equal(tracer, others_tracer);
    for (int event = CREATE; event <= ANOTHER; event++)
        assert_int_equal(tracer(&thread, event, tracer_data), 7);
    for (int event = CREATE; event <= ANOTHER; event++)
        assert_int_equal(others_events[event], 1);
    assert_int_equal(thread->lines->objects, 1);
}

static void where_they_cannot_be_seen_it_is_said(void **state) {
    (void)state;
    world_listen();
    start(9);
    assert_non_null(strstr(world_said(), "objects from free lists cannot be seen"));
    assert_true(world_noted("Exact objects cannot be counted"));
    assert_int_equal(vbt_line_objects, VBT_OBJECTS_NONE);
}

static void a_tracer_that_is_refused_is_said_too(void **state) {
    (void)state;
    refuses = true;
    world_listen();
    start(13);
    assert_non_null(strstr(world_said(), "objects from free lists cannot be seen"));
    assert_int_equal(vbt_line_objects, VBT_OBJECTS_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(only_who_asks_has_them_counted),
        TEST(created_objects_are_counted),
        TEST(not_while_vbtrace_works_or_recording_is_paused),
        TEST(the_tracer_before_is_called_too),
        TEST(where_they_cannot_be_seen_it_is_said),
        TEST(a_tracer_that_is_refused_is_said_too),
    };
    world_init();
    vbt_tree.line_node = world_node(0, "[line events]", VBT_DOMAIN_PYTHON);
    vbt_line_books_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
