/* Line events by a trace function, for CPython up to 3.11.
 *
 * PyEval_SetTrace gives a C function every call, line and return of its thread. Other threads get it as they begin to run Python,
 * whoever started them. Whoever sets a trace function of their own (a debugger, a coverage tool) takes the place: line mode stands
 * back in that thread, and an audit hook notices it. */
#include "line_follow.h"
#include "line_mode.h"
#include "say.h"
#include "stream/process_info.h"
#include "where/python_code.h"
#include "where/python_walk.h"

#include <dlfcn.h>
#include <string.h>

enum event { CALL, EXCEPTION, LINE, RETURN };

/* Where a PyFrameObject keeps what we read. Its f_lineno is right while a trace function runs. */
struct layout {
    int code;  /* of the frame object; -1: by way of `inner` */
    int inner; /* the interpreter's own frame, whose code is at vbt_python.abi.frame_code */
    int line;
    int wants_lines;     /* a byte: f_trace_lines */
    bool is_made;        /* for the trace function's sake: without one there is no frame object */
    int thread_function; /* where a PyThreadState has its trace function */
    int thread_tracing;  /* and the byte that says whether there is one; 0: at the start of its cframe */
};

static const struct layout layouts[] = {
    [8] = {.code = 32, .line = 108, .wants_lines = 88, .thread_function = 64, .thread_tracing = 48},
    [9] = {.code = 32, .line = 108, .wants_lines = 88, .thread_function = 64, .thread_tracing = 48},
    [10] = {.code = 32, .line = 100, .wants_lines = 84, .thread_function = 64},
    [11] = {.code = -1, .inner = 24, .line = 40, .wants_lines = 44, .is_made = true, .thread_function = 72},
};

enum { GC_HEADER = 16, INNER_CODE_3_11 = 32, OBJECT_3_11 = 40 };

/* Set by ourselves; otherwise the audit hook takes it for somebody else's doing. */
static __thread bool setting __attribute__((tls_model("initial-exec")));
/* This thread has, or had, our trace function. */
static __thread bool followed __attribute__((tls_model("initial-exec")));
static _Atomic bool set_by_others;
typedef int (*tracer)(void *object, void *frame, int what, void *argument);

static tracer trace_function;
static void *(*newest_state)(void *interpreter), *(*next_state)(void *state);
static uint8_t tracing_on; /* what the interpreter says where there is one */

static tracer *trace_function_of(const char *state) {
    return (tracer *)(state + layouts[vbt_python.minor].thread_function); // NOLINT: the interpreter's own, and not constant
}

static uint8_t *tracing_of(const char *state) {
    int direct = layouts[vbt_python.minor].thread_tracing;
    return (uint8_t *)(direct != 0 ? state + direct : (const char *)vbt_load_pointer(state, vbt_python.abi.tstate_cframe));
}

VBT_INLINE const char *code_of(const char *frame, const struct layout *layout) {
    if (layout->code >= 0)
        return vbt_load_pointer(frame, layout->code);
    return vbt_load_pointer(vbt_load_pointer(frame, layout->inner), INNER_CODE_3_11);
}

static void set_trace(void) {
    setting = true;
    vbt_line_api.set_trace(trace_function, NULL);
    setting = false;
    followed = true;
}

/* The frame object was allocated just now, to be shown to us; when its code is traced first, a table of its lines as well. */
static __attribute__((noinline)) void disown(struct vbt_thread *thread, const char *frame, const char *code) {
    const void *last = thread->ledger.last_block;
    if (last == frame - GC_HEADER || vbt_line_is_part_of(code, last))
        vbt_ledger_move(&thread->ledger, frame - GC_HEADER, vbt_tree.line_node);
    if (last != NULL && last != frame - GC_HEADER && vbt_line_is_part_of(code, last))
        vbt_ledger_move(&thread->ledger, last, vbt_tree.line_node);
}

/* Of a frame whose code is not chosen no lines are told, as long as it runs, which spares half of what they cost. */
VBT_INLINE void want_lines(const char *frame, const struct layout *layout, bool wanted) {
    char *wants = (char *)(uintptr_t)frame + layout->wants_lines;
    if (*wants == !wanted)
        *wants = wanted;
}

static __attribute__((noinline)) int on_event_anyhow(const char *frame, int what, const struct layout *layout) {
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return 0;
    if (VBT_LIKELY(what == LINE)) {
        int32_t line = vbt_load_int(frame, layout->line);
        if (VBT_LIKELY(vbt_line_is_top(lines, frame)))
            vbt_line_begin(lines, frame, line);
        else if (lines->outside == 0 || lines->top->frame == frame)
            vbt_line_begin_anyhow(lines, code_of(frame, layout), frame, line);
    } else if (what == CALL) {
        const char *code = code_of(frame, layout);
        bool met;
        if (layout->is_made && thread->ledger.last_block != NULL)
            disown(thread, frame, code);
        struct vbt_line_block *block = vbt_line_block_of(lines, code, &met);
        if (block == NULL)
            want_lines(frame, layout, false);
        vbt_line_enter(lines, frame, block, vbt_load_int(frame, layout->line));
    } else if (what == RETURN) {
        want_lines(frame, layout, true);
        vbt_line_leave(lines, frame);
    }
    return 0;
}

VBT_INLINE int on_event(const char *frame, int what, const struct layout *layout) {
    if (VBT_LIKELY(what == LINE) && VBT_LIKELY(vbt_line_follow_usual(frame, vbt_load_int(frame, layout->line))))
        return 0;
    return on_event_anyhow(frame, what, layout);
}

#define TRACE(minor)                                                                                                               \
    static int trace_##minor(void *object, void *frame, int what, void *argument) {                                                \
        (void)object;                                                                                                              \
        (void)argument;                                                                                                            \
        return on_event(frame, what, &layouts[minor]);                                                                             \
    }

TRACE(8)
TRACE(10)
TRACE(11)

/* A thread's first event. */
static int follow_thread(void *object, void *frame, int what, void *argument) {
    *trace_function_of(vbt_python.this_thread()) = NULL; /* as it was, for what set_trace keeps count of */
    set_trace();
    return trace_function(object, frame, what, argument);
}

/* A thread other than the first one runs Python, or is about to. It may be inside an allocation, where PyEval_SetTrace, which asks the
 * program's audit hooks, must not be called: what it would set is set by hand, and the first event, which comes at once, calls it. */
static void on_state(const char *state) {
    if (*trace_function_of(state) != NULL)
        return;
    *trace_function_of(state) = follow_thread;
    *tracing_of(state) = tracing_on;
}

/* Whoever makes a thread of Python's makes its state before. */
static void on_new_thread(void) {
    enum { STATE_INTERPRETER = 16 };
    const char *state = vbt_self != NULL ? vbt_python.this_thread() : NULL;
    if (state == NULL || state != vbt_python.current_thread())
        return; /* without the interpreter's lock */
    for (void *new = newest_state((void *)vbt_load_pointer(state, STATE_INTERPRETER)); new != NULL; new = next_state(new))
        on_state(new);
}

static int set_again(void *unused) {
    (void)unused;
    struct vbt_thread *thread = vbt_self;
    void *sys = thread != NULL ? vbt_line_api.import("sys") : NULL;
    void *now = sys != NULL ? vbt_line_api.call_method(sys, "gettrace", NULL) : NULL;
    if (now == vbt_line_api.none)
        set_trace();
    if (now != NULL)
        vbt_line_api.decref(now);
    if (sys != NULL)
        vbt_line_api.decref(sys);
    vbt_line_api.clear_error();
    return 0;
}

/* Who sets a trace function may want the lines of functions that are under way, as a debugger does. */
static void want_all_lines(void) {
    const struct layout *layout = &layouts[vbt_python.minor];
    for (const char *frame = top_frame(vbt_python.this_thread(), &vbt_python.abi); frame != NULL;
         frame = previous(frame, &vbt_python.abi)) {
        const char *object = layout->inner == 0 ? frame : vbt_load_pointer(frame, OBJECT_3_11);
        if (object != NULL)
            want_lines(object, layout, true);
    }
}

/* Somebody sets a trace function, or takes it away: which, is not told. What the main thread has in the end is looked at when that is
 * done. */
static int on_audit(const char *event, void *arguments, void *unused) {
    (void)arguments;
    (void)unused;
    if (strcmp(event, "sys.settrace") != 0 || setting || !followed || vbt_self == NULL)
        return 0;
    if (vbt_self->lines != NULL)
        vbt_line_reset(vbt_self->lines);
    want_all_lines();
    if (atomic_exchange(&set_by_others, true) == false) {
        vbt_process_note = "The program set a trace function of its own: while it was set, its thread's lines were not counted.";
        vbt_say("the program sets a trace function of its own: while it is set, its thread's lines are not counted");
    }
    vbt_python.add_pending_call(set_again, NULL);
    return 0;
}

bool vbt_line_trace_start(void) {
    switch (vbt_python.minor) {
    case 8:
    case 9:
        trace_function = trace_8;
        break;
    case 10:
        trace_function = trace_10;
        break;
    default:
        trace_function = trace_11;
    }
    if (vbt_line_api.add_audit_hook(on_audit, NULL) != 0)
        return false;
    const char *state = vbt_python.this_thread();
    set_trace();
    tracing_on = *tracing_of(state);
    if (*trace_function_of(state) == trace_function && tracing_on != 0) {
        *(void **)&newest_state = dlsym(vbt_python.library, "PyInterpreterState_ThreadHead");
        *(void **)&next_state = dlsym(vbt_python.library, "PyThreadState_Next");
        if (newest_state != NULL && next_state != NULL)
            vbt_line_thread_comes = on_new_thread;
        vbt_python_state_found = on_state;
    } else {
        vbt_say("Python %s: only the lines of its first thread are counted", vbt_python.version);
    }
    return true;
}
