/* See python_code.h.
 *
 * Addresses are only borrowed: a code object dies, and its block is given to another one. So what
 * is keyed by address (vbt_python_sites, live_ids) is dropped when the block is freed, while what
 * is keyed by content (codes and sites of the tree) stays for good. The block's shadow cell carries
 * a mark that makes the ledger call block_freed. All functions but the lookup take the tree's
 * lock. */
#include "python_code.h"

#include "preload/ledger/shadow.h"
#include "format/user_file.h"
#include "python.h"
#include "python_lines.h"
#include "python_stack.h"
#include "python_walk.h"
#include "preload/shared/base_name.h"
#include "preload/shared/options.h"
#include "preload/shared/patterns.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { TEXT_MAX = 4096, LINE_TABLE_MAX = 1 << 24 };

/* Where it is not known how many lines code has: as many as long functions have. Records that are
 * not used take no memory. */
enum { COMPILED_LINES = 512 };

uint32_t vbt_transparent_site;
struct vbt_table vbt_python_sites;

/* A code object that is alive, and the keys made from its address. */
struct live_code {
    uintptr_t address;
    uint32_t code; /* 0: not Python code, or the interpreter's shim */
    uint32_t first_key;
    struct vbt_line_cursor lines;
};

struct site_key {
    uintptr_t key;
    uint32_t key2;
    uint32_t next;
};

/* Free items are chained through their last member and used again. */
static struct vbt_vector live_codes;
static struct vbt_vector site_keys;
static uint32_t free_live_code, free_site_key;
static struct vbt_table live_ids;
static uint32_t own_file;
static size_t own_folder; /* bytes of its path, with the slash, that all of vbtrace's own files share; 0: only that one is */

static struct live_code *live_at(uint32_t id) { return vbt_vector_at(&live_codes, id); }
static struct site_key *key_at(uint32_t id) { return vbt_vector_at(&site_keys, id); }

/* A watched block is about to be freed. If it is a code object's, everything known by its addresses
 * is forgotten (ids stay); else it is a thread state's. */
static void block_freed(uintptr_t block) {
    bool is_code = false;
    vbt_lock(&vbt_tree_lock);
    for (uintptr_t address = block; address <= block + 32; address += 16) {
        uint32_t id = vbt_table_get(&live_ids, address, 0);
        if (id == 0)
            continue;
        struct live_code *live = live_at(id);
        for (uint32_t key = live->first_key; key != 0;) {
            struct site_key *gone = key_at(key);
            uint32_t next = gone->next;
            vbt_table_remove(&vbt_python_sites, gone->key, gone->key2);
            gone->next = free_site_key;
            free_site_key = key;
            key = next;
        }
        vbt_table_remove(&live_ids, address, 0);
        live->first_key = free_live_code;
        free_live_code = id;
        is_code = true;
        break;
    }
    atomic_fetch_add_explicit(&vbt_python_generations, is_code ? VBT_PYTHON_CODE_DIED : VBT_PYTHON_STATE_DIED,
                              memory_order_release);
    vbt_unlock(&vbt_tree_lock);
}

bool vbt_python_code_init(void) {
    vbt_watched_block_freed = block_freed;
    vbt_transparent_site = vbt_intern_special_site("[interpreter]");
    return vbt_transparent_site != 0;
}

static uint32_t take(struct vbt_vector *vector, size_t item_size, uint32_t *free_list, uint32_t next) {
    if (*free_list != 0) {
        uint32_t id = *free_list;
        *free_list = next;
        return id;
    }
    if (vector->count == 0)
        vbt_vector_add(vector, item_size);
    return vbt_vector_add(vector, item_size);
}

size_t vbt_python_text(const char *string, char *out, size_t size) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    out[0] = '?';
    if (string == NULL || vbt_load_pointer(string, abi->object_type) != vbt_python.unicode_type)
        return 1;
    size_t length = vbt_load_word(string, abi->string_length);
    uint32_t state = (uint32_t)vbt_load_int(string, abi->string_state) >> abi->kind_shift;
    uint32_t kind = state & 7;
    bool compact = state & 8;
    bool ascii = state & 16;
    if (!compact || (kind != 1 && kind != 2 && kind != 4))
        return 1;
    const char *data = string + (ascii ? abi->ascii_data : abi->compact_data);
    size_t used = 0;
    for (size_t i = 0; i < length && used + 4 <= size; i++) {
        uint32_t c = kind == 1 ? ((const uint8_t *)data)[i] : kind == 2 ? ((const uint16_t *)data)[i] : ((const uint32_t *)data)[i];
        if (c < 0x80) {
            out[used++] = (char)c;
        } else if (c < 0x800) {
            out[used++] = (char)(0xC0 | c >> 6);
            out[used++] = (char)(0x80 | (c & 63));
        } else if (c < 0x10000) {
            out[used++] = (char)(0xE0 | c >> 12);
            out[used++] = (char)(0x80 | (c >> 6 & 63));
            out[used++] = (char)(0x80 | (c & 63));
        } else {
            out[used++] = (char)(0xF0 | c >> 18);
            out[used++] = (char)(0x80 | (c >> 12 & 63));
            out[used++] = (char)(0x80 | (c >> 6 & 63));
            out[used++] = (char)(0x80 | (c & 63));
        }
    }
    return used;
}

static bool is_code(const char *object) {
    return object != NULL && ((uintptr_t)object & 7) == 0 &&
           vbt_load_pointer(object, vbt_python.abi.object_type) == vbt_python.code_type;
}

static const uint8_t *line_table(const char *code, size_t *size) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *bytes = vbt_load_pointer(code, abi->code_lines);
    *size = 0;
    if (bytes == NULL || vbt_load_pointer(bytes, abi->object_type) != vbt_python.bytes_type)
        return NULL;
    *size = vbt_load_word(bytes, abi->var_size);
    if (*size > LINE_TABLE_MAX)
        *size = 0;
    return (const uint8_t *)bytes + abi->bytes_data;
}

static int32_t line_of(const char *code, int32_t lasti, struct vbt_line_cursor *cursor) {
    size_t size;
    const uint8_t *table = line_table(code, &size);
    int32_t first_line = vbt_load_int(code, vbt_python.abi.code_first_line);
    return vbt_python_line(vbt_python.abi.lines, table, size, first_line, lasti, cursor);
}

/* The interpreter's _Py_InitCleanup, which appears as a frame from 3.12 on. */
static bool is_shim(const char *file, size_t file_size, const char *name, size_t name_size) {
    static const char init[] = "__init__";
    const size_t size = sizeof init - 1;
    return file_size == size && name_size == size && memcmp(file, init, size) == 0 && memcmp(name, init, size) == 0;
}

static bool is_users(const char *file) {
    bool wants;
    int named = vbt_options.user[0] != '\0' ? vbt_patterns_name(vbt_options.user, file, &wants) : 0;
    return named != 0 ? named > 0 : vbt_is_user_file(file);
}

static const char *code_of_frame(const char *frame) {
    return (const char *)(vbt_load_word(frame, vbt_python.abi.frame_code) & ~(uintptr_t)7);
}

/* The frame that called a frame, or NULL for that which runs now, with the GIL, which may be about
 * to run the code. */
static const char *caller_of(const char *frame, const char *code) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (frame != NULL)
        return previous(frame, abi);
    const char *state = vbt_python.current_thread();
    frame = state != NULL ? top_frame(state, abi) : NULL;
    return frame != NULL && code_of_frame(frame) == code ? previous(frame, abi) : frame;
}

/* Code that was made from text without a name: what exec and eval compile, and python -c. */
static bool is_of_text(const char *file) { return strcmp(file, "<string>") == 0; }

/* Such code belongs to the nearest file that ran it: is that the user's? Without one, the user
 * typed it in. */
static bool is_run_by_user(const char *frame, const char *code) {
    static char file[TEXT_MAX]; /* used under the lock */
    const struct vbt_python_abi *abi = &vbt_python.abi;
    for (frame = caller_of(frame, code); frame != NULL; frame = previous(frame, abi)) {
        const char *caller = is_entry(frame, abi) ? NULL : code_of_frame(frame);
        if (!is_code(caller))
            continue;
        file[vbt_python_text(vbt_load_pointer(caller, abi->code_filename), file, sizeof file - 1)] = '\0';
        uint32_t known = is_of_text(file) ? vbt_table_get(&live_ids, (uintptr_t)caller, 0) : 0;
        if (known != 0 && live_at(known)->code != 0)
            return (vbt_code_at(live_at(known)->code)->flags & VBT_CODE_USER) != 0;
        bool is_file = file[0] != '<' || strncmp(file, "<frozen", strlen("<frozen")) == 0;
        if (!is_of_text(file) && (is_file || is_users(file)))
            return is_users(file);
    }
    return true;
}

static bool is_own_file(const char *file, uint32_t id) {
    return own_file != 0 && (id == own_file || (own_folder > 0 && strncmp(file, vbt_string_at(own_file)->bytes, own_folder) == 0));
}

/* Whose code of text is. */
enum owner { BY_CALLER, THE_USERS, A_LIBRARYS };

/* frame: of this code; NULL if none is known. owner: BY_CALLER, or that of the code around it. */
static uint32_t intern_code(const char *code, const char *frame, enum owner owner) {
    static char file[TEXT_MAX], name[TEXT_MAX]; /* used under the lock; too large for the program's stacks */
    const struct vbt_python_abi *abi = &vbt_python.abi;
    size_t file_size = vbt_python_text(vbt_load_pointer(code, abi->code_filename), file, sizeof file - 1);
    size_t name_size = vbt_python_text(vbt_load_pointer(code, abi->code_qualname), name, sizeof name - 1);
    if (is_shim(file, file_size, name, name_size))
        return 0;
    file[file_size] = name[name_size] = '\0';
    size_t table_size;
    const uint8_t *table = line_table(code, &table_size);
    uint32_t first_line = (uint32_t)vbt_load_int(code, abi->code_first_line);
    uint32_t file_id = vbt_intern_string(file, file_size);
    uint32_t name_id = vbt_intern_string(name, name_size);
    if (owner == BY_CALLER && strcmp(name, "<module>") == 0 && is_of_text(file) && !is_run_by_user(frame, code))
        owner = A_LIBRARYS;
    bool is_librarys = owner == A_LIBRARYS && is_of_text(file);
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    uint32_t head[] = {file_id, name_id, first_line, is_librarys};
    XXH3_64bits_update(&state, head, sizeof head);
    XXH3_64bits_update(&state, table, table_size);
    bool is_own = is_own_file(file, file_id) || strcmp(file, VBT_OWN_CODE) == 0;
    uint32_t flags = is_own ? VBT_CODE_OWN : !is_librarys && is_users(file) ? VBT_CODE_USER : 0;
    return vbt_intern_code(XXH3_64bits_digest(&state), file_id, name_id, first_line, flags);
}

/* Marks the block that holds the object, so that its free is noticed. The object may start after a
 * header of the allocator's caller. A block that was allocated while nothing was recorded gets a
 * cell that holds the mark alone. */
static void mark_block(uintptr_t address) {
    vbt_cell *cell;
    for (uintptr_t block = address; block + 32 >= address; block -= 16) {
        cell = vbt_shadow_find((const void *)block);
        uint64_t now = cell != NULL ? atomic_load_explicit(cell, memory_order_relaxed) : 0;
        if (now != 0 && (now & VBT_CELL_HUGE || block + vbt_cell_size(now) > address)) {
            atomic_fetch_or_explicit(cell, VBT_CELL_WATCHED, memory_order_relaxed);
            return;
        }
    }
    if ((cell = vbt_shadow_place((const void *)address, 0)) != NULL)
        atomic_store_explicit(cell, VBT_CELL_WATCHED | vbt_cell_at((const void *)address), memory_order_relaxed);
}

static bool is_text(const struct live_code *live) {
    static const char text[] = "<string>";
    const struct vbt_code *known = live->code != 0 ? vbt_code_at(live->code) : NULL;
    const struct vbt_string *file = known != NULL ? vbt_string_at(known->file) : NULL;
    return file != NULL && file->size == sizeof text - 1 && memcmp(file->bytes, text, file->size) == 0;
}

/* frame, owner: as for intern_code. Other code may call the functions in code of text later, when
 * it is no longer known who ran that. */
static struct live_code *live_code_of(const char *code, const char *frame, enum owner owner, int level) {
    uint32_t id = vbt_table_get(&live_ids, (uintptr_t)code, 0);
    if (id != 0)
        return live_at(id);
    id = take(&live_codes, sizeof(struct live_code), &free_live_code, free_live_code != 0 ? live_at(free_live_code)->first_key : 0);
    if (id == 0 || !vbt_table_put(&live_ids, (uintptr_t)code, 0, id))
        return NULL;
    *live_at(id) = (struct live_code){.address = (uintptr_t)code, .code = intern_code(code, frame, owner)};
    mark_block((uintptr_t)code);
    size_t at = 0;
    if (level < VBT_PYTHON_NESTED && is_text(live_at(id))) {
        owner = vbt_code_at(live_at(id)->code)->flags != 0 ? THE_USERS : A_LIBRARYS;
        for (const char *inner; (inner = vbt_python_inner_code(code, &at)) != NULL;)
            live_code_of(inner, NULL, owner, level + 1);
    }
    return live_at(id);
}

int32_t vbt_python_lasti(const char *frame, const char *code, uintptr_t key, uint32_t key2) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (abi->kind == VBT_FRAME_OBJECT)
        return ((int32_t)key2 - 1) * abi->lasti_unit;
    uintptr_t start = (uintptr_t)code + (uintptr_t)abi->code_start;
    if (abi->code_tlbc != 0) { /* each thread runs a copy of the bytecode: the frame says which */
        const uintptr_t *copies = vbt_load_pointer(code, abi->code_tlbc);
        uintptr_t index = (uint32_t)vbt_load_int(frame, abi->frame_tlbc);
        if (copies != NULL && index < copies[0])
            start = copies[1 + index];
    }
    intptr_t offset = (intptr_t)key - (intptr_t)start;
    return offset == (int32_t)offset ? (int32_t)offset : -1; /* not an instruction of this code */
}

/* The file of a code object that is new, if it is the user's own and was not seen before; else 0.
 * Needs the tree's lock. */
static uint32_t new_file(uint32_t code) {
    static struct vbt_table seen;
    const struct vbt_code *found = code != 0 ? vbt_code_at(code) : NULL;
    if (found == NULL || (found->flags & VBT_CODE_USER) == 0 || vbt_table_get(&seen, found->file, 0) != 0)
        return 0;
    return vbt_table_put(&seen, found->file, 0, 1) ? found->file : 0;
}

uint32_t vbt_python_new_site(const char *frame, uintptr_t key, uint32_t key2) {
    const char *code = code_of_frame(frame);
    if (key <= 1 || !is_code(code))
        return vbt_transparent_site;
    if (vbt_python_others.code_seen != NULL)
        vbt_python_others.code_seen();
    uint32_t site = 0, file = 0;
    vbt_lock(&vbt_tree_lock);
    struct live_code *live = live_code_of(code, frame, BY_CALLER, 0);
    if (vbt_python_file_seen != NULL && live != NULL)
        file = new_file(live->code);
    if (live != NULL && (site = vbt_table_get(&vbt_python_sites, key, key2)) == 0) {
        site = live->code == 0
                   ? vbt_transparent_site
                   : vbt_intern_python_site(live->code, line_of(code, vbt_python_lasti(frame, code, key, key2), &live->lines));
        uint32_t id = site == 0 ? 0
                                : take(&site_keys, sizeof(struct site_key), &free_site_key,
                                       free_site_key != 0 ? key_at(free_site_key)->next : 0);
        if (id != 0 && vbt_table_put(&vbt_python_sites, key, key2, site)) {
            *key_at(id) = (struct site_key){key, key2, live->first_key};
            live->first_key = id;
        }
    }
    vbt_unlock(&vbt_tree_lock);
    if (file != 0)
        vbt_python_file_seen(file);
    return site != 0 ? site : vbt_transparent_site;
}

/* Cython makes code objects for the functions that it has compiled, and reports their lines; there
 * is no table of these. Up to 3.9, that of a function in a single line is empty, too. */
static bool is_compiled(const char *code) {
    const char *bytes = vbt_load_pointer(code, vbt_python.known->trace.code_bytes);
    return vbt_python.abi.lines != VBT_LINES_LNOTAB || (bytes != NULL && vbt_load_word(bytes, vbt_python.abi.var_size) == 0);
}

uint32_t vbt_python_code_of(const char *code, int32_t *smallest, int32_t *largest) {
    const struct live_code *live = is_code(code) ? live_code_of(code, NULL, BY_CALLER, 0) : NULL;
    if (live == NULL || live->code == 0)
        return 0;
    size_t size;
    const uint8_t *table = line_table(code, &size);
    int32_t first_line = vbt_load_int(code, vbt_python.abi.code_first_line);
    vbt_python_line_span(vbt_python.abi.lines, table, size, first_line, smallest, largest);
    if (size == 0 && is_compiled(code))
        *largest = *smallest + COMPILED_LINES - 1;
    return live->code;
}

const char *vbt_python_inner_code(const char *code, size_t *at) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *constants = vbt_load_pointer(code, abi->code_constants);
    if (constants == NULL || vbt_load_pointer(constants, abi->object_type) != vbt_python.tuple_type)
        return NULL;
    while (*at < vbt_load_word(constants, abi->var_size)) {
        const char *constant = vbt_load_pointer(constants + sizeof constant * (*at)++, abi->tuple_items);
        if (is_code(constant))
            return constant;
    }
    return NULL;
}

int32_t vbt_python_line_at(const char *code, int32_t lasti) {
    struct vbt_line_cursor cursor = {0, 0, 0};
    return line_of(code, lasti, &cursor);
}

bool vbt_python_own_file(const char *path) {
    vbt_lock(&vbt_tree_lock);
    bool is_first = own_file == 0;
    const char *name = vbt_base_name(path);
    own_folder = strcmp(name, "__init__.py") == 0 ? (size_t)(name - path) : 0;
    own_file = vbt_intern_string(path, strlen(path));
    if (own_file != 0)
        vbt_tree_disown(own_file); /* the module has already run up to this call */
    vbt_unlock(&vbt_tree_lock);
    return is_first && own_file != 0;
}

bool vbt_python_describe(const char *code, int32_t lasti, char *file, char *name, size_t size, int32_t *first_line, int32_t *line) {
    if (!is_code(code))
        return false;
    file[vbt_python_text(vbt_load_pointer(code, vbt_python.abi.code_filename), file, size - 1)] = '\0';
    name[vbt_python_text(vbt_load_pointer(code, vbt_python.abi.code_qualname), name, size - 1)] = '\0';
    *first_line = vbt_load_int(code, vbt_python.abi.code_first_line);
    struct vbt_line_cursor cursor = {0, 0, 0};
    *line = line_of(code, lasti, &cursor);
    return true;
}
