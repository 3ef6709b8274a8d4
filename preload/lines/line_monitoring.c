/* Line events by sys.monitoring, for CPython from 3.12 on.
 *
 * One global event reports each function when it first runs. For chosen functions the events of
 * their own code are then switched on; the others are never reported again. The interpreter makes
 * an int for each number that it passes; what it allocates for that is not the program's. */
#include "preload/lines/books/line_silent.h"
#include "preload/ledger/shadow.h"
#include "line_follow.h"
#include "line_mode.h"
#include "line_tool.h"
#include "preload/thread/pause.h"
#include "preload/python/python_code.h"
#include "preload/python/python_walk.h"

#include <string.h>

static void *disable; /* the same object in all interpreters */
static int events_of_code;

static const char *current_frame(void) {
    const char *state = vbt_python.current_thread();
    return state != NULL ? top_frame(state, &vbt_python.abi) : NULL;
}

/* For vbt_line_frame_now. Our own work does not matter. */
static const void *frame_now(void) {
    const struct vbt_thread *thread = vbt_self;
    const char *state = thread != NULL && thread->stack.override.node == 0 ? vbt_python.current_thread() : NULL;
    if (state == NULL && thread != NULL && thread->stack.override.node == 0)
        state = vbt_python.this_thread(); /* code that released the GIL */
    return state != NULL ? top_frame(state, &vbt_python.abi) : NULL;
}

/* The value of an int. One of a single positive digit is read in place; see
 * VBT_PY_INT_ONE_DIGIT. */
VBT_INLINE long value_of(void *object) {
    const char *tag = (const char *)object + vbt_python.abi.var_size;
    if (VBT_LIKELY((*(const uintptr_t *)tag & ~(uintptr_t)VBT_PY_INT_IMMORTAL) == VBT_PY_INT_ONE_DIGIT))
        return vbt_load_int(tag, sizeof(uintptr_t));
    return vbt_line_api.as_long(object);
}

/* The interpreter allocated the block to report an event. */
static __attribute__((noinline)) void disown(struct vbt_thread *thread, const void *block) {
    if (vbt_ledger_move(&thread->ledger, block, vbt_tree.line_node))
        vbt_line_forget_block(thread->lines, block);
}

static __attribute__((noinline)) void disown_object(struct vbt_line_thread *lines) {
    lines->objects--;
    vbt_line_forget_object(lines);
}

/* A number that the interpreter passed: small ones always exist, others were made for us. */
VBT_INLINE long number(struct vbt_thread *thread, void *object) {
    if (VBT_UNLIKELY(thread->ledger.last_block == object))
        disown(thread, object);
    long value = value_of(object);
    if (VBT_UNLIKELY(value > VBT_PY_LAST_SMALL_INT) && vbt_line_objects != VBT_OBJECTS_NONE)
        disown_object(thread->lines);
    return value;
}

/* None, which is immortal in these versions. */
static void *nothing(void) { return vbt_line_api.none; }

static void *never_again(void) {
    vbt_line_api.incref(disable);
    return disable;
}

/* When code runs for the first time after events were requested, the interpreter allocates a record
 * of them, and the code object points at it. */
static void disown_record(struct vbt_thread *thread, const char *code) {
    const void *block = thread->ledger.last_block;
    if (vbt_line_code_points_at(code, block))
        disown(thread, block);
}

static void switch_on(void *code) {
    void *monitoring = vbt_line_tool_monitoring();
    void *result = monitoring != NULL
                       ? vbt_line_api.call_method(monitoring, "set_local_events", "iOi", vbt_line_tool(), code, events_of_code)
                       : NULL;
    if (result != NULL)
        vbt_line_api.decref(result);
    else
        vbt_line_api.clear_error();
}

/* Same while the program runs: restores its most recent blocks afterwards. */
static void switch_on_unseen(struct vbt_thread *thread, void *code) {
    struct vbt_line_thread *lines = thread->lines;
    const void *last = thread->ledger.last_block, *recent[sizeof lines->recent / sizeof *lines->recent];
    memcpy(recent, lines->recent, sizeof recent);
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    switch_on(code);
    vbt_line_own_work_end(thread, &begun);
    memcpy(lines->recent, recent, sizeof recent);
    thread->ledger.last_block = vbt_shadow_holds(last) ? last : NULL;
}

static void chosen(void *code) {
    if (vbt_line_tool() >= 0)
        switch_on(code);
}

/* Tools and their callbacks end with the interpreter. */
void vbt_line_monitoring_end(void) { vbt_line_tool_end(); }

static void *on_line(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return nothing();
    int32_t line = (int32_t)number(thread, arguments[1]);
    const char *frame = current_frame();
    if (VBT_LIKELY(vbt_line_is_top(lines, frame)))
        vbt_line_begin(lines, frame, line);
    else
        vbt_line_begin_unentered(lines, arguments[0], frame, line);
    return nothing();
}

/* A jump back to the start of its line: a loop that is written in one line. */
static void *on_jump(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return nothing();
    if (VBT_UNLIKELY(thread->ledger.last_block == arguments[1]))
        disown(thread, arguments[2]); /* it was allocated before the other one, if at all */
    int32_t to = (int32_t)number(thread, arguments[2]), from = (int32_t)number(thread, arguments[1]);
    if (to >= from)
        return never_again();
    int32_t line = vbt_python_line_at(arguments[0], to);
    if (line < 0 || line != vbt_python_line_at(arguments[0], from))
        return never_again();
    const char *frame = current_frame();
    if (VBT_LIKELY(vbt_line_is_top(lines, frame)))
        vbt_line_begin(lines, frame, line);
    return nothing();
}

/* The block of a function that begins. Switches its events on, if it is chosen. */
VBT_INLINE struct vbt_line_block *begins(struct vbt_thread *thread, struct vbt_line_thread *lines, void *code) {
    bool is_new;
    struct vbt_line_block *block = vbt_line_block_of(lines, code, &is_new);
    if (is_new)
        disown_record(thread, code);
    if (is_new && block != NULL)
        switch_on_unseen(thread, code);
    return block;
}

/* Recording may begin, or resume, while this function runs: its lines are then to be reported. */
static __attribute__((noinline)) void *start_unrecorded(void *code) {
    struct vbt_thread *thread = vbt_self;
    struct vbt_line_thread *lines = thread != NULL && vbt_paused() ? vbt_line_thread(thread) : NULL;
    return lines == NULL || begins(thread, lines, code) != NULL ? nothing() : never_again();
}

static void *on_start(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return start_unrecorded(arguments[0]);
    number(thread, arguments[1]);
    struct vbt_line_block *block = begins(thread, lines, arguments[0]);
    if (block == NULL)
        return never_again();
    vbt_line_enter(lines, current_frame(), block, vbt_load_int(arguments[0], vbt_python.abi.code_first_line));
    return nothing();
}

/* A generator resumes in the line in which it stopped, or else in that of the offset. */
static void *on_resume(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return nothing();
    int32_t offset = (int32_t)number(thread, arguments[1]);
    bool is_new;
    struct vbt_line_block *block = vbt_line_block_of(lines, arguments[0], &is_new);
    if (block == NULL)
        return nothing();
    const char *frame = current_frame();
    vbt_line_resume(lines, frame, block, vbt_line_has_yielded(lines, frame, block) ? 0 : vbt_python_line_at(arguments[0], offset));
    return nothing();
}

static void *leave(void *const *arguments, bool yields) {
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = vbt_line_follow(&thread);
    if (VBT_UNLIKELY(lines == NULL))
        return nothing();
    number(thread, arguments[1]);
    const char *frame = current_frame();
    if (!vbt_line_is_top(lines, frame))
        return nothing(); /* of code that is not chosen */
    if (yields)
        vbt_line_yield(lines, frame);
    else
        vbt_line_leave(lines, frame);
    return nothing();
}

static void *on_leave(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    return leave(arguments, false);
}

static void *on_yield(void *self, void *const *arguments, long count) {
    (void)self;
    (void)count;
    return leave(arguments, true);
}

/* Registers a callback, which keeps what line mode needs of the interpreter: as long as there are
 * events, leave_tool is there, and with it what line_mode.py refers to. */
static bool listen(int event, struct vbt_py_method *method, void *leave) {
    void *function = vbt_line_api.new_function(method, leave, NULL);
    void *before = function != NULL ? vbt_line_api.call_method(vbt_line_tool_monitoring(), "register_callback", "iiO",
                                                               vbt_line_tool(), event, function)
                                    : NULL;
    if (function != NULL)
        vbt_line_api.decref(function);
    if (before != NULL)
        vbt_line_api.decref(before);
    return before != NULL;
}

static int event_number(void *events, const char *name) {
    void *value = vbt_line_api.get_attribute(events, name);
    long event = value != NULL ? vbt_line_api.as_long(value) : 0;
    if (value != NULL)
        vbt_line_api.decref(value);
    vbt_line_api.clear_error();
    return (int)event;
}

/* Registers for all events, under the number that line mode has in this interpreter. */
static bool listen_to_all(void *leave) {
    static struct vbt_py_method start = {"vbtrace", on_start, VBT_PY_METH_FASTCALL, NULL};
    static struct vbt_py_method resume = {"vbtrace", on_resume, VBT_PY_METH_FASTCALL, NULL};
    static struct vbt_py_method left = {"vbtrace", on_leave, VBT_PY_METH_FASTCALL, NULL};
    static struct vbt_py_method yield = {"vbtrace", on_yield, VBT_PY_METH_FASTCALL, NULL};
    static struct vbt_py_method line = {"vbtrace", on_line, VBT_PY_METH_FASTCALL, NULL};
    static struct vbt_py_method jump = {"vbtrace", on_jump, VBT_PY_METH_FASTCALL, NULL};
    void *events = vbt_line_api.get_attribute(vbt_line_tool_monitoring(), "events");
    if (events == NULL)
        return false;
    int py_start = event_number(events, "PY_START"), py_resume = event_number(events, "PY_RESUME");
    int py_return = event_number(events, "PY_RETURN"), py_yield = event_number(events, "PY_YIELD");
    int py_line = event_number(events, "LINE"), py_jump = event_number(events, "JUMP");
    int py_throw = event_number(events, "PY_THROW"), py_unwind = event_number(events, "PY_UNWIND");
    events_of_code = py_start | py_resume | py_return | py_yield | py_line | py_jump;
    vbt_line_api.decref(events);
    bool good = listen(py_start, &start, leave) && listen(py_resume, &resume, leave) && listen(py_throw, &resume, leave) &&
                listen(py_return, &left, leave) && listen(py_unwind, &left, leave) && listen(py_yield, &yield, leave) &&
                listen(py_line, &line, leave) && listen(py_jump, &jump, leave);
    void *result = good ? vbt_line_api.call_method(vbt_line_tool_monitoring(), "set_events", "ii", vbt_line_tool(),
                                                   py_start | py_throw | py_unwind)
                        : NULL;
    if (result != NULL)
        vbt_line_api.decref(result);
    return result != NULL;
}

bool vbt_line_monitoring_start(void *leave) {
    void *sys = vbt_line_api.import("sys");
    void *monitoring = sys != NULL ? vbt_line_api.get_attribute(sys, "monitoring") : NULL;
    if (sys != NULL)
        vbt_line_api.decref(sys);
    if (monitoring == NULL)
        return false;
    vbt_line_api.decref(monitoring); /* line_mode.py keeps it */
    if ((disable = vbt_line_api.get_attribute(monitoring, "DISABLE")) == NULL)
        return false;
    vbt_line_code_chosen = chosen;
    vbt_line_frame_now = frame_now;
    if (vbt_self != NULL && vbt_self->lines != NULL)
        vbt_ledger_watch(&vbt_self->ledger);
    return vbt_line_tool_take(monitoring, leave, listen_to_all);
}
