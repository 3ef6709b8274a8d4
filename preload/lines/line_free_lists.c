/* See line_free_lists.h. The lists of floats and tuples are chains. They can be switched off: one
 * that is full and empty at once neither gives out nor takes in. Those of lists and dicts are
 * arrays with a single count, and can only be emptied. */
#include "line_free_lists.h"

#include "line_mode.h"
#include "preload/base/sys.h"
#include "preload/python/python.h"

#include <dlfcn.h>
#include <stdint.h>
#include <sys/uio.h>

/* The number of floats, then the first one; each links to the next in the place of its type. */
struct float_list {
    int count;
    void *first;
};

/* By size: the first tuple, and the number; each links to the next in its first item. From 3.11 on
 * the lists begin with size 1; in 3.10 the empty tuple comes first. */
struct tuple_lists {
    void *first[VBT_PY_TUPLE_LISTS];
    int count[VBT_PY_TUPLE_LISTS];
};

/* An array is followed by the number of objects in it. In 3.12 the array of dicts and that of their
 * key tables are side by side, followed by both numbers. */
struct array_list {
    void *volatile *objects;
    volatile int *count;
};

static volatile struct float_list *floats;
static volatile struct tuple_lists *tuples;
static struct array_list lists, dicts, key_tables;
static const void *lists_of; /* the interpreter whose they are */
static void (*free_object)(void *), (*free_collected)(void *);
static void *(*make_float)(double), *(*make_tuple)(long), *(*make_list)(long), *(*make_dict)(void), (*drop)(void *);

static void *next_float(void *object) { return *(void **)((char *)object + vbt_python.abi.object_type); }

static void *next_tuple(void *object) {
    enum { ITEMS = 8 };
    return *(void **)((char *)object + vbt_python.abi.var_size + ITEMS);
}

/* The index of the list of tuples of a size. */
static int list_of_tuples(int size) { return size - vbt_python.known->free_lists.smallest_tuple; }

/* Frees a chain's objects. */
static void empty(void *volatile *first, void *(*next_of)(void *), void (*free_one)(void *)) {
    void *object = *first;
    *first = NULL;
    while (object != NULL) {
        void *next = next_of(object);
        free_one(object);
        object = next;
    }
}

static void empty_array(struct array_list list, void (*free_one)(void *)) {
    while (*list.count > 0)
        free_one(list.objects[--*list.count]);
}

/* A full collection resets all chains. */
void vbt_line_free_lists_empty(void) {
    if (vbt_python_interpreter() != lists_of)
        return;
    empty_array(lists, free_collected);
    empty_array(dicts, free_collected);
    empty_array(key_tables, free_object);
    if (floats->count != VBT_PY_FREE_FLOATS || floats->first != NULL) {
        floats->count = VBT_PY_FREE_FLOATS;
        empty(&floats->first, next_float, free_object);
    }
    if (tuples->count[1] == VBT_PY_FREE_TUPLES && tuples->first[1] == NULL)
        return;
    for (int i = list_of_tuples(1); i < VBT_PY_TUPLE_LISTS; i++) {
        tuples->count[i] = VBT_PY_FREE_TUPLES;
        empty(&tuples->first[i], next_tuple, free_collected);
    }
}

static bool read_carefully(const char *from, void *to, size_t size) {
    struct iovec local = {to, size}, remote = {(void *)from, size};
    return vbt_sys(SYS_process_vm_readv, vbt_sys(SYS_getpid), &local, 1, &remote, 1, 0) == (long)size;
}

/* The place in the interpreter's state that holds `wanted` and behaves as it should; NULL: there is
 * none. */
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

/* Is this the first object of a list? What was freed last is its first, and what is made next is
 * taken off it. */
static bool is_first(void *volatile *first, volatile int *count, void *object, void *next, void *made) {
    bool moved = made == object && *first == next;
    int before = *count;
    drop(made);
    return moved && *first == object && *count == before + 1;
}

static bool is_float_list(void **place, void *freed) {
    volatile struct float_list *found = (void *)(place - 1);
    if (found->count < 2 || found->count > VBT_PY_FREE_FLOATS)
        return false;
    void *next = next_float(freed);
    return is_first(&found->first, &found->count, freed, next, make_float(3.0));
}

enum { TUPLE_SIZE = 5 };

static struct tuple_lists *lists_around(void **place) { return (void *)(place - list_of_tuples(TUPLE_SIZE)); }

static bool is_tuple_list(void **place, void *freed) {
    int index = list_of_tuples(TUPLE_SIZE);
    volatile struct tuple_lists *found = lists_around(place);
    if (found->count[index] < 2 || found->count[index] > VBT_PY_FREE_TUPLES)
        return false;
    void *next = next_tuple(freed);
    return is_first(&found->first[index], &found->count[index], freed, next, make_tuple(TUPLE_SIZE));
}

/* Is there an array that ends with what was freed last, with its count so many words after its
 * start? What is made next is taken from its end. */
static bool find_array(struct array_list *list, void **place, void *freed, int distance, void *(*make)(void)) {
    for (int count = 1; count <= VBT_PY_FREE_OBJECTS; count++) {
        struct array_list found = {place - (count - 1), (volatile int *)(place - (count - 1) + distance)};
        int held;
        if (!read_carefully((const char *)found.count, &held, sizeof held) || held != count)
            continue;
        void *made = make();
        bool taken = made == freed && *found.count == count - 1;
        drop(made);
        *list = found;
        if (taken && *found.count == count && found.objects[count - 1] == freed)
            return true;
    }
    return false;
}

static void *make_empty_list(void) { return make_list(0); }

static bool is_list_array(void **place, void *freed) {
    return find_array(&lists, place, freed, VBT_PY_FREE_OBJECTS, make_empty_list);
}

static bool is_dict_array(void **place, void *freed) {
    bool side_by_side = vbt_python.known->free_lists.side_by_side;
    if (!find_array(&dicts, place, freed, side_by_side ? 2 * VBT_PY_FREE_OBJECTS : VBT_PY_FREE_OBJECTS, make_dict))
        return false;
    key_tables.objects = dicts.objects + VBT_PY_FREE_OBJECTS + !side_by_side;
    key_tables.count = side_by_side ? dicts.count + 1 : (volatile int *)(key_tables.objects + VBT_PY_FREE_OBJECTS);
    return true;
}

/* A dict with a key table, which came from its free list if there was one. */
static void *make_filled_dict(void) {
    void *dict = make_dict();
    if (dict != NULL)
        vbt_line_api.set_item(dict, "key", vbt_line_api.none);
    return dict;
}

static bool key_tables_are_there(void) {
    drop(make_filled_dict());
    int count = *key_tables.count;
    void *made = make_filled_dict();
    bool taken = count > 0 && count <= VBT_PY_FREE_OBJECTS && *key_tables.count == count - 1;
    drop(made);
    return taken && *key_tables.count == count;
}

bool vbt_line_free_lists_find(void) {
    lists_of = vbt_python_interpreter();
    *(void **)&make_float = dlsym(vbt_python.library, "PyFloat_FromDouble");
    *(void **)&make_tuple = dlsym(vbt_python.library, "PyTuple_New");
    *(void **)&make_list = dlsym(vbt_python.library, "PyList_New");
    *(void **)&make_dict = dlsym(vbt_python.library, "PyDict_New");
    *(void **)&drop = dlsym(vbt_python.library, "Py_DecRef");
    *(void **)&free_object = dlsym(vbt_python.library, "PyObject_Free");
    *(void **)&free_collected = dlsym(vbt_python.library, "PyObject_GC_Del");
    if (make_float == NULL || make_tuple == NULL || make_list == NULL || make_dict == NULL || drop == NULL || free_object == NULL ||
        free_collected == NULL)
        return false;
    void *some[] = {make_float(1.25), make_float(2.5), make_tuple(TUPLE_SIZE), make_tuple(TUPLE_SIZE), make_list(0), make_dict()};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        drop(some[i]);
    void **place = find_place(some[1], is_float_list);
    floats = place != NULL ? (void *)(place - 1) : NULL;
    place = find_place(some[3], is_tuple_list);
    tuples = place != NULL ? lists_around(place) : NULL;
    return floats != NULL && tuples != NULL && find_place(some[4], is_list_array) != NULL &&
           find_place(some[5], is_dict_array) != NULL && key_tables_are_there();
}
