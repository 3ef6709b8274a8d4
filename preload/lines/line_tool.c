/* See line_tool.h. */
#include "line_tool.h"

#include "line_follow.h"
#include "line_mode.h"
#include "line_running.h"
#include "line_wrap.h"
#include "preload/shared/say.h"
#include "preload/process/run_notes.h"

/* An interpreter in which line mode asked for a number. */
struct listener {
    struct listener *next;
    const void *interpreter; /* another one may come to its place: then the id differs */
    int64_t id;
    int number; /* -1: none */
    void *monitoring, *leave;
};

static _Atomic(struct listener *) listeners;
static bool (*ask_for_events)(void *leave);
static void *(*real_use)(void *module, void *const *arguments, long count), *(*real_get)(void *module, void *argument);

static struct listener *listener_of(const void *interpreter) {
    struct listener *found = atomic_load(&listeners);
    while (found != NULL && found->interpreter != interpreter)
        found = found->next;
    return found;
}

static struct listener *here(void) { return listener_of(vbt_python_interpreter()); }

/* Threads of interpreters that have a GIL each come here at the same time. */
static struct listener *add_here(void) {
    struct listener *added = here();
    if (added != NULL)
        return added;
    vbt_lock(&vbt_tree_lock);
    added = vbt_arena_alloc(&vbt_tree.arena, sizeof *added);
    if (added != NULL) {
        added->interpreter = vbt_python_interpreter();
        added->number = -1;
        added->next = atomic_load(&listeners);
        atomic_store(&listeners, added);
    }
    vbt_unlock(&vbt_tree_lock);
    return added;
}

int vbt_line_tool(void) {
    const struct listener *listener = here();
    return listener != NULL ? listener->number : -1;
}

void *vbt_line_tool_monitoring(void) {
    const struct listener *listener = here();
    return listener != NULL && listener->number >= 0 ? listener->monitoring : NULL;
}

bool vbt_line_tool_is_of(const void *interpreter, int64_t id) {
    const struct listener *listener = listener_of(interpreter);
    return listener != NULL && listener->id == id;
}

/* Tools are numbered 0 to 5: 0 is for debuggers, 1 for coverage, 2 for profilers, 5 for
 * optimizers. */
static bool take(struct listener *listener) {
    static const int numbers[] = {4, 3, 5, 2, 1};
    listener->number = -1;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && listener->number < 0; i++) {
        void *result = vbt_line_api.call_method(listener->monitoring, "use_tool_id", "is", numbers[i], "vbtrace");
        if (result != NULL) {
            listener->number = numbers[i];
            vbt_line_api.decref(result);
        }
        vbt_line_api.clear_error();
    }
    return listener->number >= 0;
}

static void drop(void *result) {
    if (result != NULL)
        vbt_line_api.decref(result);
    vbt_line_api.clear_error();
}

struct move {
    void *leave;
    int before, after;
};

static void move_code(void *code, void *context) {
    const struct move *move = context;
    drop(vbt_line_api.call(move->leave, "iiO", move->before, move->after, code));
}

/* Another tool is about to take our number. */
static void move(struct listener *listener) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL)
        return;
    int before = listener->number;
    void *leave = listener->leave;
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    vbt_line_api.incref(leave); /* the callbacks that kept it go */
    drop(vbt_line_api.call_method(listener->monitoring, "set_events", "ii", before, 0));
    bool moved = take(listener) && ask_for_events(leave);
    if (vbt_python.abi.code_tlbc == 0) /* else leave_tool finds it */
        vbt_line_running(move_code, &(struct move){leave, before, listener->number});
    drop(vbt_line_api.call(leave, "ii", before, listener->number));
    vbt_line_api.decref(leave);
    vbt_line_own_work_end(thread, &begun);
    atomic_fetch_add(&vbt_python_generations, VBT_PYTHON_CODE_DIED); /* look up code whose events were not moved again */
    if (moved)
        return;
    if (thread->lines != NULL)
        vbt_line_reset(thread->lines);
    vbt_note("The program took every tool number of sys.monitoring: from then on no lines were counted.");
    vbt_say("the program takes every tool number of sys.monitoring: from now on no lines are counted");
}

static bool is_ours(void *number) {
    int tool = vbt_line_tool();
    bool ours = tool >= 0 && vbt_line_api.as_long(number) == tool;
    vbt_line_api.clear_error();
    return ours;
}

/* Programs call these in the place of sys.monitoring's functions. */
static void *use_tool_id(void *module, void *const *arguments, long count) {
    if (count == 2 && vbt_self != NULL && vbt_self->stack.override.node == 0 && is_ours(arguments[0]))
        move(here());
    return real_use(module, arguments, count);
}

static void *get_tool(void *module, void *number) {
    if (!is_ours(number))
        return real_get(module, number);
    vbt_line_api.incref(vbt_line_api.none);
    return vbt_line_api.none;
}

bool vbt_line_tool_take(void *monitoring, void *leave, bool (*listen)(void *leave)) {
    static struct vbt_py_method ours[2];
    struct listener *listener = add_here();
    ask_for_events = listen;
    if (listener == NULL)
        return false;
    listener->id = vbt_python_interpreter_id((void *)listener->interpreter);
    listener->monitoring = monitoring;
    listener->leave = leave;
    if (!take(listener) || !listen(leave))
        return false;
    vbt_line_wrap(monitoring, "use_tool_id", use_tool_id, &ours[0], (void **)&real_use);
    vbt_line_wrap(monitoring, "get_tool", get_tool, &ours[1], (void **)&real_get);
    return true;
}

void vbt_line_tool_end(void) {
    for (struct listener *listener = atomic_load(&listeners); listener != NULL; listener = listener->next) {
        listener->number = -1;
        listener->id = -1;
    }
}
