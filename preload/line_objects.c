/* See line_objects.h. */
#include "line_objects.h"

#include "hook.h"
#include "ledger/line_books.h"
#include "options.h"
#include "say.h"
#include "stream/process_info.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/uio.h>

void (*vbt_line_objects_care)(void);

enum tracer_event { CREATE, DESTROY };

typedef int (*ref_tracer)(void *object, int event, void *data);

static ref_tracer others;
static void *others_data;

/* Called by the interpreter for each object that begins or ends. */
static int on_object(void *object, int event, void *data) {
    (void)data;
    struct vbt_thread *thread = vbt_self;
    if (event == CREATE && thread != NULL && thread->lines != NULL && thread->stack.override.node == 0)
        thread->lines->objects++;
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

/* The floats' free list of 3.10 to 3.12, in the interpreter's state: how many it holds, then the first of them; each names the next where
 * its type would stand. */
struct float_list {
    int count;
    void *first;
};

enum { FLOAT_LIST_FULL = 100 };

static volatile struct float_list *floats;
static void (*free_object)(void *);

static void *next_of(void *object) { return *(void **)((char *)object + vbt_python.abi.object_type); }

/* A list that is full and holds nothing: none is taken from it, and none put into it. A full collection resets it. */
static void keep_list_off(void) {
    if (floats->count == FLOAT_LIST_FULL && floats->first == NULL)
        return;
    void *object = floats->first;
    floats->first = NULL;
    floats->count = FLOAT_LIST_FULL;
    while (object != NULL) {
        void *next = next_of(object);
        free_object(object);
        object = next;
    }
}

static bool read_carefully(const char *from, void *to, size_t size) {
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return vbt_sys(SYS_process_vm_readv, vbt_sys(SYS_getpid), &local, 1, &remote, 1, 0) == (long)size;
}

/* Finds the list by what it does: the last float that was freed is its first, and the next one made takes it off. */
static bool find_float_list(void) {
    enum { STEP = 4096, FAR = 400 * 1024 };
    char *(*interpreter)(void);
    void *(*make)(double), (*drop)(void *);
    *(void **)&interpreter = dlsym(vbt_python.library, "PyInterpreterState_Get");
    *(void **)&make = dlsym(vbt_python.library, "PyFloat_FromDouble");
    *(void **)&drop = dlsym(vbt_python.library, "Py_DecRef");
    *(void **)&free_object = dlsym(vbt_python.library, "PyObject_Free");
    if (interpreter == NULL || make == NULL || drop == NULL || free_object == NULL)
        return false;
    static uintptr_t words[STEP / sizeof(uintptr_t)];
    void *a = make(1.25), *b = make(2.5);
    drop(a);
    drop(b);
    char *state = interpreter();
    for (int at = 0; at < FAR && read_carefully(state + at, words, sizeof words); at += STEP)
        for (size_t i = 1; i < sizeof words / sizeof *words; i++) {
            volatile struct float_list *found = (void *)(state + at + (i - 1) * sizeof *words);
            int count = found->count;
            if (words[i] != (uintptr_t)b || count < 2 || count > FLOAT_LIST_FULL || next_of(b) != a)
                continue;
            void *c = make(3.0);
            bool moved = c == b && found->first == a && found->count == count - 1;
            drop(c);
            if (moved && found->first == b && found->count == count) {
                floats = found;
                return true;
            }
        }
    return false;
}

void vbt_line_objects_start(void) {
    if (!vbt_options.objects)
        return;
    if (vbt_python.minor >= 13 && trace_references()) {
        vbt_line_objects = VBT_OBJECTS_ALL;
        return;
    }
    if (vbt_python.minor >= 10 && vbt_python.minor <= 12 && find_float_list()) {
        vbt_line_objects = VBT_OBJECTS_FLOATS;
        keep_list_off();
        vbt_line_objects_care = keep_list_off;
        vbt_process_note =
            "Exact objects: the free list of floats was switched off, so that every float counts as an allocation. Tuples, "
            "lists, dicts and frames from free lists are not seen by this version of Python.";
        return;
    }
    vbt_process_note = "Exact objects cannot be had from this version of Python: those from free lists are not seen.";
    vbt_say("Python %s: objects from free lists cannot be seen", vbt_python.version);
}
