/* Line events by a trace function, for CPython up to 3.11.
 *
 * PyEval_SetTrace gives a C function every call, line and return of its thread. Other threads get it by way of
 * threading.settrace. Whoever sets a trace function of their own (a debugger, a coverage tool) takes the place: line mode stands back in
 * that thread, and an audit hook notices it. */
#include "line_follow.h"
#include "line_mode.h"
#include "say.h"
#include "stream/process_info.h"
#include "where/python_code.h"

#include <string.h>

enum event { CALL, EXCEPTION, LINE, RETURN };

/* Where a PyFrameObject keeps what we read. Its f_lineno is right while a trace function runs. */
struct layout {
    int code;  /* of the frame object; -1: by way of `inner` */
    int inner; /* the interpreter's own frame, whose code is at vbt_python.abi.frame_code */
    int line;
    bool is_made; /* for the trace function's sake: without one there is no frame object */
};

static const struct layout layouts[] = {
    [8] = {.code = 32, .line = 108},
    [9] = {.code = 32, .line = 108},
    [10] = {.code = 32, .line = 100},
    [11] = {.code = -1, .inner = 24, .line = 40, .is_made = true},
};

enum { GC_HEADER = 16, INNER_CODE_3_11 = 32 };

/* Set by ourselves; otherwise the audit hook takes it for somebody else's doing. */
static __thread bool setting __attribute__((tls_model("initial-exec")));
/* This thread has, or had, our trace function. */
static __thread bool followed __attribute__((tls_model("initial-exec")));
static _Atomic bool set_by_others;
static int (*trace_function)(void *, void *, int, void *);
static void *thread_hook;

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

/* Has threading give new threads the trace function, unless it gives them another. */
static void follow_threads(void) {
    void *module = vbt_line_api.get_item(vbt_line_api.get_modules(), "threading");
    void *present = module != NULL ? vbt_line_api.get_attribute(module, "_trace_hook") : NULL;
    if (present == vbt_line_api.none) {
        void *result = vbt_line_api.call_method(module, "settrace", "O", thread_hook);
        if (result != NULL)
            vbt_line_api.decref(result);
    }
    if (present != NULL)
        vbt_line_api.decref(present);
    vbt_line_api.clear_error();
}

/* Is this code of the module that makes threads? It is met first when that module is imported. */
static bool makes_threads(const char *code) {
    static bool done;
    char file[4096], name[256];
    int32_t first_line, line;
    const char threading[] = "/threading.py";
    if (done || !vbt_python_describe(code, 0, file, name, sizeof name, &first_line, &line))
        return false;
    size_t size = strlen(file);
    done = size >= sizeof threading && strcmp(file + size - (sizeof threading - 1), threading) == 0 &&
           strstr(name, "__init__") != NULL;
    return done;
}

/* A code object that was not known yet. */
static __attribute__((noinline)) void met_code(struct vbt_thread *thread, const char *code) {
    if (!makes_threads(code))
        return;
    struct vbt_line_sums begun = vbt_line_ours_begin(thread);
    follow_threads();
    vbt_line_ours_end(thread, &begun);
}

/* The frame object was allocated just now, to be shown to us; when its code is traced first, a table of its lines as well. */
static __attribute__((noinline)) void disown(struct vbt_thread *thread, const char *frame, const char *code) {
    const void *last = thread->ledger.last_block;
    if (last == frame - GC_HEADER || vbt_line_is_part_of(code, last))
        vbt_ledger_move(&thread->ledger, frame - GC_HEADER, vbt_tree.line_node);
    if (last != NULL && last != frame - GC_HEADER && vbt_line_is_part_of(code, last))
        vbt_ledger_move(&thread->ledger, last, vbt_tree.line_node);
}

VBT_INLINE int on_event(const char *frame, int what, const struct layout *layout) {
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
        vbt_line_enter(lines, frame, block, vbt_load_int(frame, layout->line));
        if (VBT_UNLIKELY(met))
            met_code(thread, code);
    } else if (what == RETURN) {
        vbt_line_leave(lines, frame);
    }
    return 0;
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

/* What threading calls in a new thread, as a trace function in Python's manner, at its first call: (frame, event, argument). */
static void *on_new_thread(void *self, void *const *arguments, long count) {
    (void)self;
    set_trace();
    if (count >= 1)
        trace_function(NULL, arguments[0], CALL, NULL);
    vbt_line_api.incref(vbt_line_api.none);
    return vbt_line_api.none;
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

/* Somebody sets a trace function, or takes it away: which, is not told. What the main thread has in the end is looked at when that is
 * done. */
static int on_audit(const char *event, void *arguments, void *unused) {
    (void)arguments;
    (void)unused;
    if (strcmp(event, "sys.settrace") != 0 || setting || !followed || vbt_self == NULL)
        return 0;
    if (vbt_self->lines != NULL)
        vbt_line_reset(vbt_self->lines);
    if (atomic_exchange(&set_by_others, true) == false) {
        vbt_process_note = "The program set a trace function of its own: while it was set, its thread's lines were not counted.";
        vbt_say("the program sets a trace function of its own: while it is set, its thread's lines are not counted");
    }
    vbt_python.add_pending_call(set_again, NULL);
    return 0;
}

/* PyMethodDef, METH_FASTCALL. */
static struct {
    const char *name;
    void *(*function)(void *, void *const *, long);
    int flags;
    const char *doc;
} thread_definition = {"vbtrace", on_new_thread, 0x80, NULL};

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
    thread_hook = vbt_line_api.new_function(&thread_definition, NULL, NULL);
    if (vbt_line_api.set_trace == NULL || thread_hook == NULL || vbt_line_api.add_audit_hook(on_audit, NULL) != 0)
        return false;
    set_trace();
    follow_threads();
    return true;
}
