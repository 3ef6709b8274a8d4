/* See line_frames.h. */
#include "line_frames.h"

#include "call_on_stack.h"
#include "line_follow.h"
#include "line_mode.h"
#include "preload/python/python_walk.h"

#include <dlfcn.h>

/* Where a PyThreadState has its trace function; before that stands the profile function. */
static const int functions[] = {[8] = 64, [9] = 64, [10] = 64, [11] = 72};

/* Where a frame has its code. */
static const int codes[] = {[8] = 32, [9] = 32, [10] = 32, [11] = 32};

enum { STATE_TRACING_3_8 = 48, STATE_INTERPRETER = 16 };

static vbt_tracer tracer;
static uint8_t tracing_on; /* what a state says where there is a trace function */

static union {
    void *any;
    void *(*of_frame)(void *frame, int thrown); /* 3.8 */
    void *(*of_state)(void *state, void *frame, int thrown);
} real;

VBT_INLINE vbt_tracer *function_of(char *state, int minor) { return (vbt_tracer *)(state + functions[minor]); }

/* The byte that says whether there is a trace function or a profile function. From 3.10 on the evaluation loop has it. */
VBT_INLINE uint8_t *tracing_of(char *state, int minor) {
    if (minor < 10)
        return (uint8_t *)state + STATE_TRACING_3_8;
    return *(uint8_t **)(state + vbt_python_abis[minor].tstate_cframe);
}

VBT_INLINE void put(char *state, bool in_place, int minor) {
    vbt_tracer *function = function_of(state, minor);
    *function = in_place ? tracer : NULL;
    *tracing_of(state, minor) = in_place || function[-1] != NULL ? tracing_on : 0;
}

VBT_INLINE void *go_on(char *state, void *frame, int thrown, int minor) {
    if (minor == 8)
        return real.of_frame(frame, thrown);
    if (minor == 11)
        return vbt_call_with_room(state, frame, thrown, real.of_state);
    return real.of_state(state, frame, thrown);
}

/* This thread's first frame. */
static __attribute__((noinline)) struct vbt_line_thread *first_frame(void) {
    struct vbt_thread *thread = vbt_enter();
    if (thread != NULL)
        vbt_leave(thread);
    return vbt_self != NULL ? vbt_line_thread(vbt_self) : NULL;
}

VBT_INLINE struct vbt_line_thread *own_lines(void) {
    const struct vbt_thread *thread = vbt_self;
    return VBT_LIKELY(thread != NULL && thread->lines != NULL) ? thread->lines : first_frame();
}

VBT_INLINE bool is_chosen(struct vbt_line_thread *lines, const void *frame, int minor) {
    bool met;
    return vbt_line_block_of(lines, vbt_load_pointer(frame, codes[minor]), &met) != NULL;
}

/* The frame is evaluated with the function in place or without, and the calling one goes on with it if it had it before. leaves: a chosen
 * function calls another one. */
struct call {
    bool leaves, in_place, before;
};

VBT_INLINE void *evaluate_call(struct vbt_line_thread *lines, char *state, void *frame, int thrown, int minor, struct call call) {
    const vbt_tracer *function = function_of(state, minor);
    if (call.leaves)
        vbt_line_enter(lines, frame, NULL, 0);
    put(state, call.in_place, minor);
    vbt_line_keep_last(lines);
    void *result = go_on(state, frame, thrown, minor);
    vbt_line_keep_last(lines);
    if (call.leaves)
        vbt_line_leave(lines, frame);
    if (*function == NULL || *function == tracer)
        put(state, call.before || lines->switches, minor);
    return result;
}

/* Where stacks are switched (greenlet does it, for gevent and others), a frame goes on without a word to us, and with what another frame
 * left in the thread's state: so the function stays in place for all frames. */
static __attribute__((noinline)) void *evaluate_switched(struct vbt_line_thread *lines, char *state, void *frame, int thrown) {
    int minor = vbt_python.minor;
    struct vbt_thread *thread;
    bool waits = lines->outside == 0 && lines->top > lines->frames;
    bool leaves = waits && !is_chosen(lines, frame, minor) && vbt_line_follow(&thread) != NULL;
    return evaluate_call(lines, state, frame, thrown, minor, (struct call){leaves, true, true});
}

VBT_INLINE void *evaluate_called(char *state, void *frame, int thrown, int minor) {
    struct vbt_thread *thread;
    struct vbt_line_thread *lines = own_lines();
    const vbt_tracer *function = function_of(state, minor);
    if (VBT_UNLIKELY(lines != NULL && lines->withdrawn) && *function == NULL)
        vbt_line_frames_resume(); /* for the calling frame */
    bool before = *function == tracer;
    if (VBT_UNLIKELY(lines == NULL) || VBT_UNLIKELY(*function != NULL && !before))
        return go_on(state, frame, thrown, minor);
    if (VBT_UNLIKELY(lines->switches))
        return evaluate_switched(lines, state, frame, thrown);
    bool chosen = is_chosen(lines, frame, minor);
    if (!chosen && !before)
        return go_on(state, frame, thrown, minor);
    bool leaves = !chosen && vbt_line_follow(&thread) != NULL;
    return evaluate_call(lines, state, frame, thrown, minor, (struct call){leaves, chosen, before});
}

/* Nobody called this one: it is the thread's first. If there is one already, it is the first of another stack. */
static __attribute__((noinline)) void *evaluate_root(char *state, void *frame, int thrown) {
    struct vbt_line_thread *lines = own_lines();
    if (lines != NULL && lines->roots++ > 0)
        lines->switches = true;
    void *result = evaluate_called(state, frame, thrown, vbt_python.minor);
    if (lines != NULL && lines->roots > 0)
        lines->roots--;
    return result;
}

VBT_INLINE void *evaluate(char *state, void *frame, int thrown, int minor) {
    if (VBT_UNLIKELY(top_frame(state, &vbt_python_abis[minor]) == NULL))
        return evaluate_root(state, frame, thrown);
    return evaluate_called(state, frame, thrown, minor);
}

static void *evaluate_8(void *frame, int thrown) { return evaluate(vbt_python.current_thread(), frame, thrown, 8); }
static void *evaluate_9(void *state, void *frame, int thrown) { return evaluate(state, frame, thrown, 9); }
static void *evaluate_10(void *state, void *frame, int thrown) { return evaluate(state, frame, thrown, 10); }
static void *evaluate_11(void *state, void *frame, int thrown) { return evaluate(state, frame, thrown, 11); }

static void *const ours[] = {[8] = evaluate_8, [9] = evaluate_9, [10] = evaluate_10, [11] = evaluate_11};

/* 3.8 has no function for it: the interpreter's state holds the address of the one that it has. */
static bool replace_3_8(char *interpreter) {
    enum { FAR = 64 * 1024 };
    real.any = dlsym(vbt_python.library, "_PyEval_EvalFrameDefault");
    for (void **at = (void **)interpreter; real.any != NULL && (char *)at < interpreter + FAR; at++)
        if (*at == real.any) {
            *at = ours[8];
            return true;
        }
    return false;
}

static bool replace(char *interpreter) {
    void *(*get)(void *);
    void (*set)(void *, void *);
    if (vbt_python.minor == 8)
        return replace_3_8(interpreter);
    *(void **)&get = dlsym(vbt_python.library, "_PyInterpreterState_GetEvalFrameFunc");
    *(void **)&set = dlsym(vbt_python.library, "_PyInterpreterState_SetEvalFrameFunc");
    if (get == NULL || set == NULL || (real.any = get(interpreter)) == NULL)
        return false;
    set(interpreter, ours[vbt_python.minor]);
    return true;
}

bool vbt_line_frames_start(vbt_tracer function) {
    char *state = vbt_python.this_thread();
    tracer = function;
    vbt_line_api.set_trace(function, NULL); /* 3.8 and 3.9 count those who do: now they are ready for it */
    tracing_on = *tracing_of(state, vbt_python.minor);
    bool known = *function_of(state, vbt_python.minor) == function && tracing_on != 0;
    if (!known || !replace(*(char **)(state + STATE_INTERPRETER)))
        return false;
    put(state, false, vbt_python.minor);
    return true;
}

bool vbt_line_frames_alone(void) {
    char *state = vbt_python.this_thread();
    const vbt_tracer *function = state != NULL ? function_of(state, vbt_python.minor) : NULL;
    return function != NULL && *function == tracer && function[-1] == NULL;
}

void vbt_line_frames_withdraw(void) {
    char *state = vbt_python.this_thread();
    if (state != NULL && *function_of(state, vbt_python.minor) == tracer)
        put(state, false, vbt_python.minor);
    vbt_self->lines->withdrawn = true;
}

void vbt_line_frames_resume(void) {
    char *state = vbt_python.this_thread();
    const char *frame = state != NULL ? top_frame(state, &vbt_python.abi) : NULL;
    struct vbt_line_thread *lines = vbt_self != NULL ? vbt_self->lines : NULL;
    if (frame == NULL || lines == NULL || *function_of(state, vbt_python.minor) != NULL)
        return;
    lines->withdrawn = false;
    put(state, lines->switches || is_chosen(lines, frame, vbt_python.minor), vbt_python.minor);
}
