/* From the ids of one trace to those of the sum: what has the same content has the same id. See
 * merging.h. */
#include "analyzer/base/hash.h"

#include "merging.h"

#include "analyzer/base/allocate.h"
#include "analyzer/symbols/user_code.h"

#include <string.h>

static uint32_t hash_of(const void *bytes, size_t size) { return (uint32_t)XXH64(bytes, size, vbt_hash_key()); }

static uint32_t hash_numbers(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t hash = (a + vbt_hash_key()) * UINT64_C(0x9e3779b97f4a7c15);
    hash = (hash ^ hash >> 32 ^ b) * UINT64_C(0xd6e8feb86659fd93);
    hash = (hash ^ hash >> 32 ^ c) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32);
}

void vbt_translation_begin(struct vbt_translation *t, struct vbt_merging *merging, const struct vbt_model *from) {
    *t = (struct vbt_translation){
        .from = from,
        .strings = vbt_new(from->string_count + 1, sizeof *t->strings),
        .codes = vbt_new(from->code_count + 1, sizeof *t->codes),
        .sites = vbt_new(from->site_count + 1, sizeof *t->sites),
        .modules = vbt_new(from->module_count, sizeof *t->modules),
        .nodes = vbt_new(from->node_count + 1, sizeof *t->nodes),
        .processes = vbt_new(from->process_rows + 1, sizeof *t->processes),
        .program_is_users = vbt_user_code_is_program(from),
    };
    vbt_address_map_build(&t->map, from->modules, from->module_count);
    (void)merging;
}

void vbt_translation_end(struct vbt_translation *t) {
    vbt_address_map_free(&t->map);
    free(t->strings);
    free(t->codes);
    free(t->sites);
    free(t->modules);
    free(t->nodes);
    free(t->intervals);
    free(t->processes);
}

/* What is looked for, beside the sum. */
struct wanted_content {
    const struct vbt_merging *merging;
    const char *text;
    size_t size;
    struct vbt_model_code code;
    struct vbt_model_module module;
    struct vbt_model_site site;
    const struct vbt_named_frame *frames; /* of the site; their strings are those of the sum */
    uint32_t frame_count;
    enum vbt_binary_state state;
    struct vbt_model_node node;
};

static bool is_text(const void *context, uint32_t id) {
    const struct wanted_content *w = context;
    return strcmp(vbt_model_string(&w->merging->sum, id), w->text) == 0;
}

uint32_t vbt_merged_text(struct vbt_merging *g, const char *text) {
    struct vbt_model *sum = &g->sum;
    size_t size = strlen(text);
    if (size == 0)
        return 0;
    const struct wanted_content w = {.merging = g, .text = text};
    struct vbt_id_slot *slot = vbt_id_table_find(&g->strings, hash_of(text, size), is_text, &w);
    if (slot->id != 0)
        return slot->id;
    uint32_t id = (uint32_t)++sum->string_count;
    sum->string_at = vbt_grow(sum->string_at, &sum->string_capacity, (size_t)id + 1, sizeof *sum->string_at);
    sum->text = vbt_grow(sum->text, &sum->text_capacity, sum->text_size + size + 1, 1);
    sum->string_at[id] = sum->text_size;
    memcpy(sum->text + sum->text_size, text, size + 1);
    sum->text_size += size + 1;
    vbt_id_table_take(&g->strings, slot, id);
    return id;
}

uint32_t vbt_merged_string(struct vbt_merging *g, struct vbt_translation *t, uint32_t id) {
    if (id != 0 && t->strings[id] == 0)
        t->strings[id] = vbt_merged_text(g, vbt_model_string(t->from, id));
    return t->strings[id];
}

static bool is_code(const void *context, uint32_t id) {
    const struct wanted_content *w = context;
    const struct vbt_model_code *a = &w->merging->sum.codes[id], *b = &w->code;
    return a->file == b->file && a->name == b->name && a->flags == b->flags && a->first_line == b->first_line;
}

static uint32_t merged_code(struct vbt_merging *g, struct vbt_translation *t, uint32_t id) {
    if (id == 0 || t->codes[id] != 0)
        return t->codes[id];
    struct vbt_model *sum = &g->sum;
    struct wanted_content w = {.merging = g, .code = t->from->codes[id]};
    w.code.file = vbt_merged_string(g, t, w.code.file);
    w.code.name = vbt_merged_string(g, t, w.code.name);
    uint32_t hash = hash_numbers(w.code.file, w.code.name, (uint64_t)w.code.first_line ^ (uint64_t)w.code.flags << 40);
    struct vbt_id_slot *slot = vbt_id_table_find(&g->codes, hash, is_code, &w);
    if (slot->id == 0) {
        vbt_id_table_take(&g->codes, slot, (uint32_t)++sum->code_count);
        sum->codes = vbt_grow(sum->codes, &sum->code_capacity, sum->code_count + 1, sizeof *sum->codes);
        sum->codes[slot->id] = w.code;
    }
    return t->codes[id] = slot->id;
}

static bool is_module(const void *context, uint32_t id) {
    const struct wanted_content *w = context;
    const struct vbt_model_module *a = &w->merging->sum.modules[id - 1], *b = &w->module;
    return (a->id != 0) == (b->id != 0) && a->linked == b->linked && a->build_id_size == b->build_id_size &&
           memcmp(a->build_id, b->build_id, a->build_id_size) == 0 && strcmp(a->path, b->path) == 0;
}

/* The row of the sum's modules, plus 1, for a row of the trace's. A whole file (with an id) has
 * addresses as it is linked, a mapped part of one has those of the file's bytes. */
static uint32_t merged_module(struct vbt_merging *g, struct vbt_translation *t, size_t row) {
    if (t->modules[row] != 0)
        return t->modules[row];
    struct vbt_model *sum = &g->sum;
    struct wanted_content w = {.merging = g, .module = t->from->modules[row]};
    uint64_t size = w.module.end - w.module.start;
    bool whole = w.module.id != 0;
    if (!whole) {
        w.module.linked = w.module.build_id_size = 0;
        size += w.module.offset;
    }
    uint32_t hash = hash_of(w.module.path, strlen(w.module.path)) ^ hash_of(w.module.build_id, w.module.build_id_size);
    struct vbt_id_slot *slot = vbt_id_table_find(&g->modules, hash + whole, is_module, &w);
    if (slot->id == 0) {
        vbt_id_table_take(&g->modules, slot, (uint32_t)sum->module_count + 1);
        sum->modules = vbt_grow(sum->modules, &sum->module_capacity, sum->module_count + 1, sizeof *sum->modules);
        struct vbt_model_module *added = &sum->modules[sum->module_count++];
        *added = w.module;
        added->path = vbt_copy(w.module.path, strlen(w.module.path));
        added->offset = added->generation = 0;
        added->start = added->end = added->linked;
    }
    struct vbt_model_module *module = &sum->modules[slot->id - 1];
    if (module->start + size > module->end)
        module->end = module->start + size;
    return t->modules[row] = slot->id;
}

static bool is_site(const void *context, uint32_t id) {
    const struct wanted_content *w = context;
    const struct vbt_model *sum = &w->merging->sum;
    const struct vbt_model_site *a = &sum->sites[id], *b = &w->site;
    const struct vbt_named_site *named = &sum->named_sites[id];
    if (a->kind != b->kind || a->a != b->a || a->b != b->b || a->module != b->module || named->count != w->frame_count ||
        named->state != w->state)
        return false;
    for (uint32_t i = 0; i < w->frame_count; i++) {
        const struct vbt_named_frame *x = &sum->named_frames[named->first + i], *y = &w->frames[i];
        if (x->function != y->function || x->file != y->file || x->declared_file != y->declared_file || x->line != y->line ||
            x->declared_line != y->declared_line)
            return false;
    }
    return true;
}

/* The functions that the trace names at a site, with strings of the sum. */
static void get_frames(struct vbt_merging *g, struct vbt_translation *t, uint32_t id, struct wanted_content *w,
                       struct vbt_named_frame frames[VBT_FRAMES_MAX]) {
    const struct vbt_named_site *named = vbt_model_named_site(t->from, id);
    if (named == NULL) {
        g->any_unnamed = true;
        return;
    }
    w->frames = frames;
    w->frame_count = named->count;
    w->state = named->state;
    for (uint32_t i = 0; i < named->count; i++) {
        frames[i] = t->from->named_frames[named->first + i];
        frames[i].function = vbt_merged_string(g, t, frames[i].function);
        frames[i].file = vbt_merged_string(g, t, frames[i].file);
        frames[i].declared_file = vbt_merged_string(g, t, frames[i].declared_file);
    }
}

static void translate_native(struct vbt_merging *g, struct vbt_translation *t, struct vbt_model_site *site) {
    const struct vbt_model *from = t->from;
    ptrdiff_t row = site->module != 0 ? (ptrdiff_t)from->module_by_id[site->module] : vbt_address_map_find(&t->map, site->a - 1);
    if (site->b == 1 && !t->program_is_users)
        site->b = 0;
    site->module = 0;
    if (row < 0)
        return;
    const struct vbt_model_module *module = &from->modules[row];
    site->module = merged_module(g, t, (size_t)row);
    site->a = site->a - module->start + (module->id != 0 ? module->linked : module->offset);
}

static uint32_t add_site(struct vbt_merging *g, const struct wanted_content *w) {
    struct vbt_model *sum = &g->sum;
    uint32_t id = (uint32_t)++sum->site_count;
    sum->sites = vbt_grow(sum->sites, &sum->site_capacity, (size_t)id + 1, sizeof *sum->sites);
    sum->sites[id] = w->site;
    sum->named_sites = vbt_grow(sum->named_sites, &sum->named_site_capacity, (size_t)id + 1, sizeof *sum->named_sites);
    sum->named_sites[id] = (struct vbt_named_site){(uint32_t)sum->named_frame_count, w->frame_count, w->state};
    sum->named_site_count = (size_t)id + 1;
    if (w->frame_count > 0) {
        sum->named_frames = vbt_grow(sum->named_frames, &sum->named_frame_capacity, sum->named_frame_count + w->frame_count,
                                     sizeof *sum->named_frames);
        memcpy(sum->named_frames + sum->named_frame_count, w->frames, w->frame_count * sizeof *w->frames);
        sum->named_frame_count += w->frame_count;
    }
    return id;
}

uint32_t vbt_merged_site(struct vbt_merging *g, struct vbt_translation *t, uint32_t id) {
    struct vbt_named_frame frames[VBT_FRAMES_MAX];
    if (id == 0 || t->sites[id] != 0)
        return t->sites[id];
    struct wanted_content w = {.merging = g, .site = t->from->sites[id]};
    if (w.site.kind != VBT_SITE_NATIVE)
        w.site.module = 0; /* whatever the trace says */
    if (w.site.kind == VBT_SITE_PYTHON) {
        w.site.a = merged_code(g, t, (uint32_t)w.site.a);
    } else if (w.site.kind == VBT_SITE_SPECIAL) {
        w.site.a = vbt_merged_string(g, t, (uint32_t)w.site.a);
    } else {
        translate_native(g, t, &w.site);
        get_frames(g, t, id, &w, frames);
    }
    uint32_t hash = hash_numbers(w.site.a, (uint64_t)w.site.b, (uint64_t)w.site.module << 8 | w.site.kind);
    struct vbt_id_slot *slot = vbt_id_table_find(&g->sites, hash, is_site, &w);
    if (slot->id == 0)
        vbt_id_table_take(&g->sites, slot, add_site(g, &w));
    return t->sites[id] = slot->id;
}

static bool is_node(const void *context, uint32_t id) {
    const struct wanted_content *w = context;
    const struct vbt_model_node *a = &w->merging->sum.nodes[id], *b = &w->node;
    return a->parent == b->parent && a->site == b->site && a->domain == b->domain;
}

void vbt_merging_add_nodes(struct vbt_merging *g, struct vbt_translation *t) {
    struct vbt_model *sum = &g->sum;
    struct wanted_content w = {.merging = g};
    for (size_t i = 1; i <= t->from->node_count; i++) {
        const struct vbt_model_node *node = &t->from->nodes[i];
        w.node = (struct vbt_model_node){
            .parent = t->nodes[node->parent], .site = vbt_merged_site(g, t, node->site), .domain = node->domain};
        uint32_t next = t->nodes[i - 1] + 1; /* traces of one program have most paths in the same order */
        if (next <= sum->node_count && is_node(&w, next)) {
            t->nodes[i] = next;
            continue;
        }
        uint32_t hash = hash_numbers(w.node.parent, w.node.site, w.node.domain);
        struct vbt_id_slot *slot = vbt_id_table_find(&g->nodes, hash, is_node, &w);
        if (slot->id == 0) {
            vbt_id_table_take(&g->nodes, slot, (uint32_t)++sum->node_count);
            sum->nodes = vbt_grow(sum->nodes, &sum->node_capacity, sum->node_count + 1, sizeof *sum->nodes);
            sum->nodes[slot->id] = w.node;
        }
        t->nodes[i] = slot->id;
    }
}
