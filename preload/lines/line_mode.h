/* Line mode: installs line events in the interpreter, and handles them. */
#ifndef VBT_LINE_MODE_H
#define VBT_LINE_MODE_H

#include "preload/python/cpython.h"

#include <stdbool.h>
#include <stdint.h>

/* The interpreter's functions that line mode calls. */
struct vbt_line_api {
    void (*set_trace)(int (*function)(void *, void *, int, void *), void *object);
    int (*line_number)(void *frame);
    void *(*get_attribute)(void *, const char *);
    int (*set_attribute)(void *, const char *, void *);
    int (*set_item)(void *dict, const char *key, void *value);
    void *(*get_item)(void *dict, const char *key); /* borrowed */
    void *(*call_method)(void *, const char *, const char *, ...);
    void *(*call)(void *function, const char *format, ...);
    void *(*new_function)(struct vbt_py_method *method, void *self, void *module);
    void *(*import)(const char *);
    void *(*get_builtins)(void); /* borrowed */
    void *(*new_dict)(void);
    void *(*compile)(const char *text, const char *file, int start);
    void *(*run)(void *code, void *globals, void *locals);
    int (*add_audit_hook)(int (*hook)(const char *, void *, void *), void *);
    int (*at_exit)(void (*function)(void));
    long (*as_long)(void *);
    void (*incref)(void *);
    void (*decref)(void *);
    void *(*error_occurred)(void);
    void (*clear_error)(void);
    void *none;
    void **stop_iteration, **generator_exit;
};

extern struct vbt_line_api vbt_line_api;

/* Starts line mode, if VBTRACE_LINES asks for it. Call it once an interpreter, with the GIL, before
 * the script runs. Where it fails, it says so, and the program is traced without. It ends with the
 * interpreter. */
void vbt_line_mode_start(void);

/* Line mode has started, and has not ended. */
bool vbt_line_mode_is_on(void);

/* Starts line events in a further interpreter, while line mode is on. The calling thread runs that
 * interpreter, with its GIL, and no exception is set. Where it fails, it says so. */
void vbt_line_mode_join(void);

/* The events, by the interpreter's version: line_trace.c up to 3.11, line_monitoring.c from 3.12
 * on. True if there are events from now on. */
bool vbt_line_trace_start(void);
bool vbt_line_monitoring_start(void *leave); /* leave_tool of line_mode.py, or NULL */
void vbt_line_monitoring_end(void);

/* line_trace.c, in a further interpreter. */
bool vbt_line_trace_join(void);

/* A function with this code object carries @profile: follows it from now on, and the code inside
 * it. */
void vbt_line_choose(const char *code);

/* Starts line events for a chosen code object, where that is done for each; else NULL. */
extern void (*vbt_line_code_chosen)(void *code);

#endif
