/* See line_sources.h. */
#include "line_sources.h"

#include "line_follow.h"
#include "preload/ledger/shadow.h"
#include "preload/python/python_code.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files, and bytes of the text of all: they are written in one chunk, with much else. */
enum { MOST = 1024, ROOM = 512 * 1024, NAME = 256 };

static const char *texts[MOST];
static _Atomic uint32_t count;
static size_t used;

static struct {
    void *(*get_modules)(void);                     /* borrowed */
    void *(*get_item)(void *dict, const char *key); /* borrowed */
    void *(*get_attribute)(void *, const char *);
    void *(*error_occurred)(void);
    void (*clear_error)(void);
    void (*decref)(void *);
    const void *list_type;
} api;

static const void *interpreter; /* whose linecache is read; NULL: none */

static bool find_api(void) {
    static const struct {
        const char *name;
        void *place;
    } wanted[] = {
        {"PyImport_GetModuleDict", &api.get_modules},
        {"PyDict_GetItemString", &api.get_item},
        {"PyObject_GetAttrString", &api.get_attribute},
        {"PyErr_Occurred", &api.error_occurred},
        {"PyErr_Clear", &api.clear_error},
        {"Py_DecRef", &api.decref},
        {"PyList_Type", &api.list_type},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if ((*(void **)wanted[i].place = dlsym(vbt_python.library, wanted[i].name)) == NULL)
            return false;
    return true;
}

void vbt_line_sources_begin(void) { interpreter = find_api() ? vbt_python_interpreter() : NULL; }

static bool is_of(const void *object, const void *type) {
    return object != NULL && vbt_load_pointer(object, vbt_python.abi.object_type) == type;
}

static const char *list_item(const char *list, size_t index) {
    const char *const *items = vbt_load_pointer(list, vbt_python.abi.var_size + (int)sizeof(void *));
    return items[index];
}

/* An attribute that something else keeps alive; NULL: there is none. */
static void *attribute(void *object, const char *name) {
    void *found = object != NULL ? api.get_attribute(object, name) : NULL;
    if (found != NULL)
        api.decref(found);
    else
        api.clear_error();
    return found;
}

static void *module(const char *name) { return api.get_item(api.get_modules(), name); }

/* The list of lines in linecache.cache, whose entries are (size, time, lines, name); borrowed. */
static const char *lines_of(const char *file) {
    enum { LINES = 2, ITEMS = 4 };
    const struct vbt_python_abi *abi = &vbt_python.abi;
    void *cache = attribute(module("linecache"), "cache");
    const void *entry = cache != NULL ? api.get_item(cache, file) : NULL;
    api.clear_error();
    if (!is_of(entry, vbt_python.tuple_type) || vbt_load_word(entry, abi->var_size) != ITEMS)
        return NULL;
    const char *lines = vbt_load_pointer(entry, abi->tuple_items + LINES * (int)sizeof(void *));
    return is_of(lines, api.list_type) ? lines : NULL;
}

/* The text of "<doctest NAME[NUMBER]>", borrowed: doctest replaces linecache.getlines by a method
 * of what runs its examples. */
static const char *example_of(const char *file) {
    static const char start[] = "<doctest ";
    const char *number = strrchr(file, '[');
    if (strncmp(file, start, sizeof start - 1) != 0 || number == NULL)
        return NULL;
    char name[NAME];
    void *test = attribute(attribute(attribute(module("linecache"), "getlines"), "__self__"), "test");
    const char *text = attribute(test, "name"), *examples = attribute(test, "examples");
    if (text == NULL || !is_of(examples, api.list_type))
        return NULL;
    size_t size = (size_t)(number - file) - (sizeof start - 1), index = strtoul(number + 1, NULL, 10);
    if (vbt_python_text(text, name, sizeof name) != size || memcmp(name, file + sizeof start - 1, size) != 0 ||
        index >= vbt_load_word(examples, vbt_python.abi.var_size))
        return NULL;
    return attribute((void *)list_item(examples, index), "source");
}

/* Appends the lines to a text of `size` bytes, as far as there is room for whole ones. */
static size_t append_lines(char *text, size_t size, size_t room, const char *lines) {
    size_t number = vbt_load_word(lines, vbt_python.abi.var_size);
    for (size_t i = 0; i < number; i++) {
        enum { SPARE = 16 }; /* for a character, and the ends of the line and the text */
        if (size + SPARE >= room)
            break;
        size_t more = vbt_python_text(list_item(lines, i), text + size, room - size - SPARE / 2);
        if (size + more + SPARE >= room)
            break;
        size += more;
        if (text[size - 1] != '\n')
            text[size++] = '\n';
    }
    text[size] = '\0';
    return size;
}

static bool is_kept(const char *file, size_t size) {
    for (uint32_t i = 0; i < atomic_load(&count); i++)
        if (strncmp(texts[i], file, size) == 0 && texts[i][size] == '\n')
            return true;
    return false;
}

/* What the interpreter was given on standard input, if that is a file: its position stays. */
static size_t append_input(char *text, size_t size, size_t room) {
    struct stat status;
    if (vbt_sys(SYS_fstat, STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return size;
    ssize_t got = vbt_sys(SYS_pread64, STDIN_FILENO, text + size, room - size - 1, 0);
    size += got > 0 ? strnlen(text + size, (size_t)got) : 0;
    text[size] = '\0';
    return size;
}

/* Where a text comes from: one of them, or standard input. */
struct origin {
    const char *lines, *example;
};

/* Needs the tree's lock, which guards what is used here. */
static void keep_text(const char *file, size_t size, const struct origin *origin) {
    static char room[ROOM];
    uint32_t number = atomic_load(&count);
    if (number == MOST || is_kept(file, size) || used + size + NAME > ROOM)
        return;
    memcpy(room, file, size);
    room[size] = '\n';
    size_t start = size + 1, whole = start;
    if (origin->lines != NULL)
        whole = append_lines(room, start, ROOM - used, origin->lines);
    else if (origin->example != NULL)
        room[whole += vbt_python_text(origin->example, room + start, ROOM - used - start - 1)] = '\0';
    else
        whole = append_input(room, start, ROOM - used);
    char *kept = whole > start ? vbt_arena_alloc(&vbt_tree.arena, whole + 1) : NULL;
    if (kept == NULL)
        return;
    memcpy(kept, room, whole + 1);
    used += whole + 1;
    texts[number] = kept;
    atomic_store(&count, number + 1); /* the helper reads up to here */
}

static void keep(const char *file, size_t size) {
    struct origin origin = {lines_of(file), NULL};
    if (origin.lines == NULL)
        origin.example = example_of(file);
    if (origin.lines == NULL && origin.example == NULL && strcmp(file, "<stdin>") != 0)
        return;
    vbt_lock(&vbt_tree_lock);
    keep_text(file, size, &origin);
    vbt_unlock(&vbt_tree_lock);
}

/* A cell of a notebook is a file of a folder that does not exist. */
static bool is_cell(const char *name, size_t size) {
    static const char folder[] = "/ipykernel_";
    return memmem(name, size, folder, sizeof folder - 1) != NULL;
}

bool vbt_line_sources_may_have(uint32_t file) {
    static const char every_texts[] = "<string>";
    const struct vbt_string *name = vbt_string_at(file);
    if (name->size == 0 || name->size >= NAME ||
        (name->size == sizeof every_texts - 1 && memcmp(name->bytes, every_texts, name->size) == 0))
        return false;
    return name->bytes[0] == '<' || is_cell(name->bytes, name->size);
}

void vbt_line_sources_keep(struct vbt_thread *thread, uint32_t file) {
    const struct vbt_string *name = vbt_string_at(file);
    struct vbt_line_thread *lines = thread->lines;
    char text[NAME];
    if (interpreter == NULL || !vbt_line_sources_may_have(file) || is_kept(name->bytes, name->size) ||
        vbt_python_interpreter() != interpreter || api.error_occurred() != NULL)
        return;
    memcpy(text, name->bytes, name->size);
    text[name->size] = '\0';
    if (thread->stack.override.node != 0) { /* it is vbtrace's own work already */
        keep(text, name->size);
        return;
    }
    const void *last = thread->ledger.last_block, *recent[sizeof lines->recent / sizeof *lines->recent];
    if (lines != NULL)
        memcpy(recent, lines->recent, sizeof recent);
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    keep(text, name->size);
    vbt_line_own_work_end(thread, &begun);
    if (lines != NULL)
        memcpy(lines->recent, recent, sizeof recent);
    thread->ledger.last_block = vbt_shadow_holds(last) ? last : NULL;
}

const char *vbt_line_source_at(uint32_t number) { return number < atomic_load(&count) ? texts[number] : NULL; }
