/* See line_mode.h. */
#include "line_mode.h"

#include "line_follow.h"
#include "line_methods.h"
#include "line_objects.h"
#include "line_sources.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"
#include "preload/process/run_notes.h"
#include "preload/python/python_code.h"

#include <dlfcn.h>

struct vbt_line_api vbt_line_api;
static _Atomic bool is_on;

/* line_mode.py, from beside this file. */
__asm__(".pushsection .rodata\n"
        "vbt_line_mode_py: .incbin \"" VBT_LINE_MODE_PY "\"\n.byte 0\n"
        ".popsection");
extern const char vbt_line_mode_py[] __attribute__((visibility("hidden")));

static bool find_api(void) {
    static const struct {
        const char *name;
        void *place;
    } wanted[] = {
        {"PyEval_SetTrace", &vbt_line_api.set_trace},
        {"PyFrame_GetLineNumber", &vbt_line_api.line_number},
        {"PyObject_GetAttrString", &vbt_line_api.get_attribute},
        {"PyObject_SetAttrString", &vbt_line_api.set_attribute},
        {"PyDict_SetItemString", &vbt_line_api.set_item},
        {"PyDict_GetItemString", &vbt_line_api.get_item},
        {"PyObject_CallMethod", &vbt_line_api.call_method},
        {"PyObject_CallFunction", &vbt_line_api.call},
        {"PyCFunction_NewEx", &vbt_line_api.new_function},
        {"PyImport_ImportModule", &vbt_line_api.import},
        {"PyEval_GetBuiltins", &vbt_line_api.get_builtins},
        {"PyDict_New", &vbt_line_api.new_dict},
        {"Py_CompileString", &vbt_line_api.compile},
        {"PyEval_EvalCode", &vbt_line_api.run},
        {"PySys_AddAuditHook", &vbt_line_api.add_audit_hook},
        {"Py_AtExit", &vbt_line_api.at_exit},
        {"PyLong_AsLong", &vbt_line_api.as_long},
        {"Py_IncRef", &vbt_line_api.incref},
        {"Py_DecRef", &vbt_line_api.decref},
        {"PyErr_Occurred", &vbt_line_api.error_occurred},
        {"PyErr_Clear", &vbt_line_api.clear_error},
        {"_Py_NoneStruct", &vbt_line_api.none},
        {"PyExc_StopIteration", &vbt_line_api.stop_iteration},
        {"PyExc_GeneratorExit", &vbt_line_api.generator_exit},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((*(void **)wanted[i].place = dlsym(vbt_python.library, wanted[i].name)) == NULL)
            return false;
    return true;
}

/* choose(code): what @profile does. */
static void *choose(void *self, void *const *arguments, long count) {
    (void)self;
    struct vbt_thread *thread = vbt_self;
    if (count == 1 && thread != NULL) {
        struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
        vbt_line_choose(arguments[0]);
        vbt_line_own_work_end(thread, &begun);
    }
    vbt_line_api.incref(vbt_line_api.none);
    return vbt_line_api.none;
}

static struct vbt_py_method choose_method = {"choose", choose, VBT_PY_METH_FASTCALL, NULL};

/* Runs line_mode.py; returns its names, NULL if something fails. */
static void *run_python_part(void) {
    void *names = vbt_line_api.new_dict();
    void *function = vbt_line_api.new_function(&choose_method, NULL, NULL);
    void *code = vbt_line_api.compile(vbt_line_mode_py, VBT_OWN_CODE, VBT_PY_FILE_INPUT);
    if (names == NULL || function == NULL || code == NULL)
        return NULL;
    vbt_line_api.set_item(names, "__builtins__", vbt_line_api.get_builtins());
    vbt_line_api.set_item(names, "choose", function);
    void *result = vbt_line_api.run(code, names, names);
    vbt_line_api.decref(function);
    vbt_line_api.decref(code);
    if (result != NULL)
        vbt_line_api.decref(result);
    return result != NULL ? names : NULL;
}

/* The shortest of several runs of function(n), in ticks. */
static int64_t shortest(void *function, int n) {
    enum { RUNS = 7 };
    int64_t best = INT64_MAX;
    for (int i = 0; i < RUNS; i++) {
        int64_t begun = vbt_line_clock();
        void *result = vbt_line_api.call(function, "i", n);
        int64_t took = vbt_line_clock() - begun;
        if (result != NULL)
            vbt_line_api.decref(result);
        if (took < best)
            best = took;
    }
    return best;
}

/* Starts line events of a function of line_mode.py. */
static bool follow(void *function) {
    void *code = function != NULL ? vbt_line_api.get_attribute(function, "__code__") : NULL;
    if (code == NULL)
        return false;
    vbt_line_choose(code);
    vbt_line_api.decref(code);
    return true;
}

static bool learn_methods(void *names) {
    void *call_methods = vbt_line_api.get_item(names, "call_methods");
    if (!follow(call_methods) || !follow(vbt_line_api.get_item(names, "wait")))
        return false;
    vbt_line_methods_learn();
    void *result = vbt_line_api.call(call_methods, NULL);
    vbt_line_methods_learned();
    if (result != NULL)
        vbt_line_api.decref(result);
    return result != NULL;
}

enum { CALIBRATION_TURNS = 200, CALIBRATION_LINES = 9, CALIBRATION_CALL_LINES = 4 }; /* in one turn of the loop */

/* What the functions of line_mode.py took, in ticks. */
struct taken {
    int64_t lines, calls;
};

static struct taken take(void *names) {
    return (struct taken){
        .lines = shortest(vbt_line_api.get_item(names, "calibrate"), CALIBRATION_TURNS),
        .calls = shortest(vbt_line_api.get_item(names, "calibrate_calls"), CALIBRATION_TURNS),
    };
}

static void calibrate(struct taken without, struct taken with) {
    int64_t events = CALIBRATION_TURNS * CALIBRATION_LINES, more = with.lines - without.lines;
    if (more <= 0)
        return;
    vbt_line_event_cost = vbt_line_nanoseconds(more * 1000) / events;
    int64_t turn = (with.calls - without.calls) / CALIBRATION_TURNS;
    int64_t extra = turn - more * (CALIBRATION_CALL_LINES + 2) / events; /* its beginning and its end are two events */
    vbt_line_call_cost = extra > 0 ? extra : 0;
}

/* The last thing that the interpreter calls. The process may start another one. */
static void interpreter_ends(void) {
    vbt_line_objects_end();
    vbt_line_monitoring_end();
    vbt_line_code_chosen = NULL;
    is_on = false;
    if (vbt_self != NULL && vbt_self->lines != NULL)
        vbt_line_reset(vbt_self->lines);
}

static bool start(void) {
    if (!find_api() || vbt_line_api.at_exit(interpreter_ends) != 0)
        return false;
    vbt_lock(&vbt_tree_lock);
    uint32_t site = vbt_intern_special_site("[vbtrace line events]");
    vbt_unlock(&vbt_tree_lock);
    vbt_tree.line_node = vbt_node_of(0, site, VBT_DOMAIN_PYTHON);
    static bool is_second;
    if (!is_second)
        vbt_line_books_init();
    is_second = true;
    if (vbt_line_thread(vbt_self) == NULL)
        return false;
    void *names = run_python_part();
    if (names == NULL)
        return false;
    struct taken without = take(names);
    bool traced = vbt_python.known->line_events == VBT_LINE_EVENTS_TRACED;
    if (!(traced ? vbt_line_trace_start() : vbt_line_monitoring_start(vbt_line_api.get_item(names, "leave_tool"))))
        return false;
    static const char *const followed[] = {"calibrate", "calibrate_calls", "called"};
    for (size_t i = 0; i < sizeof followed / sizeof *followed; i++)
        if (!follow(vbt_line_api.get_item(names, followed[i])))
            return false;
    if (traced && !learn_methods(names))
        return false;
    calibrate(without, take(names));
    vbt_line_api.decref(names);
    vbt_line_objects_start();
    is_on = true;
    return true;
}

static void say_failed(void) {
    vbt_line_api.clear_error != NULL ? vbt_line_api.clear_error() : (void)0;
    vbt_note("Line events could not be installed in an interpreter: its lines were not counted.");
    vbt_say("Python %s: line events cannot be installed; lines are not counted", vbt_python.version);
}

bool vbt_line_mode_is_on(void) { return is_on; }

void vbt_line_mode_join(void) {
    struct vbt_thread *thread = vbt_thread_own();
    if (!is_on || thread == NULL || vbt_line_thread(thread) == NULL)
        return;
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    void *names = run_python_part();
    bool joined = names != NULL && (vbt_python.known->line_events == VBT_LINE_EVENTS_TRACED
                                        ? vbt_line_trace_join()
                                        : vbt_line_monitoring_start(vbt_line_api.get_item(names, "leave_tool")));
    if (names != NULL)
        vbt_line_api.decref(names);
    if (!joined)
        say_failed();
    vbt_line_own_work_end(thread, &begun);
}

void vbt_line_mode_start(void) {
    struct vbt_thread *thread = vbt_self;
    if (vbt_options.lines < VBT_LINES_CHOSEN || thread == NULL)
        return;
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    if (!start())
        say_failed();
    vbt_line_own_work_end(thread, &begun);
}
