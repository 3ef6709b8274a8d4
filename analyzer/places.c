/* See places.h. */
#include "hash.h"

#include "places.h"

#include "allocate.h"
#include "symbols.h"

#include <string.h>

struct entry {
    struct vbt_place place;
    uint64_t content;        /* hash of what makes it this place */
    struct entry *next_same; /* another place with the same hash */
    UT_hash_handle hh;
};

struct vbt_places {
    const struct vbt_model *model;
    struct vbt_symbols *symbols; /* made when first needed */
    const struct vbt_place **by_site;
    const struct vbt_place **function_by_site;
    struct vbt_frame *frame_by_site;
    struct entry **all;
    size_t count, capacity;
    struct entry *table;
};

static uint64_t hash_of(const struct vbt_place *place) {
    uint64_t hash = XXH64(place->file, strlen(place->file), vbt_hash_key() + (uint64_t)place->line);
    return XXH64(place->function, strlen(place->function), hash + (uint64_t)place->kind);
}

static bool same(const struct vbt_place *a, const struct vbt_place *b) {
    return a->kind == b->kind && a->line == b->line && strcmp(a->function, b->function) == 0 && strcmp(a->file, b->file) == 0;
}

static const struct vbt_place *intern(struct vbt_places *p, struct vbt_place place) {
    uint64_t content = hash_of(&place);
    struct entry *found;
    HASH_FIND(hh, p->table, &content, sizeof content, found);
    for (struct entry *e = found; e != NULL; e = e->next_same)
        if (same(&e->place, &place))
            return &e->place;
    struct entry *entry = vbt_new(1, sizeof *entry);
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

static struct vbt_place special(const char *name) {
    return (struct vbt_place){.kind = VBT_PLACE_SPECIAL, .file = name, .function = name};
}

struct vbt_places *vbt_places_new(const struct vbt_model *model) {
    struct vbt_places *p = vbt_new(1, sizeof *p);
    p->model = model;
    p->by_site = vbt_new(model->site_count + 1, sizeof(void *));
    p->by_site[0] = intern(p, special(VBT_OUTSIDE));
    return p;
}

void vbt_places_free(struct vbt_places *p) {
    if (p == NULL)
        return;
    HASH_CLEAR(hh, p->table);
    for (size_t i = 0; i < p->count; i++)
        free(p->all[i]);
    free(p->all);
    free(p->by_site);
    free(p->function_by_site);
    free(p->frame_by_site);
    vbt_symbols_free(p->symbols);
    free(p);
}

static const char *or_unknown(const char *text) { return text[0] != '\0' ? text : "<unknown>"; }

static struct vbt_place python_place(const struct vbt_model *model, const struct vbt_site *site, bool function) {
    const struct vbt_code *code = &model->codes[site->a];
    int64_t line = function ? code->first_line : site->b;
    return (struct vbt_place){.kind = VBT_PLACE_PYTHON,
                              .user = vbt_code_is_users(code),
                              .line = line > 0 ? line : 0,
                              .file = or_unknown(vbt_model_string(model, code->file)),
                              .function = or_unknown(vbt_model_string(model, code->name))};
}

static struct vbt_place native_place(struct vbt_places *p, const struct vbt_site *site, bool function) {
    struct vbt_symbol symbol;
    if (p->symbols == NULL)
        p->symbols = vbt_symbols_new(p->model);
    vbt_symbols_find(p->symbols, site, &symbol);
    const char *file = symbol.file != NULL ? symbol.file : symbol.module;
    return (struct vbt_place){.kind = VBT_PLACE_NATIVE,
                              .user = site->b == 1,
                              .line = function ? 0 : symbol.line,
                              .file = or_unknown(file),
                              .function = symbol.function,
                              .module = symbol.module};
}

static const struct vbt_place *resolve(struct vbt_places *p, uint32_t id, bool function) {
    const struct vbt_site *site = &p->model->sites[id];
    switch (site->kind) {
    case VBT_SITE_PYTHON:
        return intern(p, python_place(p->model, site, function));
    case VBT_SITE_NATIVE:
        return intern(p, native_place(p, site, function));
    default:
        return intern(p, special(or_unknown(vbt_model_string(p->model, (uint32_t)site->a))));
    }
}

const struct vbt_place *vbt_place_of_site(struct vbt_places *p, uint32_t site) {
    if (p->by_site[site] == NULL)
        p->by_site[site] = resolve(p, site, false);
    return p->by_site[site];
}

const struct vbt_place *vbt_place_of_function(struct vbt_places *p, uint32_t site) {
    if (p->function_by_site == NULL)
        p->function_by_site = vbt_new(p->model->site_count + 1, sizeof(void *));
    if (site == 0)
        return p->by_site[0];
    if (p->function_by_site[site] == NULL)
        p->function_by_site[site] = resolve(p, site, true);
    return p->function_by_site[site];
}

const struct vbt_frame *vbt_frames_of_site(struct vbt_places *p, uint32_t site, size_t *count) {
    if (p->frame_by_site == NULL)
        p->frame_by_site = vbt_new(p->model->site_count + 1, sizeof *p->frame_by_site);
    struct vbt_frame *frame = &p->frame_by_site[site];
    if (frame->place == NULL)
        *frame = (struct vbt_frame){.place = vbt_place_of_site(p, site), .function = vbt_place_of_function(p, site)};
    *count = 1;
    return frame;
}

size_t vbt_places_count(const struct vbt_places *p) { return p->count; }

const struct vbt_place *vbt_place_at(const struct vbt_places *p, size_t index) { return &p->all[index]->place; }

bool vbt_places_binary_changed(const struct vbt_places *p, const char **path) {
    return p->symbols != NULL && vbt_symbols_changed(p->symbols, path);
}
