/* The interpreter's free lists: found by what they do, switched off or kept empty. */
#include "preload/lines/line_free_lists.h"

#include "preload/lines/books/line_books.h"
#include "preload/lines/line_objects.h"
#include "preload/shared/options.h"
#include "tests/unit/support/fake_api.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- an interpreter's state, and the objects whose lists are in it ---- */

enum { WORDS = 64 * 1024, FLOATS = 5000, TUPLES = 9000, LISTS = 14000, DICTS = 20000, TUPLE_ITEM = 24 };

enum kind { FLOAT, TUPLE, LIST, DICT, KEYS };

struct listed_object {
    char bytes[48]; /* with links, where the interpreter has them */
    enum kind kind;
    long size;
    struct listed_object *keys;
};

static void **interpreter; /* WORDS */
static bool has_lists;     /* else nothing is kept for later */
static long made, freed;
static int minor;
static struct vbt_thread *thread;

static const struct vbt_free_lists_abi *abi(void) { return &vbt_cpython_known(minor)->free_lists; }

static void link_set(struct listed_object *object, int offset, const void *next) {
    memcpy(object->bytes + offset, &next, sizeof next);
}

static void *link_of(const struct listed_object *object, int offset) {
    void *next;
    memcpy(&next, object->bytes + offset, sizeof next);
    return next;
}

/* A chain: its first object and how many they are. */
struct chain {
    void **first;
    int *count;
    int most, link; /* where an object names the next */
};

static struct chain chain_of(enum kind kind, long size) {
    if (kind == FLOAT) /* the count comes first */
        return (struct chain){&interpreter[FLOATS + 1], (int *)&interpreter[FLOATS], VBT_PY_FREE_FLOATS, 8};
    long index = size - abi()->smallest_tuple;
    int *counts = (int *)&interpreter[TUPLES + VBT_PY_TUPLE_LISTS];
    return (struct chain){&interpreter[TUPLES + index], &counts[index], VBT_PY_FREE_TUPLES, TUPLE_ITEM};
}

/* An array, and how many it holds: right after it, or where those of dicts and of key tables are
 * side by side after both. */
struct array {
    void **objects;
    int *count;
};

static struct array array_of(enum kind kind) {
    if (kind == LIST)
        return (struct array){&interpreter[LISTS], (int *)&interpreter[LISTS + VBT_PY_FREE_OBJECTS]};
    long gap = abi()->side_by_side ? 0 : 1;
    void **keys = &interpreter[DICTS + VBT_PY_FREE_OBJECTS + gap];
    int *counts = (int *)(keys + VBT_PY_FREE_OBJECTS);
    if (kind == KEYS)
        return (struct array){keys, abi()->side_by_side ? counts + 1 : counts};
    return (struct array){&interpreter[DICTS], abi()->side_by_side ? counts : (int *)&interpreter[DICTS + VBT_PY_FREE_OBJECTS]};
}

static struct listed_object *take(enum kind kind, long size) {
    made++;
    struct listed_object *object = NULL;
    if (has_lists && (kind == FLOAT || kind == TUPLE)) {
        struct chain chain = chain_of(kind, size);
        if ((object = *chain.first) != NULL) {
            *chain.first = link_of(object, chain.link);
            --*chain.count;
        }
    } else if (has_lists) {
        struct array array = array_of(kind);
        object = *array.count > 0 ? array.objects[--*array.count] : NULL;
    }
    if (object == NULL && (object = calloc(1, sizeof *object)) == NULL)
        abort();
    object->kind = kind;
    object->size = size;
    object->keys = NULL;
    return object;
}

static void give_back(struct listed_object *object) {
    if (object->keys != NULL)
        give_back(object->keys);
    if (has_lists && (object->kind == FLOAT || object->kind == TUPLE)) {
        struct chain chain = chain_of(object->kind, object->size);
        if (*chain.count < chain.most) {
            link_set(object, chain.link, *chain.first);
            *chain.first = object;
            ++*chain.count;
            return;
        }
    } else if (has_lists) {
        struct array array = array_of(object->kind);
        if (*array.count < VBT_PY_FREE_OBJECTS) {
            array.objects[(*array.count)++] = object;
            return;
        }
    }
    freed++;
    free(object);
}

FAKE_EXPORT void *PyFloat_FromDouble(double value);
FAKE_EXPORT void *PyTuple_New(long size);
FAKE_EXPORT void *PyList_New(long size);
FAKE_EXPORT void *PyDict_New(void);
FAKE_EXPORT void Py_DecRef(void *object);
FAKE_EXPORT void PyObject_Free(void *object);
FAKE_EXPORT void PyObject_GC_Del(void *object);
FAKE_EXPORT void *PyInterpreterState_Get(void);

void *PyFloat_FromDouble(double value) {
    (void)value;
    return take(FLOAT, 0);
}

void *PyTuple_New(long size) { return take(TUPLE, size); }
void *PyList_New(long size) { return take(LIST, size); }
void *PyDict_New(void) { return take(DICT, 0); }
void Py_DecRef(void *object) { give_back(object); }
void *PyInterpreterState_Get(void) { return interpreter; }

void PyObject_Free(void *object) {
    freed++;
    free(object);
}

void PyObject_GC_Del(void *object) { PyObject_Free(object); }

static int set_item(void *dict, const char *key, void *value) {
    (void)key, (void)value;
    ((struct listed_object *)dict)->keys = take(KEYS, 0);
    return 0;
}

static void let_go(int count, struct listed_object **of) {
    for (int i = 0; i < count; i++)
        give_back(of[i]);
}

/* Makes so many of a kind, and drops them. */
static void make_and_drop(enum kind kind, long size, int count) {
    struct listed_object *objects[VBT_PY_FREE_TUPLES + 8];
    for (int i = 0; i < count; i++)
        objects[i] = take(kind, size);
    let_go(count, objects);
}

/* ---- tests ---- */

static void clear_lists(void) {
    for (int i = 0; i < VBT_PY_TUPLE_LISTS; i++)
        for (struct chain chain = chain_of(TUPLE, i + abi()->smallest_tuple); *chain.first != NULL;) {
            struct listed_object *object = *chain.first;
            *chain.first = link_of(object, chain.link);
            free(object);
        }
    for (struct chain chain = chain_of(FLOAT, 0); *chain.first != NULL;) {
        struct listed_object *object = *chain.first;
        *chain.first = link_of(object, chain.link);
        free(object);
    }
    for (enum kind kind = LIST; kind <= KEYS; kind++)
        for (struct array array = array_of(kind); *array.count > 0;)
            free(array.objects[--*array.count]);
}

/* An interpreter that has run for a while. */
static void begin_interpreter(void) {
    clear_lists();
    memset(interpreter, 0, WORDS * sizeof *interpreter);
    has_lists = true;
    make_and_drop(FLOAT, 0, 10);
    make_and_drop(TUPLE, 5, 10);
    make_and_drop(TUPLE, 3, 10);
    make_and_drop(LIST, 0, 3);
    struct listed_object *filled[3];
    for (int i = 0; i < 3; i++)
        set_item(filled[i] = take(DICT, 0), "key", NULL);
    let_go(3, filled);
    made = freed = 0;
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    fake_python_begin(minor, thread);
    fake_api_begin();
    vbt_line_api.set_item = set_item;
    begin_interpreter();
    return 0;
}

static int end(void **state) {
    (void)state;
    clear_lists();
    fake_api_end();
    fake_python_end();
    vbt_self = NULL;
    return 0;
}

static void lists_are_found_and_work_as_before(void **state) {
    (void)state;
    assert_true(vbt_line_free_lists_find());
    assert_int_equal(*chain_of(FLOAT, 0).count, 10);
    assert_int_equal(*chain_of(TUPLE, 5).count, 10);
    assert_int_equal(*array_of(LIST).count, 3);
    assert_int_equal(*array_of(DICT).count, 3);
    assert_int_equal(*array_of(KEYS).count, 3);
    assert_int_equal(freed, 0);
}

static void all_that_is_in_them_is_freed(void **state) {
    (void)state;
    assert_true(vbt_line_free_lists_find());
    vbt_line_free_lists_empty();
    assert_int_equal(freed, 10 + 10 + 10 + 3 + 3 + 3);
    assert_null(*chain_of(FLOAT, 0).first);
    assert_null(*chain_of(TUPLE, 3).first);
    assert_int_equal(*array_of(LIST).count, 0);
    assert_int_equal(*array_of(KEYS).count, 0);
}

/* They are full, and hold nothing: nothing goes in or comes out. */
static void chains_stay_off(void **state) {
    (void)state;
    assert_true(vbt_line_free_lists_find());
    vbt_line_free_lists_empty();
    freed = 0;
    make_and_drop(FLOAT, 0, 20);
    for (long size = 1; size < VBT_PY_TUPLE_LISTS; size++)
        make_and_drop(TUPLE, size, 2);
    assert_int_equal(freed, 20 + 2 * (VBT_PY_TUPLE_LISTS - 1));
    assert_null(*chain_of(FLOAT, 0).first);
    vbt_line_free_lists_empty(); /* changes nothing */
    assert_int_equal(*chain_of(FLOAT, 0).count, VBT_PY_FREE_FLOATS);
    assert_int_equal(*chain_of(TUPLE, 1).count, VBT_PY_FREE_TUPLES);
}

/* In 3.10 the first list of tuples is for the empty one, which there is only once, and stays. */
static void lists_of_tuples_begin_with_their_smallest_size(void **state) {
    (void)state;
    struct chain smallest = chain_of(TUPLE, abi()->smallest_tuple);
    make_and_drop(TUPLE, abi()->smallest_tuple, 1);
    assert_true(vbt_line_free_lists_find());
    vbt_line_free_lists_empty();
    assert_int_equal(*smallest.first != NULL, minor == 10);
    assert_int_equal(*smallest.count, minor == 10 ? 1 : VBT_PY_FREE_TUPLES);
}

static void arrays_fill_until_they_are_emptied(void **state) {
    (void)state;
    assert_true(vbt_line_free_lists_find());
    vbt_line_free_lists_empty();
    freed = 0;
    make_and_drop(LIST, 0, 2);
    make_and_drop(DICT, 0, 2);
    assert_int_equal(freed, 0);
    vbt_line_free_lists_empty();
    assert_int_equal(freed, 4);
}

/* A full collection empties the interpreter's lists, and they would fill again. */
static void chains_are_switched_off_again_after_a_collection(void **state) {
    (void)state;
    assert_true(vbt_line_free_lists_find());
    vbt_line_free_lists_empty();
    *chain_of(FLOAT, 0).count = 0;
    for (long size = 1; size < VBT_PY_TUPLE_LISTS; size++)
        *chain_of(TUPLE, size).count = 0;
    make_and_drop(FLOAT, 0, 2);
    make_and_drop(TUPLE, 5, 2);
    freed = 0;
    vbt_line_free_lists_empty();
    assert_int_equal(freed, 4);
    make_and_drop(FLOAT, 0, 2);
    assert_null(*chain_of(FLOAT, 0).first);
}

/* Words that happen to hold an object's address, beside others that look like a count. */
static void what_only_looks_like_a_list_is_passed_over(void **state) {
    (void)state;
    struct chain floats = chain_of(FLOAT, 0), tuples = chain_of(TUPLE, 5);
    void **const decoys[] = {&interpreter[100], &interpreter[1000], &interpreter[2000]};
    *(int *)&interpreter[99] = 7;
    *decoys[0] = *floats.first;
    *(int *)&interpreter[999] = VBT_PY_FREE_FLOATS + 1; /* more than it could hold */
    *decoys[1] = *floats.first;
    *decoys[2] = *tuples.first;
    interpreter[300] = array_of(LIST).objects[*array_of(LIST).count - 1];
    assert_true(vbt_line_free_lists_find());
    for (int i = 0; i < 3; i++)
        *decoys[i] = NULL;
    vbt_line_free_lists_empty();
    assert_null(*floats.first);
    assert_null(*tuples.first);
    assert_int_equal(*(int *)&interpreter[99], 7);
}

/* ---- what they are switched off for: the allocator is asked for each object ---- */

static struct vbt_py_allocator allocator; /* of the interpreter's objects */
static int served;

static void *serve(void *context, size_t size) {
    assert_ptr_equal(context, &served);
    served++;
    return (void *)size;
}

static void *serve_array(void *context, size_t count, size_t size) { return serve(context, count * size); }

static void *serve_again(void *context, void *block, size_t size) {
    serve(context, size);
    return block;
}

static void serve_no_more(void *context, void *block) { serve(context, (size_t)block); }

static void get_allocator(int domain, struct vbt_py_allocator *out) {
    assert_int_equal(domain, VBT_PY_OBJ);
    *out = allocator;
}

static void set_allocator(int domain, struct vbt_py_allocator *in) {
    assert_int_equal(domain, VBT_PY_OBJ);
    allocator = *in;
}

static void each_object_that_is_served_is_counted(void **state) {
    (void)state;
    allocator = (struct vbt_py_allocator){&served, serve, serve_array, serve_again, serve_no_more};
    vbt_python.get_allocator = get_allocator;
    vbt_python.set_allocator = set_allocator;
    vbt_options.objects = true;
    int64_t *objects = &vbt_line_thread(thread)->objects;
    *objects = served = 0;
    vbt_line_objects_start();
    assert_int_equal(vbt_line_objects, VBT_OBJECTS_SERVED);
    assert_ptr_equal(vbt_line_objects_on_event, vbt_line_free_lists_empty);
    assert_false(vbt_line_fast_enabled); /* each event has to empty them */
    assert_ptr_equal(allocator.malloc(allocator.context, 24), 24);
    assert_ptr_equal(allocator.calloc(allocator.context, 3, 8), 24);
    assert_int_equal(*objects, 2);
    assert_ptr_equal(allocator.realloc(allocator.context, objects, 8), objects); /* no new object */
    allocator.free(allocator.context, objects);
    assert_int_equal(*objects, 2);
    assert_int_equal(served, 4);
    thread->stack.override.node = 1; /* vbtrace's own doing */
    allocator.malloc(allocator.context, 24);
    thread->stack.override.node = 0;
    vbt_self = NULL; /* a thread that is not known yet */
    allocator.malloc(allocator.context, 24);
    vbt_self = thread;
    assert_int_equal(*objects, 2);
    struct vbt_py_allocator counting = allocator;
    vbt_line_objects_end();
    begin_interpreter();
    vbt_line_objects_start(); /* of the next interpreter, where the allocator has outlived the first */
    assert_memory_equal(&allocator, &counting, sizeof counting);
    assert_ptr_equal(vbt_line_objects_on_event, vbt_line_free_lists_empty);
    vbt_line_objects_end();
    assert_null(vbt_line_objects_on_event);
    vbt_options.objects = false;
    vbt_line_objects = VBT_OBJECTS_NONE;
    vbt_line_fast_enabled = vbt_line_clock_is_tsc;
}

static void an_interpreter_without_them_is_left_alone(void **state) {
    (void)state;
    clear_lists();
    memset(interpreter, 0, WORDS * sizeof *interpreter);
    has_lists = false;
    assert_false(vbt_line_free_lists_find());
    assert_int_equal(made, freed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lists_are_found_and_work_as_before),
        TEST(all_that_is_in_them_is_freed),
        TEST(chains_stay_off),
        TEST(lists_of_tuples_begin_with_their_smallest_size),
        TEST(arrays_fill_until_they_are_emptied),
        TEST(chains_are_switched_off_again_after_a_collection),
        TEST(what_only_looks_like_a_list_is_passed_over),
        TEST(each_object_that_is_served_is_counted),
        TEST(an_interpreter_without_them_is_left_alone),
    };
    world_init();
    interpreter = calloc(WORDS, sizeof *interpreter);
    vbt_tree.line_node = world_node(0, "[line events]", VBT_DOMAIN_PYTHON);
    vbt_line_books_init();
    int failed = 0;
    for (minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++)
        if (vbt_cpython_known(minor)->object_events == VBT_OBJECT_EVENTS_FREE_LISTS) {
            print_message("3.%d\n", minor);
            failed += cmocka_run_group_tests(tests, NULL, NULL);
        }
    free(interpreter);
    return failed;
}
