/* See line_sources.h. */
#include "line_sources.h"

#include "line_follow.h"
#include "line_mode.h"
#include "preload/ledger/shadow.h"
#include "preload/python/python_code.h"

#include <dlfcn.h>
#include <string.h>

/* Files, and bytes of the text of all: they are written in one chunk, with much else. */
enum { MOST = 1024, ROOM = 512 * 1024, NAME = 256 };

static const char *texts[MOST];
static _Atomic uint32_t count;
static size_t used;

static const void *list_type;
static void *modules;           /* sys.modules, borrowed */
static const void *interpreter; /* whose they are */

void vbt_line_sources_begin(void *sys) {
    list_type = dlsym(vbt_python.library, "PyList_Type");
    interpreter = vbt_python_interpreter();
    modules = vbt_line_api.get_attribute(sys, "modules");
    if (modules != NULL)
        vbt_line_api.decref(modules); /* the interpreter keeps it */
    vbt_line_api.clear_error();
}

void vbt_line_sources_end(void) { modules = NULL; }

static bool is_of(const void *object, const void *type) {
    return object != NULL && vbt_load_pointer(object, vbt_python.abi.object_type) == type;
}

/* The list of lines in linecache.cache, whose entries are (size, time, lines, name); borrowed. */
static const char *lines_of(const char *file) {
    enum { LINES = 2, ITEMS = 4 };
    const struct vbt_python_abi *abi = &vbt_python.abi;
    void *linecache = vbt_line_api.get_item(modules, "linecache");
    void *cache = linecache != NULL ? vbt_line_api.get_attribute(linecache, "cache") : NULL;
    const void *entry = cache != NULL ? vbt_line_api.get_item(cache, file) : NULL;
    if (cache != NULL)
        vbt_line_api.decref(cache);
    vbt_line_api.clear_error();
    if (!is_of(entry, vbt_python.tuple_type) || vbt_load_word(entry, abi->var_size) != ITEMS)
        return NULL;
    const char *lines = vbt_load_pointer(entry, abi->tuple_items + LINES * (int)sizeof(void *));
    return is_of(lines, list_type) ? lines : NULL;
}

/* Appends the lines to a text of `size` bytes, as far as there is room for whole ones. */
static size_t append_lines(char *text, size_t size, size_t room, const char *lines) {
    size_t number = vbt_load_word(lines, vbt_python.abi.var_size);
    const char *const *items = vbt_load_pointer(lines, vbt_python.abi.var_size + (int)sizeof(void *));
    for (size_t i = 0; i < number; i++) {
        enum { SPARE = 16 }; /* for a character, and the ends of the line and the text */
        if (size + SPARE >= room)
            break;
        size_t more = vbt_python_text(items[i], text + size, room - size - SPARE / 2);
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

/* Needs the tree's lock, which guards what is used here. */
static void keep_lines(const char *file, size_t size, const char *lines) {
    static char room[ROOM];
    uint32_t number = atomic_load(&count);
    if (number == MOST || is_kept(file, size) || used + size + NAME > ROOM)
        return;
    memcpy(room, file, size);
    room[size] = '\n';
    size_t whole = append_lines(room, size + 1, ROOM - used, lines) + 1;
    char *kept = vbt_arena_alloc(&vbt_tree.arena, whole);
    if (kept == NULL)
        return;
    memcpy(kept, room, whole);
    used += whole;
    texts[number] = kept;
    atomic_store(&count, number + 1); /* the helper reads up to here */
}

static void keep(const char *file, size_t size) {
    const char *lines = lines_of(file);
    if (lines == NULL)
        return;
    vbt_lock(&vbt_tree_lock);
    keep_lines(file, size, lines);
    vbt_unlock(&vbt_tree_lock);
}

void vbt_line_sources_keep(struct vbt_thread *thread, uint32_t file) {
    const struct vbt_string *name = vbt_string_at(file);
    struct vbt_line_thread *lines = thread->lines;
    char text[NAME];
    if (modules == NULL || lines == NULL || name->size == 0 || name->size >= NAME || name->bytes[0] != '<' ||
        is_kept(name->bytes, name->size) || vbt_python_interpreter() != interpreter || vbt_line_api.error_occurred() != NULL)
        return;
    memcpy(text, name->bytes, name->size);
    text[name->size] = '\0';
    if (thread->stack.override.node != 0) { /* it is vbtrace's own work already */
        keep(text, name->size);
        return;
    }
    const void *last = thread->ledger.last_block, *recent[sizeof lines->recent / sizeof *lines->recent];
    memcpy(recent, lines->recent, sizeof recent);
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    keep(text, name->size);
    vbt_line_own_work_end(thread, &begun);
    memcpy(lines->recent, recent, sizeof recent);
    thread->ledger.last_block = vbt_shadow_holds(last) ? last : NULL;
}

const char *vbt_line_source_at(uint32_t number) { return number < atomic_load(&count) ? texts[number] : NULL; }
