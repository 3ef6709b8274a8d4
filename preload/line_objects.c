/* See line_objects.h. */
#include "line_objects.h"

#include "hook.h"
#include "ledger/line_unheard.h"
#include "options.h"
#include "pause.h"
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

/* The program has created an object. */
VBT_INLINE void count_object(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL || thread->lines == NULL || thread->stack.override.node != 0 || vbt_paused())
        return;
    thread->lines->objects++;
    vbt_line_note_object(thread->lines);
}

/* Called by the interpreter for each object that begins or ends. */
static int on_object(void *object, int event, void *data) {
    (void)data;
    if (event == CREATE)
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

/* From 3.10 to 3.12 the interpreter's state holds the free lists. Those that are chains can be switched off: one that is full and empty
 * gives nothing out and takes nothing in. Lists' and dicts' are arrays with one number for both. */

/* How many floats it holds, then the first of them; each names the next where its type would stand. */
struct float_list {
    int count;
    void *first;
};

/* By size: the first, how many; each names the next in its first item. From 3.11 on size 1 begins; in 3.10 the empty tuple stands before. */
struct tuple_lists {
    void *first[20];
    int count[20];
};

enum { FLOAT_LIST_FULL = 100, TUPLE_SIZES = 20, TUPLE_LIST_FULL = 2000 };

static volatile struct float_list *floats;
static volatile struct tuple_lists *tuples;
static void (*free_object)(void *), (*free_collected)(void *);
static void *(*make_float)(double), *(*make_tuple)(long), (*drop)(void *);

static void *next_float(void *object) { return *(void **)((char *)object + vbt_python.abi.object_type); }

static void *next_tuple(void *object) {
    enum { ITEMS = 8 };
    return *(void **)((char *)object + vbt_python.abi.var_size + ITEMS);
}

/* Takes a chain's objects for good. */
static void empty(void *volatile *first, void *(*next_of)(void *), void (*free_one)(void *)) {
    void *object = *first;
    *first = NULL;
    while (object != NULL) {
        void *next = next_of(object);
        free_one(object);
        object = next;
    }
}

/* A full collection resets all lists. */
static void keep_lists_off(void) {
    if (floats->count != FLOAT_LIST_FULL || floats->first != NULL) {
        floats->count = FLOAT_LIST_FULL;
        empty(&floats->first, next_float, free_object);
    }
    if (tuples->count[1] == TUPLE_LIST_FULL && tuples->first[1] == NULL)
        return;
    for (int i = vbt_python.minor == 10; i < TUPLE_SIZES; i++) {
        tuples->count[i] = TUPLE_LIST_FULL;
        empty(&tuples->first[i], next_tuple, free_collected);
    }
}

static bool read_carefully(const char *from, void *to, size_t size) {
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return vbt_sys(SYS_process_vm_readv, vbt_sys(SYS_getpid), &local, 1, &remote, 1, 0) == (long)size;
}

/* The place in the interpreter's state that holds `wanted`, and that does what `behaves` looks for; NULL: there is none. */
static void **find_place(void *wanted, bool (*behaves)(void **place, void *wanted)) {
    enum { STEP = 4096, FAR = 400 * 1024 };
    char *(*interpreter)(void);
    static uintptr_t words[STEP / sizeof(uintptr_t)];
    *(void **)&interpreter = dlsym(vbt_python.library, "PyInterpreterState_Get");
    char *state = interpreter != NULL ? interpreter() : NULL;
    for (int at = 0; state != NULL && at < FAR && read_carefully(state + at, words, sizeof words); at += STEP)
        for (size_t i = 1; i < sizeof words / sizeof *words; i++)
            if (words[i] == (uintptr_t)wanted && behaves((void **)(state + at) + i, wanted))
                return (void **)(state + at) + i;
    return NULL;
}

/* The first, if the list is found: what was freed last is its first, and what is made next is taken off it. */
static bool is_first(void *volatile *first, volatile int *count, void *object, void *next, void *made) {
    bool moved = made == object && *first == next;
    int before = *count;
    drop(made);
    return moved && *first == object && *count == before + 1;
}

static bool is_float_list(void **place, void *freed) {
    volatile struct float_list *found = (void *)(place - 1);
    if (found->count < 2 || found->count > FLOAT_LIST_FULL)
        return false;
    void *next = next_float(freed);
    return is_first(&found->first, &found->count, freed, next, make_float(3.0));
}

enum { TUPLE_SIZE = 5 };

static struct tuple_lists *lists_around(void **place) { return (void *)(place - TUPLE_SIZE + (vbt_python.minor >= 11)); }

static bool is_tuple_list(void **place, void *freed) {
    int index = TUPLE_SIZE - (vbt_python.minor >= 11);
    volatile struct tuple_lists *found = lists_around(place);
    if (found->count[index] < 2 || found->count[index] > TUPLE_LIST_FULL)
        return false;
    void *next = next_tuple(freed);
    return is_first(&found->first[index], &found->count[index], freed, next, make_tuple(TUPLE_SIZE));
}

static bool find_lists(void) {
    *(void **)&make_float = dlsym(vbt_python.library, "PyFloat_FromDouble");
    *(void **)&make_tuple = dlsym(vbt_python.library, "PyTuple_New");
    *(void **)&drop = dlsym(vbt_python.library, "Py_DecRef");
    *(void **)&free_object = dlsym(vbt_python.library, "PyObject_Free");
    *(void **)&free_collected = dlsym(vbt_python.library, "PyObject_GC_Del");
    if (make_float == NULL || make_tuple == NULL || drop == NULL || free_object == NULL || free_collected == NULL)
        return false;
    void *some[] = {make_float(1.25), make_float(2.5), make_tuple(TUPLE_SIZE), make_tuple(TUPLE_SIZE)};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        drop(some[i]);
    void **place = find_place(some[1], is_float_list);
    floats = place != NULL ? (void *)(place - 1) : NULL;
    place = find_place(some[3], is_tuple_list);
    tuples = place != NULL ? lists_around(place) : NULL;
    return floats != NULL && tuples != NULL;
}

/* Stands before the wrapper of the interpreter's allocator for objects. That one looks at who called it: each of these calls it as the last
 * thing that it does. A block that only changes its size is no new object. */
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
    vbt_python.get_allocator(VBT_PY_OBJ, &served);
    vbt_python.set_allocator(VBT_PY_OBJ, &counting);
}

void vbt_line_objects_start(void) {
    if (!vbt_options.objects)
        return;
    if (vbt_python.minor >= 13 && trace_references()) {
        vbt_line_objects = VBT_OBJECTS_ALL;
        return;
    }
    if (vbt_python.minor >= 10 && vbt_python.minor <= 12 && find_lists()) {
        vbt_line_objects = VBT_OBJECTS_SERVED;
        count_served();
        keep_lists_off();
        vbt_line_objects_care = keep_lists_off;
        vbt_line_may_hurry = false;
        vbt_process_note = "Exact objects: what Python's allocator for objects served. The free lists of floats and tuples were "
                           "switched off, so that each of them is; lists, dicts and slices from free lists are not seen in this "
                           "version of Python. The key table of a dict and the buffer of a bytearray count as objects.";
        return;
    }
    vbt_process_note = "Exact objects cannot be had from this version of Python: those from free lists are not seen.";
    vbt_say("Python %s: objects from free lists cannot be seen", vbt_python.version);
}
