/* See line_frames.h. */
#include "line_frames.h"

#include "preload/thread/call_on_stack.h"
#include "line_follow.h"
#include "line_mode.h"
#include "preload/python/python_walk.h"

#include <dlfcn.h>

static vbt_tracer tracer;
static uint8_t tracing_on; /* the byte's value where there is a trace function */

static union {
    void *any;
    void *(*of_frame)(void *frame, int thrown); /* evaluates_frame_alone */
    void *(*of_state)(void *state, void *frame, int thrown);
} real;

VBT_INLINE vbt_tracer *function_of(char *state, const struct vbt_cpython *python) {
    return (vbt_tracer *)(state + python->trace.tstate_function);
}

/* The byte that says whether there is a trace function or a profile function. From 3.10 on it is in
 * the evaluation loop's frame. */
VBT_INLINE uint8_t *tracing_of(char *state, const struct vbt_cpython *python) {
    if (python->trace.tstate_tracing >= 0)
        return (uint8_t *)state + python->trace.tstate_tracing;
    return *(uint8_t **)(state + python->abi.tstate_cframe);
}

VBT_INLINE void put(char *state, bool in_place, const struct vbt_cpython *python) {
    vbt_tracer *function = function_of(state, python);
    *function = in_place ? tracer : NULL;
    *tracing_of(state, python) = in_place || function[-1] != NULL ? tracing_on : 0;
}

VBT_INLINE void *go_on(char *state, void *frame, int thrown, const struct vbt_cpython *python) {
    if (python->trace.evaluates_frame_alone)
        return real.of_frame(frame, thrown);
    if (python->trace.calls_without_c_stack)
        return vbt_call_with_room(state, frame, thrown, real.of_state);
    return real.of_state(state, frame, thrown);
}

/* The thread's first frame. */
static __attribute__((noinline)) struct vbt_line_thread *first_frame(void) {
    struct vbt_thread *thread = vbt_thread_own();
    return thread != NULL ? vbt_line_thread(thread) : NULL;
}

VBT_INLINE struct vbt_line_thread *own_lines(void) {
    const struct vbt_thread *thread = vbt_self;
    return VBT_LIKELY(thread != NULL && thread->lines != NULL) ? thread->lines : first_frame();
}

VBT_INLINE bool is_chosen(struct vbt_line_thread *lines, const void *frame, const struct vbt_cpython *python) {
    bool is_new;
    return vbt_line_block_of(lines, vbt_load_pointer(frame, python->abi.frame_code), &is_new) != NULL;
}

/* A frame is evaluated with the function in place or without; afterwards its caller has the
 * function as before. leaves: a chosen function calls another one. */
struct evaluation {
    bool leaves, in_place, before;
};

VBT_INLINE void *evaluate_call(struct vbt_line_thread *lines, char *state, void *frame, int thrown,
                               const struct vbt_cpython *python, struct evaluation call) {
    const vbt_tracer *function = function_of(state, python);
    if (call.leaves)
        vbt_line_enter(lines, frame, NULL, 0);
    put(state, call.in_place, python);
    vbt_line_keep_last(lines);
    void *result = go_on(state, frame, thrown, python);
    vbt_line_keep_last(lines);
    if (call.leaves)
        vbt_line_leave(lines, frame);
    if (*function == NULL || *function == tracer)
        put(state, call.before || lines->switches, python);
    return result;
}

/* Where stacks are switched (greenlet does it, for gevent and others), a frame resumes without our
 * knowledge, and with the thread state as another frame left it: so the function stays in place for
 * all frames. */
static __attribute__((noinline)) void *evaluate_switched(struct vbt_line_thread *lines, char *state, void *frame, int thrown) {
    const struct vbt_cpython *python = vbt_python.known;
    struct vbt_thread *thread;
    bool waits = lines->outside == 0 && lines->top > lines->frames;
    bool leaves = waits && !is_chosen(lines, frame, python) && vbt_line_follow(&thread) != NULL;
    return evaluate_call(lines, state, frame, thrown, python, (struct evaluation){leaves, true, true});
}

VBT_INLINE void *evaluate_called(char *state, void *frame, int thrown, const struct vbt_cpython *python) {
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = own_lines();
    const vbt_tracer *function = function_of(state, python);
    if (VBT_UNLIKELY(lines != NULL && lines->withdrawn) && *function == NULL)
        vbt_line_frames_resume(); /* for the calling frame */
    bool before = *function == tracer;
    if (VBT_UNLIKELY(lines == NULL) || VBT_UNLIKELY(*function != NULL && !before))
        return go_on(state, frame, thrown, python);
    if (VBT_UNLIKELY(lines->switches))
        return evaluate_switched(lines, state, frame, thrown);
    bool chosen = is_chosen(lines, frame, python);
    if (!chosen && !before)
        return go_on(state, frame, thrown, python);
    bool leaves = !chosen && vbt_line_follow(&thread) != NULL;
    return evaluate_call(lines, state, frame, thrown, python, (struct evaluation){leaves, chosen, before});
}

/* The first frame in another interpreter, which a running line entered by a call. */
static void *evaluate_visit(struct vbt_line_thread *lines, char *state, void *frame, int thrown) {
    const struct vbt_cpython *python = vbt_python.known;
    struct vbt_thread *thread;
    bool waits = lines->outside == 0 && lines->top > lines->frames && *function_of(state, python) == NULL && !lines->switches;
    if (!waits || is_chosen(lines, frame, python) || vbt_line_follow(&thread) == NULL)
        return evaluate_called(state, frame, thrown, python);
    return evaluate_call(lines, state, frame, thrown, python, (struct evaluation){true, false, false});
}

/* The frame has no caller: it is the thread's first in its interpreter. If there is one already, it
 * is the first of another stack. */
static __attribute__((noinline)) void *evaluate_root(char *state, void *frame, int thrown) {
    struct vbt_line_thread *lines = own_lines();
    if (lines == NULL)
        return evaluate_called(state, frame, thrown, vbt_python.known);
    const void *outer = lines->root_state;
    uint32_t roots = lines->roots;
    if (outer != state) {
        lines->root_state = state;
        lines->roots = 0;
    }
    if (lines->roots++ > 0)
        lines->switches = true;
    void *result = outer != NULL && outer != state ? evaluate_visit(lines, state, frame, thrown)
                                                   : evaluate_called(state, frame, thrown, vbt_python.known);
    if (lines->roots > 0)
        lines->roots--;
    if (outer != state) {
        lines->root_state = outer;
        lines->roots = roots;
    }
    return result;
}

VBT_INLINE void *evaluate(char *state, void *frame, int thrown, const struct vbt_cpython *python) {
    if (VBT_UNLIKELY(top_frame(state, &python->abi) == NULL))
        return evaluate_root(state, frame, thrown);
    return evaluate_called(state, frame, thrown, python);
}

#define EVALUATE(version)                                                                                                          \
    static void *evaluate_##version(void *state, void *frame, int thrown) {                                                        \
        return evaluate(state, frame, thrown, &vbt_cpythons[version]);                                                             \
    }

VBT_FOR_EACH_TRACING_PYTHON(EVALUATE)

void *vbt_line_frames_evaluate(char *state, void *frame, int thrown) { return evaluate(state, frame, thrown, vbt_python.known); }

/* evaluates_frame_alone, which is 3.8. */
static void *evaluate_frame(void *frame, int thrown) {
    return evaluate(vbt_python.current_thread(), frame, thrown, &vbt_cpythons[8]);
}

/* The same: the address of the function is a word of the interpreter's state. */
static bool replace_in_state(char *interpreter) {
    enum { FAR = 64 * 1024 };
    real.any = dlsym(vbt_python.library, "_PyEval_EvalFrameDefault");
    for (void **at = (void **)interpreter; real.any != NULL && (char *)at < interpreter + FAR; at++)
        if (*at == real.any) {
            *at = evaluate_frame;
            return true;
        }
    return false;
}

static bool replace(char *interpreter) {
    void *(*get)(void *);
    void (*set)(void *, void *);
#define EVALUATE_ENTRY(version) [version] = evaluate_##version,
    static void *const ours[] = {VBT_FOR_EACH_TRACING_PYTHON(EVALUATE_ENTRY)};
#undef EVALUATE_ENTRY
    if (vbt_python.known->trace.evaluates_frame_alone)
        return replace_in_state(interpreter);
    *(void **)&get = dlsym(vbt_python.library, "_PyInterpreterState_GetEvalFrameFunc");
    *(void **)&set = dlsym(vbt_python.library, "_PyInterpreterState_SetEvalFrameFunc");
    if (get == NULL || set == NULL || (real.any = get(interpreter)) == NULL)
        return false;
    set(interpreter, ours[vbt_python.minor]);
    return true;
}

bool vbt_line_frames_start(vbt_tracer function) {
    char *state = vbt_python.current_thread();
    tracer = function;
    vbt_line_api.set_trace(function, NULL); /* 3.8 and 3.9 count trace functions: this one is counted for good */
    tracing_on = *tracing_of(state, vbt_python.known);
    bool known = *function_of(state, vbt_python.known) == function && tracing_on != 0;
    if (!known || !replace(*(char **)(state + VBT_PY_TSTATE_INTERPRETER)))
        return false;
    put(state, false, vbt_python.known);
    return true;
}

void vbt_line_frames_join(void) {
    int offset = vbt_python.known->trace.interpreter_tracers;
    if (offset != 0)
        ++*(int *)((char *)vbt_python_interpreter() + offset);
}

bool vbt_line_frames_is_sole_tracer(void) {
    char *state = vbt_python.current_thread();
    const vbt_tracer *function = state != NULL ? function_of(state, vbt_python.known) : NULL;
    return function != NULL && *function == tracer && function[-1] == NULL;
}

bool vbt_line_frames_other_tracer(void) {
    char *state = vbt_python.current_thread();
    const vbt_tracer *function = state != NULL ? function_of(state, vbt_python.known) : NULL;
    return function != NULL && *function != NULL && *function != tracer;
}

void vbt_line_frames_withdraw(void) {
    char *state = vbt_python.current_thread();
    if (state != NULL && *function_of(state, vbt_python.known) == tracer)
        put(state, false, vbt_python.known);
    vbt_self->lines->withdrawn = true;
}

void vbt_line_frames_resume(void) {
    char *state = vbt_python.current_thread();
    const char *frame = state != NULL ? top_frame(state, &vbt_python.abi) : NULL;
    struct vbt_line_thread *lines = vbt_self != NULL ? vbt_self->lines : NULL;
    if (frame == NULL || lines == NULL || *function_of(state, vbt_python.known) != NULL)
        return;
    lines->withdrawn = false;
    put(state, lines->switches || is_chosen(lines, frame, vbt_python.known), vbt_python.known);
}
