/* See places.h. */
#include "analyzer/base/hash.h"
#include "format/count.h"

#include "places.h"

#include "symbols.h"
#include "user_code.h"
#include "analyzer/base/allocate.h"

#include <string.h>

struct interned_place {
    struct vbt_source_place place;
    uint64_t content;                 /* hash of what identifies the place */
    struct interned_place *next_same; /* another place with the same hash */
    UT_hash_handle hh;
};

struct site_frames {
    struct vbt_source_frame *rows;
    size_t count; /* 0: not resolved yet */
};

enum whose { UNKNOWN, USERS, OTHERS };

struct vbt_places {
    const struct vbt_model *model;
    struct vbt_user_code user;
    enum whose *of_module;       /* by module */
    struct vbt_symbols *symbols; /* created when first needed */
    struct site_frames *by_site;
    struct interned_place **all;
    size_t count, capacity;
    struct interned_place *table;
};

bool vbt_place_is_address(const struct vbt_source_place *place) {
    return place->kind == VBT_PLACE_NATIVE && vbt_binaries_is_address(place->function, place->module);
}

bool vbt_place_imports(const struct vbt_source_place *place) {
    return place->kind == VBT_PLACE_PYTHON &&
           (strncmp(place->file, "<frozen importlib", 17) == 0 || strstr(place->file, "/importlib/_bootstrap") != NULL);
}

int vbt_place_compare(const struct vbt_source_place *a, const struct vbt_source_place *b) {
    int order = strcmp(a->file, b->file);
    if (order == 0)
        order = a->line < b->line ? -1 : a->line > b->line;
    if (order == 0)
        order = strcmp(a->function, b->function);
    return order != 0 ? order : strcmp(a->module != NULL ? a->module : "", b->module != NULL ? b->module : "");
}

static uint64_t hash_of(const struct vbt_source_place *place) {
    uint64_t hash = XXH64(place->file, strlen(place->file), vbt_hash_key() + (uint64_t)place->line);
    if (place->module != NULL)
        hash = XXH64(place->module, strlen(place->module), hash);
    return XXH64(place->function, strlen(place->function), hash + (uint64_t)place->kind + 2U * place->user);
}

static bool same(const struct vbt_source_place *a, const struct vbt_source_place *b) {
    return a->kind == b->kind && a->user == b->user && a->line == b->line && vbt_place_compare(a, b) == 0;
}

static const struct vbt_source_place *intern(struct vbt_places *p, struct vbt_source_place place) {
    uint64_t content = hash_of(&place);
    struct interned_place *found;
    HASH_FIND(hh, p->table, &content, sizeof content, found);
    for (struct interned_place *e = found; e != NULL; e = e->next_same)
        if (same(&e->place, &place))
            return &e->place;
    struct interned_place *entry = vbt_new(1, sizeof *entry);
    place.index = (uint32_t)p->count;
    entry->place = place;
    entry->content = content;
    if (found != NULL) {
        entry->next_same = found->next_same;
        found->next_same = entry;
    } else {
        HASH_ADD(hh, p->table, content, sizeof entry->content, entry);
    }
    p->all = vbt_grow(p->all, &p->capacity, p->count + 1, sizeof *p->all);
    p->all[p->count++] = entry;
    return &entry->place;
}

static struct vbt_source_place special(const char *name) {
    return (struct vbt_source_place){.kind = VBT_PLACE_SPECIAL, .file = name, .function = name};
}

struct vbt_places *vbt_places_new(const struct vbt_model *model) {
    struct vbt_places *p = vbt_new(1, sizeof *p);
    p->model = model;
    vbt_user_code_init(&p->user, model);
    p->of_module = vbt_new(model->module_count, sizeof *p->of_module);
    p->by_site = vbt_new(model->site_count + 1, sizeof *p->by_site);
    struct vbt_source_frame *outside = vbt_new(1, sizeof *outside);
    outside->place = outside->function = intern(p, special(VBT_OUTSIDE));
    p->by_site[0] = (struct site_frames){.rows = outside, .count = 1};
    return p;
}

void vbt_places_free(struct vbt_places *p) {
    if (p == NULL)
        return;
    HASH_CLEAR(hh, p->table);
    for (size_t i = 0; i < p->count; i++)
        free(p->all[i]);
    free(p->all);
    for (size_t i = 0; i <= p->model->site_count; i++)
        free(p->by_site[i].rows);
    free(p->by_site);
    free(p->of_module);
    vbt_symbols_free(p->symbols);
    free(p);
}

static const char *or_unknown(const char *text) { return text[0] != '\0' ? text : "<unknown>"; }

static struct vbt_source_place python_place(const struct vbt_places *p, const struct vbt_model_site *site, bool function) {
    const struct vbt_model *model = p->model;
    const struct vbt_model_code *code = &model->codes[site->a];
    int64_t line = function ? code->first_line : site->b;
    return (struct vbt_source_place){.kind = VBT_PLACE_PYTHON,
                                     .user = vbt_code_is_users(p, (uint32_t)site->a),
                                     .line = line > 0 ? line : 0,
                                     .file = or_unknown(vbt_model_string(model, code->file)),
                                     .function = or_unknown(vbt_model_string(model, code->name))};
}

bool vbt_code_is_users(const struct vbt_places *p, uint32_t id) {
    const struct vbt_model_code *code = &p->model->codes[id];
    return (code->flags & VBT_CODE_OWN) == 0 &&
           vbt_user_code_has_python(&p->user, vbt_model_string(p->model, code->file), vbt_model_code_is_users(code));
}

void vbt_places_claim(struct vbt_places *p, const char *patterns) { p->user.patterns = patterns; }

static struct vbt_symbols *symbols_of(struct vbt_places *p) {
    if (p->symbols == NULL)
        p->symbols = vbt_symbols_new(p->model, NULL);
    return p->symbols;
}

bool vbt_place_may_be_users(struct vbt_places *p, uint32_t site) {
    ptrdiff_t module = vbt_symbols_module(symbols_of(p), site);
    bool is_program = p->model->sites[site].b == 1;
    if (module < 0)
        return is_program;
    enum whose *whose = &p->of_module[module];
    if (is_program || *whose == UNKNOWN)
        *whose = vbt_user_code_has_module(&p->user, p->model->modules[module].path, is_program) ? USERS : OTHERS;
    return *whose == USERS;
}

/* Resolves the frames of a native site. */
static void find_native(struct vbt_places *p, uint32_t id, struct site_frames *frames) {
    struct vbt_symbolized found = vbt_symbols_find(symbols_of(p), id);
    bool may_be_users = vbt_place_may_be_users(p, id);
    struct vbt_source_frame *rows = vbt_new(found.count, sizeof *rows);
    for (size_t i = 0; i < found.count; i++) {
        const struct vbt_symbol *symbol = &found.symbols[i];
        const char *file = symbol->file != NULL ? symbol->file : found.module;
        const char *source = symbol->declared_file != NULL ? symbol->declared_file : symbol->file;
        const char *declared = symbol->declared_file != NULL ? symbol->declared_file : file;
        bool is_helper = vbt_user_code_is_cython_helper(symbol->function, file);
        struct vbt_source_place place = {.kind = VBT_PLACE_NATIVE,
                                         .user = may_be_users && !is_helper && vbt_user_code_has_source(&p->user, source),
                                         .cython = vbt_user_code_is_cython(symbol->function, file),
                                         .line = symbol->line,
                                         .file = or_unknown(file),
                                         .function = symbol->function,
                                         .module = found.module};
        rows[i].place = intern(p, place);
        place.file = or_unknown(declared);
        place.line = symbol->declared_line;
        rows[i].function = intern(p, place);
        rows[i].inlined = i + 1 < found.count;
    }
    *frames = (struct site_frames){.rows = rows, .count = found.count};
}

static void find_other(struct vbt_places *p, const struct vbt_model_site *site, struct site_frames *frames) {
    struct vbt_source_frame *frame = vbt_new(1, sizeof *frame);
    if (site->kind == VBT_SITE_PYTHON) {
        frame->place = intern(p, python_place(p, site, false));
        frame->function = intern(p, python_place(p, site, true));
    } else {
        frame->place = intern(p, special(or_unknown(vbt_model_string(p->model, (uint32_t)site->a))));
        frame->function = frame->place;
    }
    *frames = (struct site_frames){.rows = frame, .count = 1};
}

const struct vbt_source_frame *vbt_frames_of_site(struct vbt_places *p, uint32_t site, size_t *count) {
    struct site_frames *frames = &p->by_site[site];
    if (frames->count == 0 && p->model->sites[site].kind == VBT_SITE_NATIVE)
        find_native(p, site, frames);
    else if (frames->count == 0)
        find_other(p, &p->model->sites[site], frames);
    *count = frames->count;
    return frames->rows;
}

const struct vbt_source_place *vbt_place_of_site(struct vbt_places *p, uint32_t site) {
    size_t count;
    return vbt_frames_of_site(p, site, &count)->place;
}

const struct vbt_source_place *vbt_place_of_function(struct vbt_places *p, uint32_t site) {
    size_t count;
    return vbt_frames_of_site(p, site, &count)->function;
}

const struct vbt_source_place *vbt_place_of_user(struct vbt_places *p, uint32_t site) {
    size_t count;
    const struct vbt_source_frame *frames = vbt_frames_of_site(p, site, &count);
    for (size_t i = 0; i < count; i++)
        if (frames[i].place->user)
            return frames[i].place;
    return frames[0].place;
}

char *vbt_places_trouble(const struct vbt_places *p, size_t number) {
    return p->symbols != NULL ? vbt_symbols_trouble(p->symbols, number) : NULL;
}

char *vbt_places_nameless(const struct vbt_places *p) { return p->symbols != NULL ? vbt_symbols_nameless(p->symbols) : NULL; }
