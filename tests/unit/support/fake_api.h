/* The interpreter's functions that line mode calls (vbt_line_api), on objects that have attributes
 * and nothing else; and its sys.monitoring. Beside fake_python, whose version decides on layouts.
 *
 * Line mode finds some things by dlsym: a test for it is linked with ENABLE_EXPORTS, and its
 * vbt_python.library is NULL, which searches the test itself. */
#ifndef FAKE_API_H
#define FAKE_API_H

#include "preload/lines/line_mode.h"

#include <stdbool.h>

#define FAKE_EXPORT __attribute__((visibility("default")))

/* Sets vbt_line_api; call it after fake_python_begin. All that is made lives until the end. */
void fake_api_begin(void);
void fake_api_end(void);

enum { FAKE_OBJECT_SIZE = 96 };
void *fake_object(void);

/* NULL where an object has no such attribute. */
void *fake_attribute(void *object, const char *name);
void fake_attribute_set(void *object, const char *name, void *value);

/* A built-in function in C. Calls it as the interpreter does, with two arguments or one. */
void *fake_builtin(const char *name, void *function, int flags);
const struct vbt_py_function *fake_builtin_of(const void *object);
void *fake_call_two(void *builtin, void *first, void *second);
void *fake_call_one(void *builtin, void *argument);

/* An int. From 3.12 on, one of one digit (below 2^30) lies in memory as in the interpreter. */
void *fake_int(long value);

/* Calls of PyLong_AsLong so far. */
extern unsigned fake_conversions;

/* Is an exception set? (What fails sets one.) */
bool fake_error(void);

/* Modules are objects, made when they are first imported. */
void *fake_module(const char *name);

/* ---- sys.monitoring ---- */

enum { FAKE_TOOLS = 6 };

/* Events, by the bits that they have for the interpreter. */
enum fake_event {
    FAKE_PY_START,
    FAKE_PY_RESUME,
    FAKE_PY_RETURN,
    FAKE_PY_YIELD,
    FAKE_LINE,
    FAKE_JUMP,
    FAKE_PY_THROW,
    FAKE_PY_UNWIND,
    FAKE_EVENTS
};

struct fake_tool {
    bool taken;
    int events; /* of all code */
    void *callbacks[FAKE_EVENTS];
};
extern struct fake_tool fake_tools[FAKE_TOOLS];

/* Makes sys.monitoring, none of whose tools is taken. */
void *fake_monitoring(void);

/* What set_local_events asked for of a code object last; 0: nothing. */
int fake_local_events(const void *code, int tool);

/* Reports an event to a tool that listens to it, with a code object and one or two more arguments.
 * Returns what it returned. */
void *fake_report(int tool, enum fake_event event, void *code, void *second, void *third);

/* What is returned by what does not want an event again. */
void *fake_disable(void);

#endif
