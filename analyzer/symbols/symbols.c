/* See symbols.h. */
#include "symbols.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/symbols/native/address_map.h"
#include "analyzer/symbols/native/binary.h"
#include "analyzer/symbols/native/demangle.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* What all modules that are the same file share: those with one path and build id. */
struct image {
    const struct vbt_model_module *module; /* one of them */
    enum vbt_binary_state state;
    bool opened;
    bool nameless; /* functions without a name were asked for */
    struct vbt_binary binary;
};

struct owned_text {
    char *text;
    struct owned_text *next;
};

struct vbt_symbols {
    const struct vbt_model *model;
    struct vbt_address_map map;
    struct image *images;
    size_t image_count;
    uint32_t *image_of;       /* by row of the model's modules */
    struct owned_text *names; /* strings that were allocated here */
    struct vbt_symbol *found;
    size_t found_capacity;
    int64_t started_ns;
};

enum { NAME_IN_ADDRESS = 255, NAMELESS_SHOWN = 3 };

static int compare(const struct vbt_model_module *a, const struct vbt_model_module *b) {
    int order = strcmp(a->path, b->path);
    if (order == 0)
        order = (int)a->build_id_size - (int)b->build_id_size;
    return order != 0 ? order : memcmp(a->build_id, b->build_id, a->build_id_size);
}

static int by_file(const void *left, const void *right, void *modules) {
    const struct vbt_model_module *rows = modules;
    return compare(&rows[*(const uint32_t *)left], &rows[*(const uint32_t *)right]);
}

struct vbt_symbols *vbt_symbols_new(const struct vbt_model *model) {
    struct vbt_symbols *s = vbt_new(1, sizeof *s);
    s->model = model;
    s->started_ns = vbt_model_process_number(model, "started");
    vbt_address_map_build(&s->map, model->modules, model->module_count);

    size_t count = model->module_count;
    uint32_t *order = vbt_new(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, by_file, model->modules);
    s->images = vbt_new(count, sizeof *s->images);
    s->image_of = vbt_new(count, sizeof *s->image_of);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_model_module *module = &model->modules[order[i]];
        if (s->image_count == 0 || compare(s->images[s->image_count - 1].module, module) != 0)
            s->images[s->image_count++].module = module;
        s->image_of[order[i]] = (uint32_t)s->image_count - 1;
    }
    free(order);
    return s;
}

void vbt_symbols_free(struct vbt_symbols *s) {
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->image_count; i++)
        if (s->images[i].opened)
            vbt_binary_close(&s->images[i].binary);
    while (s->names != NULL) {
        struct owned_text *next = s->names->next;
        free(s->names->text);
        free(s->names);
        s->names = next;
    }
    vbt_address_map_free(&s->map);
    free(s->images);
    free(s->image_of);
    free(s->found);
    free(s);
}

static const char *own(struct vbt_symbols *s, char *text) {
    struct owned_text *name = vbt_new(1, sizeof *name);
    *name = (struct owned_text){.text = text, .next = s->names};
    s->names = name;
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
static const char *full_path(struct vbt_symbols *s, const char *folder, const char *file) {
    if (file == NULL || strlen(file) >= PATH_MAX || (folder != NULL && strlen(folder) >= PATH_MAX))
        return NULL;
    bool whole = file[0] == '/' || folder == NULL || (strncmp(folder, "./", 2) == 0 && strncmp(file, "./", 2) == 0);
    return own(s, tidy_path(whole ? vbt_copy(file, strlen(file)) : vbt_text("%s/%s", folder, file)));
}

/* Returns zeroed room for so many symbols. */
static struct vbt_symbol *make_room(struct vbt_symbols *s, size_t count) {
    s->found = vbt_grow(s->found, &s->found_capacity, count, sizeof *s->found);
    memset(s->found, 0, count * sizeof *s->found);
    return s->found;
}

/* Looks up a linked address in the debug information, else in the symbol table. Returns the number
 * of frames. */
static size_t ask_binary(struct vbt_symbols *s, struct vbt_binary *binary, uint64_t linked) {
    const struct vbt_inline *chain;
    size_t count = vbt_inlines_find(binary->inlines, linked, &chain);
    struct vbt_symbol *symbols = make_room(s, count > 0 ? count : 1);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_inline *at = &chain[i];
        symbols[i].function = at->linked != NULL ? own(s, vbt_demangle(at->linked)) : NULL;
        symbols[i].file = at->line > 0 ? full_path(s, at->folder, at->file) : NULL;
        symbols[i].line = symbols[i].file != NULL ? at->line : 0;
        symbols[i].declared_file = full_path(s, at->folder, at->declared_file);
        symbols[i].declared_line = at->declared_line;
    }
    bool unsure = count == 0 || chain[count - 1].linked == NULL || chain[count - 1].plain;
    const char *name = unsure ? vbt_binary_function(binary, linked) : NULL;
    count = count > 0 ? count : 1;
    if (name != NULL && (symbols[count - 1].function == NULL || strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0))
        symbols[count - 1].function = own(s, vbt_demangle(name));
    return count;
}

static size_t look_up(struct vbt_symbols *s, struct image *image, const struct vbt_model_module *module, uint64_t address) {
    uint64_t linked = address - module->start + (module->id != 0 ? module->linked : module->offset);
    if (!image->opened) {
        image->opened = true;
        vbt_binary_open(&image->binary, image->module, s->started_ns);
        image->state = image->binary.state;
    }
    struct vbt_binary *binary = &image->binary;
    size_t count = 1;
    if (binary->file != NULL && (module->id != 0 || vbt_binary_linked(binary, linked, &linked)))
        count = ask_binary(s, binary, linked);
    else
        make_room(s, 1);
    for (size_t i = 0; i < count; i++)
        if (s->found[i].function == NULL)
            s->found[i].function =
                own(s, vbt_text("%.*s+0x%" PRIx64, NAME_IN_ADDRESS, vbt_file_name(module->path), vbt_binary_start(binary, linked)));
    return count;
}

static struct vbt_symbolized from_trace(struct vbt_symbols *s, const struct vbt_named_site *named, struct image *image) {
    const struct vbt_model *m = s->model;
    struct vbt_symbol *symbols = make_room(s, named->count);
    for (uint32_t i = 0; i < named->count; i++) {
        const struct vbt_named_frame *frame = &m->named_frames[named->first + i];
        symbols[i] =
            (struct vbt_symbol){.function = vbt_model_string(m, frame->function),
                                .file = frame->file != 0 ? vbt_model_string(m, frame->file) : NULL,
                                .declared_file = frame->declared_file != 0 ? vbt_model_string(m, frame->declared_file) : NULL,
                                .line = frame->line,
                                .declared_line = frame->declared_line};
    }
    if (image != NULL)
        image->state = named->state;
    return (struct vbt_symbolized){.symbols = symbols, .count = named->count, .state = named->state};
}

bool vbt_symbols_is_address(const char *function, const char *module) {
    const char *name = vbt_file_name(module);
    size_t length = strlen(name) < NAME_IN_ADDRESS ? strlen(name) : NAME_IN_ADDRESS;
    return strncmp(function, name, length) == 0 && strncmp(function + length, "+0x", 3) == 0;
}

ptrdiff_t vbt_symbols_module(const struct vbt_symbols *s, uint32_t id) {
    const struct vbt_model_site *site = &s->model->sites[id];
    return site->module != 0 ? (ptrdiff_t)s->model->module_by_id[site->module] : vbt_address_map_find(&s->map, site->a - 1);
}

struct vbt_symbolized vbt_symbols_find(struct vbt_symbols *s, uint32_t id) {
    const struct vbt_model *m = s->model;
    const struct vbt_model_site *site = &m->sites[id];
    uint64_t address = site->a - 1;
    ptrdiff_t row = vbt_symbols_module(s, id);
    struct image *image = row >= 0 ? &s->images[s->image_of[row]] : NULL;
    const struct vbt_named_site *named = vbt_model_named_site(m, id);
    struct vbt_symbolized found = {.count = 1};
    if (named != NULL) {
        found = from_trace(s, named, image);
    } else if (image != NULL) {
        found.count = look_up(s, image, &m->modules[row], address);
        found.state = image->state;
    } else {
        make_room(s, 1)->function = own(s, vbt_text("0x%" PRIx64, address));
    }
    if (image != NULL && image->state == VBT_BINARY_SAME)
        image->nameless = image->nameless || vbt_symbols_is_address(s->found[found.count - 1].function, image->module->path);
    found.symbols = s->found;
    found.module = row >= 0 ? m->modules[row].path : "";
    return found;
}

char *vbt_symbols_trouble(const struct vbt_symbols *s, size_t number) {
    static const char *const sentences[] = {
        [VBT_BINARY_NEWER] = "%s was changed after the trace began: its functions and lines may be wrong.",
        [VBT_BINARY_GONE] = "%s is gone: its functions are shown as addresses.",
        [VBT_BINARY_REPLACED] = "%s is not the file that ran (another build id): its functions are shown as addresses.",
    };
    static const char *const incomplete[] = {
        [VBT_INLINES_PACKED] = "%s has debug information that is compressed with zstd, which this elfutils cannot read: lines and "
                               "inlined functions are missing.",
        [VBT_INLINES_SPLIT] = "%s has debug information in split files (.dwo), and not all were found: inlined functions and some "
                              "names are missing.",
    };
    for (size_t i = 0; i < s->image_count; i++) {
        const struct image *image = &s->images[i];
        enum vbt_inlines_trouble trouble = vbt_inlines_trouble(image->binary.inlines);
        if (image->state != VBT_BINARY_SAME && number-- == 0)
            return vbt_text(sentences[image->state], image->module->path);
        if (trouble != VBT_INLINES_READ && number-- == 0)
            return vbt_text(incomplete[trouble], image->module->path);
    }
    return NULL;
}

char *vbt_symbols_nameless(const struct vbt_symbols *s) {
    char *list = NULL;
    size_t count = 0;
    for (size_t i = 0; i < s->image_count; i++)
        if (s->images[i].nameless && count++ < NAMELESS_SHOWN) {
            char *longer =
                vbt_text("%s%s%s", list != NULL ? list : "", list != NULL ? ", " : "", vbt_file_name(s->images[i].module->path));
            free(list);
            list = longer;
        }
    if (count > NAMELESS_SHOWN) {
        char *longer = vbt_text("%s and %zu more", list, count - NAMELESS_SHOWN);
        free(list);
        list = longer;
    }
    return list;
}
