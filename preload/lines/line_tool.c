/* See line_tool.h. */
#include "line_tool.h"

#include "line_follow.h"
#include "line_mode.h"
#include "line_wrap.h"
#include "preload/shared/say.h"
#include "preload/process/run_notes.h"

int vbt_line_tool = -1;

static void *monitoring;
static bool (*ask_for_events)(void);
static void *(*real_use)(void *module, void *const *arguments, long count), *(*real_get)(void *module, void *argument);

/* Tools are numbered 0 to 5: 0 is for debuggers, 1 for coverage, 2 for profilers, 5 for
 * optimizers. */
static bool take(void) {
    static const int numbers[] = {4, 3, 5, 2, 1};
    vbt_line_tool = -1;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && vbt_line_tool < 0; i++) {
        void *result = vbt_line_api.call_method(monitoring, "use_tool_id", "is", numbers[i], "vbtrace");
        if (result != NULL) {
            vbt_line_tool = numbers[i];
            vbt_line_api.decref(result);
        }
        vbt_line_api.clear_error();
    }
    return vbt_line_tool >= 0;
}

static void drop(void *result) {
    if (result != NULL)
        vbt_line_api.decref(result);
    vbt_line_api.clear_error();
}

/* Another tool is about to take our number. */
static void move(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL)
        return;
    int before = vbt_line_tool;
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    drop(vbt_line_api.call_method(monitoring, "set_events", "ii", before, 0));
    bool moved = take() && ask_for_events();
    drop(vbt_line_api.call(vbt_line_leave_tool, "ii", before, vbt_line_tool));
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
    bool ours = vbt_line_tool >= 0 && vbt_line_api.as_long(number) == vbt_line_tool;
    vbt_line_api.clear_error();
    return ours;
}

/* Programs call these in the place of sys.monitoring's functions. */
static void *use_tool_id(void *module, void *const *arguments, long count) {
    if (count == 2 && vbt_self != NULL && vbt_self->stack.override.node == 0 && is_ours(arguments[0]))
        move();
    return real_use(module, arguments, count);
}

static void *get_tool(void *module, void *number) {
    if (!is_ours(number))
        return real_get(module, number);
    vbt_line_api.incref(vbt_line_api.none);
    return vbt_line_api.none;
}

bool vbt_line_tool_take(void *of, bool (*listen)(void)) {
    static struct vbt_py_method ours[2];
    monitoring = of;
    ask_for_events = listen;
    if (!take() || !listen())
        return false;
    vbt_line_wrap(of, "use_tool_id", use_tool_id, &ours[0], (void **)&real_use);
    vbt_line_wrap(of, "get_tool", get_tool, &ours[1], (void **)&real_get);
    return true;
}

void vbt_line_tool_end(void) {
    monitoring = NULL;
    vbt_line_tool = -1;
}
