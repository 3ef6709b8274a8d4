/* See line_methods.h. */
#include "line_methods.h"

#include "preload/ledger/ledger.h"
#include "preload/thread/enter.h"
#include "line_frames.h"
#include "preload/python/python.h"

#include <dlfcn.h>

typedef void *(*descriptor_get)(void *descriptor, void *object, void *type);

static descriptor_get real;
static bool learning;

/* Call sites in the evaluation loop: its instructions for calls are compiled into several
 * places. */
static struct {
    const void *place[8];
    unsigned count;
} loop;

static bool is_loop(const void *caller) {
    for (unsigned i = 0; i < loop.count; i++)
        if (loop.place[i] == caller)
            return true;
    return false;
}

/* As if the object had not been allocated. */
static void *made_for_us(void *descriptor, void *object, void *type) {
    struct vbt_ledger *ledger = &vbt_self->ledger;
    const void *last = ledger->last_block;
    char *bound = real(descriptor, object, type);
    if (bound != NULL && ledger->last_block == bound - VBT_PY_GC_HEADER &&
        vbt_ledger_move(ledger, bound - VBT_PY_GC_HEADER, vbt_tree.line_node))
        ledger->last_block = last;
    return bound;
}

static void *get(void *descriptor, void *object, void *type) {
    const void *caller = __builtin_return_address(0);
    if (object == NULL)
        return real(descriptor, object, type);
    if (VBT_UNLIKELY(learning) && !is_loop(caller) && loop.count < sizeof loop.place / sizeof *loop.place)
        loop.place[loop.count++] = caller;
    if (!is_loop(caller) || vbt_self == NULL || vbt_self->lines == NULL || !vbt_line_frames_is_sole_tracer())
        return real(descriptor, object, type);
    return made_for_us(descriptor, object, type);
}

void vbt_line_methods_learn(void) {
    char *type = dlsym(vbt_python.library, "PyMethodDescr_Type");
    if (type == NULL || real != NULL) /* a second interpreter in the process: the type is the same */
        return;
    descriptor_get *function = (descriptor_get *)(type + VBT_PY_TYPE_DESCRIPTOR_GET);
    real = *function;
    *function = get;
    learning = true;
}

void vbt_line_methods_learned(void) { learning = false; }
