/* Starting line mode: in an interpreter that lacks a function nothing is started, and it is said.
 * What comes of a start that succeeds is in the tests of line_trace.c and line_monitoring.c. */
#include "preload/lines/line_mode.h"

#include "preload/lines/books/line_books.h"
#include "preload/python/python_code.h"
#include "preload/shared/options.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* All that line mode needs, by its name in the interpreter. */
#define FUNCTIONS(DO)                                                                                                              \
    DO(PyEval_SetTrace)                                                                                                            \
    DO(PyFrame_GetLineNumber)                                                                                                      \
    DO(PyObject_GetAttrString)                                                                                                     \
    DO(PyObject_SetAttrString)                                                                                                     \
    DO(PyDict_SetItemString)                                                                                                       \
    DO(PyDict_GetItemString)                                                                                                       \
    DO(PyObject_CallMethod)                                                                                                        \
    DO(PyObject_CallFunction)                                                                                                      \
    DO(PyCFunction_NewEx)                                                                                                          \
    DO(PyImport_ImportModule)                                                                                                      \
    DO(PyEval_GetBuiltins)                                                                                                         \
    DO(PyEval_EvalCode)                                                                                                            \
    DO(PySys_AddAuditHook)                                                                                                         \
    DO(PyLong_AsLong)                                                                                                              \
    DO(Py_IncRef)                                                                                                                  \
    DO(Py_DecRef)                                                                                                                  \
    DO(PyErr_Occurred)                                                                                                             \
    DO(PyErr_Clear)

#define DEFINE(name)                                                                                                               \
    FAKE_EXPORT void *name(void);                                                                                                  \
    void *name(void) { return NULL; }

FUNCTIONS(DEFINE)

FAKE_EXPORT char _Py_NoneStruct[8];
FAKE_EXPORT void *PyExc_StopIteration, *PyExc_GeneratorExit;

static int dicts, exits;

FAKE_EXPORT void *PyDict_New(void);
void *PyDict_New(void) {
    dicts++;
    return NULL; /* there is no memory */
}

static const char *compiled;

FAKE_EXPORT void *Py_CompileString(const char *text, const char *file, int start);
void *Py_CompileString(const char *text, const char *file, int start) {
    assert_string_equal(file, VBT_OWN_CODE);
    assert_int_equal(start, VBT_PY_FILE_INPUT);
    compiled = text;
    return NULL;
}

FAKE_EXPORT int Py_AtExit(void (*function)(void));
int Py_AtExit(void (*function)(void)) {
    exits++;
    assert_non_null(function);
    return 0;
}

static struct vbt_thread *thread;

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    fake_python_begin(13, thread);
    strcpy(vbt_python.version, "3.13.0");
    vbt_python.library = NULL;
    vbt_options.lines = VBT_LINES_CHOSEN;
    dicts = exits = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    fake_python_end();
    vbt_options.lines = VBT_LINES_DEFAULT;
    vbt_self = NULL;
    return 0;
}

static void who_does_not_ask_has_no_lines_counted(void **state) {
    (void)state;
    vbt_options.lines = VBT_LINES_NONE;
    vbt_line_mode_start();
    vbt_options.lines = VBT_LINES_DEFAULT;
    vbt_line_mode_start();
    vbt_options.lines = VBT_LINES_CHOSEN;
    vbt_self = NULL; /* a thread without a state */
    vbt_line_mode_start();
    assert_int_equal(exits, 0);
    assert_false(world_noted("its lines were not counted"));
}

static void an_interpreter_that_fails_is_left_without_lines(void **state) {
    (void)state;
    world_listen();
    vbt_line_mode_start();
    assert_non_null(strstr(world_said(), "Python 3.13.0: line events cannot be installed"));
    assert_true(world_noted("its lines were not counted"));
    assert_int_equal(exits, 1);
    assert_int_equal(dicts, 1);
    assert_null(vbt_line_code_chosen);
    assert_false(vbt_line_mode_is_on());
    assert_int_equal(thread->stack.override.node, 0);
}

static void the_part_in_python_is_carried_along(void **state) {
    (void)state;
    static const char *const names[] = {"calibrate", "calibrate_calls", "called", "call_methods", "wait", "leave_tool"};
    world_listen();
    vbt_line_mode_start();
    world_said();
    assert_int_equal(strncmp(compiled, "\"\"\"", 3), 0);
    assert_int_equal(compiled[strlen(compiled) - 1], '\n');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char definition[64] = "def ";
        strcat(definition, names[i]);
        strcat(definition, "(");
        assert_non_null(strstr(compiled, definition));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(who_does_not_ask_has_no_lines_counted),
        TEST(an_interpreter_that_fails_is_left_without_lines),
        TEST(the_part_in_python_is_carried_along),
    };
    world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
