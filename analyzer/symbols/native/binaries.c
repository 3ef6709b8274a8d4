/* See binaries.h. */
#include "analyzer/base/hash.h"

#include "binaries.h"

#include "demangle.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_IN_ADDRESS = 255 };

struct owned_name {
    char *text;
    struct owned_name *next;
};

struct asked_address {
    struct {
        uint64_t address; /* linked, or the offset in the file if no segment holds it */
        uint64_t is_offset;
    } key;
    struct vbt_symbol *symbols;
    size_t count;
    UT_hash_handle hh;
};

struct vbt_known_binary {
    char *key; /* the build id's size, the build id, the path */
    size_t key_size;
    struct vbt_binary binary;
    bool opened;
    struct asked_address *addresses;
    struct owned_name *names;
    UT_hash_handle hh;
};

struct vbt_binaries {
    struct vbt_known_binary *table;
};

struct vbt_binaries *vbt_binaries_new(void) {
    return vbt_new(1, sizeof(struct vbt_binaries));
}

static void free_binary(struct vbt_known_binary *known) {
    struct asked_address *address, *next;
    HASH_ITER(hh, known->addresses, address, next) {
        HASH_DEL(known->addresses, address);
        free(address->symbols);
        free(address);
    }
    while (known->names != NULL) {
        struct owned_name *later = known->names->next;
        free(known->names->text);
        free(known->names);
        known->names = later;
    }
    if (known->opened)
        vbt_binary_close(&known->binary);
    free(known->key);
    free(known);
}

void vbt_binaries_free(struct vbt_binaries *binaries) {
    if (binaries == NULL)
        return;
    struct vbt_known_binary *known, *next;
    HASH_ITER(hh, binaries->table, known, next) {
        HASH_DEL(binaries->table, known);
        free_binary(known);
    }
    free(binaries);
}

struct vbt_known_binary *vbt_binaries_get(struct vbt_binaries *binaries, const struct vbt_model_module *module) {
    size_t length = strlen(module->path), size = 1 + module->build_id_size + length;
    char *key = vbt_new(size, 1);
    key[0] = (char)module->build_id_size;
    memcpy(key + 1, module->build_id, module->build_id_size);
    memcpy(key + 1 + module->build_id_size, module->path, length);
    struct vbt_known_binary *known;
    HASH_FIND(hh, binaries->table, key, size, known);
    if (known != NULL) {
        free(key);
        return known;
    }
    known = vbt_new(1, sizeof *known);
    known->key = key;
    known->key_size = size;
    HASH_ADD_KEYPTR(hh, binaries->table, known->key, known->key_size, known);
    return known;
}

bool vbt_known_binary_is_open(const struct vbt_known_binary *known) { return known->opened; }

enum vbt_binary_state vbt_known_binary_state(const struct vbt_known_binary *known, int64_t started_ns) {
    const struct vbt_binary *binary = &known->binary;
    bool newer = binary->changed_ns > 0 && started_ns > 0 && binary->changed_ns > started_ns;
    return binary->state == VBT_BINARY_SAME && newer ? VBT_BINARY_NEWER : binary->state;
}

enum vbt_inlines_trouble vbt_known_binary_trouble(const struct vbt_known_binary *known) {
    return vbt_inlines_trouble(known->binary.inlines);
}

static const char *own(struct vbt_known_binary *known, char *text) {
    struct owned_name *name = vbt_new(1, sizeof *name);
    *name = (struct owned_name){.text = text, .next = known->names};
    known->names = name;
    return text;
}

/* Removes "." and, from a relative path, "folder/..". In a real folder, where ".." leads depends on
 * links. */
static char *tidy_path(char *path) {
    bool relative = path[0] != '/';
    char *to = path;
    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/"), whole = length + (at[length] == '/');
        bool here = (length == 1 && at[0] == '.') || (length == 0 && at > path);
        bool up = relative && length == 2 && at[0] == '.' && at[1] == '.' && to > path && to[-1] == '/';
        if (up) {
            char *last = to - 1;
            while (last > path && last[-1] != '/')
                last--;
            up = strncmp(last, "../", 3) != 0;
            to = up ? last : to;
        }
        if (!here && !up) {
            memmove(to, at, whole);
            to += whole;
        }
        at += whole;
    }
    *to = '\0';
    return path;
}

/* A file's full name; or, if it was built under a made-up root called "." (Debian's libc), its name
 * in the source package. */
static const char *full_path(struct vbt_known_binary *known, const char *folder, const char *file) {
    if (file == NULL || strlen(file) >= PATH_MAX || (folder != NULL && strlen(folder) >= PATH_MAX))
        return NULL;
    bool whole = file[0] == '/' || folder == NULL || (strncmp(folder, "./", 2) == 0 && strncmp(file, "./", 2) == 0);
    return own(known, tidy_path(whole ? vbt_copy(file, strlen(file)) : vbt_text("%s/%s", folder, file)));
}

/* Looks up a linked address in the debug information, else in the symbol table. */
static struct vbt_symbol *ask(struct vbt_known_binary *known, uint64_t linked, size_t *number) {
    struct vbt_binary *binary = &known->binary;
    const struct vbt_inline *chain;
    size_t count = vbt_inlines_find(binary->inlines, linked, &chain);
    struct vbt_symbol *symbols = vbt_new(count > 0 ? count : 1, sizeof *symbols);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_inline *at = &chain[i];
        symbols[i].function = at->linked != NULL ? own(known, vbt_demangle(at->linked)) : NULL;
        symbols[i].file = at->line > 0 ? full_path(known, at->folder, at->file) : NULL;
        symbols[i].line = symbols[i].file != NULL ? at->line : 0;
        symbols[i].declared_file = full_path(known, at->folder, at->declared_file);
        symbols[i].declared_line = at->declared_line;
    }
    bool unsure = count == 0 || chain[count - 1].linked == NULL || chain[count - 1].plain;
    const char *name = unsure ? vbt_binary_function(binary, linked) : NULL;
    *number = count = count > 0 ? count : 1;
    if (name != NULL && (symbols[count - 1].function == NULL || strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0))
        symbols[count - 1].function = own(known, vbt_demangle(name));
    return symbols;
}

const struct vbt_symbol *vbt_known_binary_find(struct vbt_known_binary *known, const struct vbt_model_module *module,
                                               uint64_t address, size_t *count) {
    struct vbt_binary *binary = &known->binary;
    if (!known->opened) {
        known->opened = true;
        vbt_binary_open(binary, module);
    }
    uint64_t linked = address - module->start + (module->id != 0 ? module->linked : module->offset);
    bool has_file = binary->file != NULL && (module->id != 0 || vbt_binary_linked(binary, linked, &linked));
    struct asked_address *found, wanted = {.key = {linked, !has_file}};
    HASH_FIND(hh, known->addresses, &wanted.key, sizeof wanted.key, found);
    if (found == NULL) {
        found = vbt_new(1, sizeof *found);
        found->key = wanted.key;
        found->count = 1;
        found->symbols = has_file ? ask(known, linked, &found->count) : vbt_new(1, sizeof *found->symbols);
        for (size_t i = 0; i < found->count; i++)
            if (found->symbols[i].function == NULL)
                found->symbols[i].function = own(known, vbt_text("%.*s+0x%" PRIx64, NAME_IN_ADDRESS, vbt_file_name(module->path),
                                                                 vbt_binary_start(binary, linked)));
        HASH_ADD(hh, known->addresses, key, sizeof found->key, found);
    }
    *count = found->count;
    return found->symbols;
}

bool vbt_binaries_is_address(const char *function, const char *module) {
    const char *name = vbt_file_name(module);
    size_t length = strlen(name) < NAME_IN_ADDRESS ? strlen(name) : NAME_IN_ADDRESS;
    return strncmp(function, name, length) == 0 && strncmp(function + length, "+0x", 3) == 0;
}
