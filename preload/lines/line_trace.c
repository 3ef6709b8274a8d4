/* Line events by a trace function, for CPython up to 3.11.
 *
 * The interpreter calls it for each call, line and return of the frames for which line_frames.c
 * puts it in place: those of chosen code. A program that sets a trace function of its own (a
 * debugger, a coverage tool) replaces it: line mode pauses in that thread, which an audit hook
 * notices. */
#include "preload/ledger/shadow.h"
#include "line_follow.h"
#include "line_frames.h"
#include "line_mode.h"
#include "line_wrap.h"
#include "preload/shared/say.h"
#include "preload/process/run_notes.h"
#include "preload/python/python_code.h"

#include <string.h>

static _Atomic bool set_by_others;

/* Of a frame object: the frame that vbt_python.abi describes. From 3.11 on the object is made only
 * for the trace function. */
VBT_INLINE const char *frame_of(const char *object, const struct vbt_cpython *python) {
    return python->trace.frame_inner == 0 ? object : vbt_load_pointer(object, python->trace.frame_inner);
}

VBT_INLINE bool is_made(const struct vbt_cpython *python) { return python->trace.frame_inner != 0; }

VBT_INLINE const char *code_of(const char *frame, const struct vbt_cpython *python) {
    return vbt_load_pointer(frame_of(frame, python), python->abi.frame_code);
}

static void disown_object(struct vbt_line_thread *lines, const void *block) {
    lines->objects -= vbt_line_disown(lines, block) && vbt_line_objects != VBT_OBJECTS_NONE;
}

/* The frame object was allocated just now, for the trace function; the first time that its code is
 * traced, so was a table of its lines. */
static __attribute__((noinline)) void disown_frame(struct vbt_line_thread *lines, const char *frame, const char *code) {
    const void *last = lines->ledger->last_block, *object = frame - VBT_PY_GC_HEADER;
    bool table = last != object && vbt_line_code_points_at(code, last);
    if (last == object || table)
        disown_object(lines, object);
    if (table)
        vbt_line_disown(lines, last);
}

/* Was the object of a StopIteration made only so that the trace function can be called with it? No
 * code raised it: the code that waits takes the value and drops the object. Up to 3.9 a generator
 * that ends with a tuple or an exception as its value makes the object in any case. */
static bool is_made_for_tracing(const char *type, const char *value, const char *traceback) {
    const struct vbt_cpython *python = vbt_python.known;
    const int type_of = python->abi.object_type, value_of = python->trace.stop_iteration_value;
    if (traceback != vbt_line_api.none || type != *vbt_line_api.stop_iteration || vbt_load_pointer(value, type_of) != type)
        return false;
    if (value_of == 0)
        return true;
    const char *type_of_value = vbt_load_pointer(vbt_load_pointer(value, value_of), type_of);
    return (vbt_load_word(type_of_value, VBT_PY_TYPE_FLAGS) & (VBT_PY_TUPLES | VBT_PY_EXCEPTIONS)) == 0;
}

/* argument: a tuple of the exception's type, value and traceback. */
static void on_exception(struct vbt_line_thread *lines, const char *frame, const char *argument, const struct vbt_cpython *python) {
    const int items = python->abi.tuple_items;
    const char *type = vbt_load_pointer(argument, items), *value = vbt_load_pointer(argument, items + 8);
    const char *traceback = vbt_load_pointer(argument, items + 16), *object = frame - VBT_PY_GC_HEADER;
    if (lines->ledger->last_block == argument - VBT_PY_GC_HEADER)
        disown_object(lines, argument - VBT_PY_GC_HEADER);
    if (is_made_for_tracing(type, value, traceback))
        disown_object(lines, value - VBT_PY_GC_HEADER);
    if (is_made(python) && traceback != vbt_line_api.none && vbt_ledger_node_of(object) == vbt_tree.line_node &&
        vbt_ledger_move(lines->ledger, object,
                        vbt_ledger_node_of(traceback - VBT_PY_GC_HEADER))) /* the traceback would have needed it, too */
        lines->objects += vbt_line_objects != VBT_OBJECTS_NONE;
    bool is_new = lines->ledger->last_block == value - VBT_PY_GC_HEADER;
    lines->closed.frame = type == *vbt_line_api.generator_exit && is_new ? frame : NULL;
    lines->closed.exception = value - VBT_PY_GC_HEADER;
    lines->closed.traceback = traceback - VBT_PY_GC_HEADER;
    lines->closed.events = lines->events;
}

/* A generator that is closed gets an exception without an object: one is made where there is a
 * handler or a trace function, just after the traceback. */
static void see_closed(struct vbt_line_thread *lines, const char *frame) {
    struct vbt_ledger *ledger = lines->ledger;
    bool is_closed = lines->closed.frame == frame && lines->closed.events == lines->events;
    lines->closed.frame = NULL;
    if (VBT_LIKELY(!is_closed))
        return;
    bool is_latest = ledger->last_block == lines->closed.exception;
    disown_object(lines, lines->closed.exception);
    if (is_latest)
        ledger->last_block = vbt_shadow_holds(lines->closed.traceback) ? lines->closed.traceback : NULL;
}

/* Was the last executed instruction other than RETURN_VALUE? */
static bool is_at_yield(const char *frame, const char *code, const struct vbt_cpython *python) {
    const struct vbt_python_abi *abi = &python->abi;
    if (abi->kind != VBT_FRAME_OBJECT)
        return *(const uint8_t *)vbt_load_pointer(frame_of(frame, python), abi->frame_instruction) != VBT_PY_RETURN_VALUE;
    int32_t at = vbt_load_int(frame, abi->frame_instruction) * abi->lasti_unit;
    const uint8_t *bytes = vbt_load_pointer(code, python->trace.code_bytes);
    return at >= 0 && bytes[abi->bytes_data + at] != VBT_PY_RETURN_VALUE;
}

/* A call begins, or a generator resumes. */
static void on_call(struct vbt_thread *thread, const char *frame, const struct vbt_cpython *python) {
    struct vbt_line_thread *lines = thread->lines;
    const char *code = code_of(frame, python);
    int32_t line = vbt_load_int(frame, python->trace.frame_line);
    bool is_new;
    if (is_made(python) && thread->ledger.last_block != NULL)
        disown_frame(lines, frame, code);
    struct vbt_line_block *block = vbt_line_block_of(lines, code, &is_new);
    if (VBT_UNLIKELY(block != NULL && vbt_line_has_yielded(lines, frame, block)))
        vbt_line_resume(lines, frame, block, line);
    else if (block != NULL || !lines->switches)
        vbt_line_enter(lines, frame, block, line);
}

/* The frame returns a value or yields one; NULL: an exception leaves it. */
static void on_return(struct vbt_line_thread *lines, const char *frame, const char *value, const struct vbt_cpython *python) {
    const char *code = code_of(frame, python);
    if (value == NULL)
        see_closed(lines, frame);
    if (VBT_UNLIKELY(lines->switches) && !vbt_line_is_back(lines, frame))
        return;
    if (VBT_UNLIKELY((vbt_load_int(code, python->trace.code_flags) & VBT_PY_CODE_YIELDS) != 0) && value != NULL &&
        is_at_yield(frame, code, python))
        vbt_line_yield(lines, frame);
    else
        vbt_line_leave(lines, frame);
}

static __attribute__((noinline)) int on_event_slow(const char *frame, int what, const char *argument,
                                                   const struct vbt_cpython *python) {
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return 0;
    if (VBT_LIKELY(what == VBT_PY_TRACE_LINE)) {
        int32_t line = vbt_load_int(frame, python->trace.frame_line);
        if (VBT_LIKELY(vbt_line_is_top(lines, frame)))
            vbt_line_begin_slow(lines, frame, line);
        else if (lines->outside == 0 || lines->top->frame == frame || lines->switches)
            vbt_line_begin_unentered(lines, code_of(frame, python), frame, line);
    } else if (what == VBT_PY_TRACE_CALL) {
        on_call(thread, frame, python);
    } else if (what == VBT_PY_TRACE_RETURN) {
        on_return(lines, frame, argument, python);
    } else if (what == VBT_PY_TRACE_EXCEPTION) {
        on_exception(lines, frame, argument, python);
    }
    return 0;
}

static __attribute__((noinline)) int on_line_after_change(const char *frame, int32_t line, struct vbt_line *next, uint64_t count) {
    vbt_line_begin_changed(vbt_self->lines, frame, line, next, count);
    return 0;
}

VBT_INLINE int on_event(const char *frame, int what, const char *argument, const struct vbt_cpython *python) {
    struct vbt_line *next;
    uint64_t count;
    if (VBT_UNLIKELY(what != VBT_PY_TRACE_LINE))
        return on_event_slow(frame, what, argument, python);
    int32_t line = vbt_load_int(frame, python->trace.frame_line);
    switch (vbt_line_follow_fast(frame, line, &next, &count)) {
    case VBT_LINE_BEGUN:
        return 0;
    case VBT_LINE_CHANGED:
        return on_line_after_change(frame, line, next, count);
    default:
        return on_event_slow(frame, VBT_PY_TRACE_LINE, argument, python);
    }
}

#define TRACE(minor)                                                                                                               \
    static int trace_##minor(void *object, void *frame, int what, void *argument) {                                                \
        (void)object;                                                                                                              \
        return on_event(frame, what, argument, &vbt_cpythons[minor]);                                                              \
    }

VBT_FOR_EACH_TRACING_PYTHON(TRACE)

static int resume(void *unused) {
    (void)unused;
    vbt_line_frames_resume();
    return 0;
}

static void *(*real_settrace)(void *module, void *function);

/* Programs call this in the place of sys.settrace. Where none of the program's is set, nothing
 * changes when it is removed. */
static void *settrace(void *module, void *function) {
    struct vbt_line_thread *lines = vbt_self != NULL ? vbt_self->lines : NULL;
    if (lines != NULL)
        lines->unchanged = function == vbt_line_api.none && !vbt_line_frames_other_tracer();
    void *result = real_settrace(module, function);
    if (lines != NULL)
        lines->unchanged = false;
    vbt_line_frames_resume();
    return result;
}

/* Some code sets a trace function or removes it; the event does not say which. What the thread has
 * in the end is looked at afterwards: in settrace; where code in C did it, in the main thread by a
 * pending call, in other threads when they next call a function. */
static int on_audit(const char *event, void *arguments, void *unused) {
    (void)arguments;
    (void)unused;
    if (strcmp(event, "sys.settrace") != 0 || vbt_self == NULL || vbt_self->lines == NULL)
        return 0;
    vbt_line_frames_withdraw();
    if (vbt_self->lines->unchanged)
        return 0;
    vbt_line_reset(vbt_self->lines);
    if (atomic_exchange(&set_by_others, true) == false) {
        vbt_note("The program set a trace function of its own: while it was set, its thread's lines were not counted.");
        vbt_say("the program sets a trace function of its own: while it is set, its thread's lines are not counted");
    }
    vbt_python.add_pending_call(resume, NULL);
    return 0;
}

/* sys.settrace of this interpreter is ours from now on. */
static bool wrap_settrace(void) {
    static struct vbt_py_method ours;
    void *sys = vbt_line_api.import("sys");
    if (sys == NULL)
        return false;
    vbt_line_wrap(sys, "settrace", settrace, &ours, (void **)&real_settrace);
    vbt_line_api.decref(sys);
    return true;
}

bool vbt_line_trace_join(void) {
    vbt_line_frames_join();
    return wrap_settrace();
}

bool vbt_line_trace_start(void) {
#define TRACE_ENTRY(minor) [minor] = trace_##minor,
    static const vbt_tracer tracers[] = {VBT_FOR_EACH_TRACING_PYTHON(TRACE_ENTRY)};
#undef TRACE_ENTRY
    return vbt_line_frames_start(tracers[vbt_python.minor]) && vbt_line_api.add_audit_hook(on_audit, NULL) == 0 && wrap_settrace();
}
