/* See subinterpreters.h. */
#include "subinterpreters.h"

#include "preload/thread/call_on_stack.h"
#include "preload/lines/line_frames.h"
#include "preload/lines/line_mode.h"
#include "preload/lines/line_tool.h"
#include "preload/python/python_code.h"
#include "preload/python/python_stack.h"
#include "preload/shared/options.h"
#include "preload/thread/enter.h"

#include <dlfcn.h>
#include <string.h>

static void *first; /* the interpreter that came first; NULL: further ones are not noticed */

/* What evaluates a frame; of_frame up to 3.8. */
static union {
    void *any;
    void *(*of_frame)(void *frame, int thrown);
    void *(*of_state)(void *state, void *frame, int thrown);
} usual;

static void *(*get_evaluation)(void *interpreter);
static void (*set_evaluation)(void *interpreter, void *function);
static ptrdiff_t evaluation; /* up to 3.8: where it is in the interpreter's state */

/* 3.8 has no functions for it. */
static void *get_in_state(void *interpreter) { return *(void **)((char *)interpreter + evaluation); }
static void set_in_state(void *interpreter, void *function) { *(void **)((char *)interpreter + evaluation) = function; }

static bool find_in_state(void) {
    enum { FAR = 2048 };
    for (evaluation = 0; evaluation < FAR; evaluation += (ptrdiff_t)sizeof usual.any)
        if (get_in_state(first) == usual.any)
            return true;
    return false;
}

static bool find_evaluation(void) {
    usual.any = dlsym(vbt_python.library, "_PyEval_EvalFrameDefault");
    if (usual.any == NULL)
        return false;
    if (vbt_python.known->trace.evaluates_frame_alone) {
        get_evaluation = get_in_state;
        set_evaluation = set_in_state;
        return find_in_state();
    }
    *(void **)&get_evaluation = dlsym(vbt_python.library, "_PyInterpreterState_GetEvalFrameFunc");
    *(void **)&set_evaluation = dlsym(vbt_python.library, "_PyInterpreterState_SetEvalFrameFunc");
    return get_evaluation != NULL && set_evaluation != NULL;
}

static void *interpreter_of(const char *state) { return (void *)vbt_load_pointer(state, VBT_PY_TSTATE_INTERPRETER); }

/* Is the interpreter's own start over? It runs code that is frozen into it. */
static bool is_up(const char *frame) {
    static const char frozen[] = "<frozen";
    char file[64];
    const char *code = (const char *)(vbt_load_word(frame, vbt_python.abi.frame_code) & ~(uintptr_t)7);
    size_t size = vbt_python_text(vbt_load_pointer(code, vbt_python.abi.code_filename), file, sizeof file);
    return size < sizeof frozen - 1 || memcmp(file, frozen, sizeof frozen - 1) != 0;
}

/* May line mode join the interpreter, before this frame is evaluated there? */
static bool may_join(const char *frame, int thrown) { return vbt_line_mode_is_on() && thrown == 0 && is_up(frame); }

/* ---- up to 3.11 ---- */

static void *go_on(char *state, void *frame, int thrown) {
    if (vbt_line_mode_is_on())
        return vbt_line_frames_evaluate(state, frame, thrown);
    if (vbt_python.known->trace.evaluates_frame_alone)
        return usual.of_frame(frame, thrown);
    if (vbt_python.known->trace.calls_without_c_stack)
        return vbt_call_with_room(state, frame, thrown, usual.of_state);
    return usual.of_state(state, frame, thrown);
}

static void *visit(char *state, void *frame, int thrown) {
    struct vbt_thread *thread = vbt_thread_own();
    if (thread == NULL || thread->stack.visited == state)
        return go_on(state, frame, thrown);
    const char *before = thread->stack.visited;
    vbt_python_stack_visit(&thread->stack, state);
    void *result = go_on(state, frame, thrown);
    vbt_python_stack_visit(&thread->stack, before);
    return result;
}

static void *visit_state(void *state, void *frame, int thrown) { return visit(state, frame, thrown); }
static void *visit_frame(void *frame, int thrown) { return visit(vbt_python.current_thread(), frame, thrown); }

static void use_visit(void *interpreter) {
    bool alone = vbt_python.known->trace.evaluates_frame_alone;
    set_evaluation(interpreter, alone ? (void *)(uintptr_t)visit_frame : (void *)(uintptr_t)visit_state);
}

/* The same until line mode has joined. */
static void *visit_new(char *state, void *frame, int thrown) {
    struct vbt_thread *thread = may_join(frame, thrown) ? vbt_thread_own() : NULL;
    if (thread == NULL)
        return visit(state, frame, thrown);
    const char *before = thread->stack.visited;
    use_visit(interpreter_of(state));
    vbt_python_stack_visit(&thread->stack, state);
    vbt_line_mode_join();
    vbt_python_stack_visit(&thread->stack, before);
    return visit(state, frame, thrown);
}

static void *visit_new_state(void *state, void *frame, int thrown) { return visit_new(state, frame, thrown); }
static void *visit_new_frame(void *frame, int thrown) { return visit_new(vbt_python.current_thread(), frame, thrown); }

static void use_visit_new(void *interpreter) {
    bool alone = vbt_python.known->trace.evaluates_frame_alone;
    set_evaluation(interpreter, alone ? (void *)(uintptr_t)visit_new_frame : (void *)(uintptr_t)visit_new_state);
}

/* In the interpreter's runtime state: the semaphore, the newest interpreter, the first one. */
enum { LOCK, NEWEST, MAIN };

/* The calling thread has the list's semaphore. */
static void list_locked(void) {
    void *newest = vbt_python_others.list_lock[NEWEST];
    bool is_first = newest == vbt_python_others.list_lock[MAIN]; /* the program starts Python again */
    if (newest == NULL || is_first || get_evaluation(newest) != usual.any)
        return;
    if (vbt_options.lines >= VBT_LINES_CHOSEN)
        use_visit_new(newest);
    else
        use_visit(newest);
}

/* While there is one interpreter, it is both the newest and the first. */
static void *const *find_list(void) {
    enum { WORDS = 64 };
    void *const *runtime = dlsym(vbt_python.library, "_PyRuntime");
    for (int i = 0; runtime != NULL && i < WORDS; i++)
        if (runtime[i + NEWEST] == first && runtime[i + MAIN] == first)
            return &runtime[i];
    return NULL;
}

/* ---- from 3.12 on ---- */

static void *join(void *state, void *frame, int thrown) {
    if (may_join(frame, thrown)) {
        set_evaluation(interpreter_of(state), usual.any);
        vbt_line_mode_join();
    }
    return usual.of_state(state, frame, thrown);
}

static void code_seen(void) {
    void *interpreter = vbt_python_interpreter();
    if (interpreter == NULL || interpreter == first || !vbt_line_mode_is_on() || get_evaluation(interpreter) != usual.any ||
        vbt_line_tool_is_of(interpreter, vbt_python_interpreter_id(interpreter)))
        return;
    set_evaluation(interpreter, (void *)(uintptr_t)join);
}

/* ---- */

static bool is_free_threaded(void) { return vbt_python.abi.object_type != vbt_python.known->abi.object_type; }

void vbt_subinterpreters_watch(void) {
    bool traced = vbt_python.known->line_events == VBT_LINE_EVENTS_TRACED;
    void *(*get_first)(void);
    vbt_python_others = (struct vbt_python_others){NULL, NULL, NULL};
    *(void **)&get_first = dlsym(vbt_python.library, "PyInterpreterState_Main");
    first = get_first != NULL ? get_first() : NULL;
    if (first == NULL || !find_evaluation())
        return;
    if (traced) {
        vbt_python_others.list_locked = list_locked;
        vbt_python_others.list_lock = find_list();
    } else if (vbt_options.lines >= VBT_LINES_CHOSEN && !is_free_threaded()) {
        vbt_python_others.code_seen = code_seen;
    }
}

/* Does vbtrace start in a further interpreter? */
static bool is_start_in_further(void) {
    void *here = vbt_python_interpreter();
    return first != NULL && here != NULL && here != first;
}

void vbt_subinterpreters_begin(void) {
    if (is_start_in_further() && vbt_python_others.list_lock != NULL)
        set_evaluation(vbt_python_interpreter(), usual.any); /* line mode replaces it, and calls what was there */
}

void vbt_subinterpreters_began(void) {
    if (!is_start_in_further())
        return;
    if (vbt_python_others.list_lock != NULL) {
        use_visit(vbt_python_interpreter());
        if (vbt_line_mode_is_on())
            use_visit_new(first);
    } else if (vbt_line_mode_is_on()) {
        first = NULL; /* line mode joins it as it does the others */
    }
}
