/* See line_objects.h. */
#include "line_objects.h"

#include "preload/thread/enter.h"
#include "preload/lines/books/line_silent.h"
#include "line_free_lists.h"
#include "preload/shared/options.h"
#include "preload/thread/pause.h"
#include "preload/shared/say.h"
#include "preload/process/run_notes.h"

#include <dlfcn.h>

void (*vbt_line_objects_on_event)(void);

typedef int (*ref_tracer)(void *object, int event, void *data);

static ref_tracer others;
static void *others_data;

/* The program has created an object. */
VBT_INLINE void count_object(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL || thread->lines == NULL || thread->stack.override.node != 0 || vbt_paused())
        return;
    thread->lines->objects++;
    vbt_line_note_object(thread->lines);
}

/* The interpreter calls it for each object that is created or destroyed. */
static int on_object(void *object, int event, void *data) {
    (void)data;
    if (event == VBT_PY_REF_TRACER_CREATE)
        count_object();
    return others != NULL ? others(object, event, others_data) : 0;
}

static bool trace_references(void) {
    int (*set)(ref_tracer, void *);
    ref_tracer (*get)(void **);
    *(void **)&set = dlsym(vbt_python.library, "PyRefTracer_SetTracer");
    *(void **)&get = dlsym(vbt_python.library, "PyRefTracer_GetTracer");
    if (set == NULL || get == NULL)
        return false;
    others = get(&others_data);
    return set(on_object, NULL) == 0;
}

/* Wraps the interpreter's allocator for objects, which is wrapped already. That wrapper looks at
 * its caller's address, so each of these calls it last. A block that only changes its size is no
 * new object. */
static struct vbt_py_allocator served;

static void *counted_malloc(void *context, size_t size) {
    const struct vbt_py_allocator *real = context;
    count_object();
    return real->malloc(real->context, size);
}

static void *counted_calloc(void *context, size_t count, size_t size) {
    const struct vbt_py_allocator *real = context;
    count_object();
    return real->calloc(real->context, count, size);
}

static void *passed_realloc(void *context, void *block, size_t size) {
    const struct vbt_py_allocator *real = context;
    return real->realloc(real->context, block, size);
}

static void passed_free(void *context, void *block) {
    const struct vbt_py_allocator *real = context;
    real->free(real->context, block);
}

static void count_served(void) {
    struct vbt_py_allocator counting = {&served, counted_malloc, counted_calloc, passed_realloc, passed_free};
    struct vbt_py_allocator now;
    vbt_python.get_allocator(VBT_PY_OBJ, &now);
    if (now.malloc == counted_malloc) /* up to 3.11 the wrapper outlives the interpreter */
        return;
    served = now;
    vbt_python.set_allocator(VBT_PY_OBJ, &counting);
}

void vbt_line_objects_start(void) {
    if (!vbt_options.objects)
        return;
    enum vbt_object_events source = vbt_python.known->object_events;
    if (source == VBT_OBJECT_EVENTS_REPORTED && trace_references()) {
        vbt_line_objects = VBT_OBJECTS_ALL;
        return;
    }
    if (source == VBT_OBJECT_EVENTS_FREE_LISTS && vbt_line_free_lists_find()) {
        vbt_line_objects = VBT_OBJECTS_SERVED;
        count_served();
        vbt_line_free_lists_empty();
        vbt_line_objects_on_event = vbt_line_free_lists_empty;
        vbt_line_fast_enabled = false;
        vbt_note("Exact objects: those that Python's allocator for objects served. "
                 "Each float and tuple is counted, as their free lists were switched off. "
                 "Each list and dict is counted unless it reuses one that the same execution of a line freed: "
                 "their free lists are emptied at each line. "
                 "Slices, and what the interpreter keeps for generators and the like, are not seen. "
                 "A dict's key table and a bytearray's buffer count as objects.");
        return;
    }
    vbt_note("Exact objects cannot be counted in this version of Python: those from free lists are not seen.");
    vbt_say("Python %s: objects from free lists cannot be seen", vbt_python.version);
}

/* The free lists were the interpreter's, and are gone with it. */
void vbt_line_objects_end(void) { vbt_line_objects_on_event = NULL; }
