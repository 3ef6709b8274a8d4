/* See perfetto_stacks.h. */
#include "perfetto_stacks.h"

#include "protobuf.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/utf8.h"
#include "analyzer/export/export_names.h"
#include "analyzer/export/stack_tables.h"

#include <stdlib.h>
#include <string.h>

enum { SEQUENCE = 10, INTERNED_DATA = 12, STATE_CLEARED = 1 };

/* Of InternedData. */
enum { FUNCTION_NAMES = 5, FRAMES, CALLSTACKS, BUILD_IDS = 16, MAPPING_PATHS, SOURCE_PATHS, MAPPINGS };

/* A packet grows to about this size. */
enum { ROOM = 1 << 16 };

struct known_text {
    char *text;
    uint64_t number;
    UT_hash_handle hh;
};

struct writing {
    const struct vbt_perfetto_stacks *stacks;
    FILE *out;
    struct vbt_text_buffer packet, data, part, more;
    struct known_text *functions, *sources, *mappings;
    bool begun;
};

void vbt_perfetto_write(struct vbt_text_buffer *packet, FILE *out) {
    struct vbt_text_buffer head = {0};
    vbt_proto_varint(&head, 1 << 3 | 2);
    vbt_proto_varint(&head, packet->size);
    fwrite(head.text, 1, head.size, out);
    fwrite(packet->text, 1, packet->size, out);
    free(head.text);
    packet->size = 0;
}

/* Writes what was gathered. The first packet of a sequence starts anew. */
static void flush(struct writing *w) {
    vbt_proto_number(&w->packet, VBT_PERFETTO_FLAGS, w->begun ? VBT_PERFETTO_NEEDS_STATE : STATE_CLEARED);
    vbt_proto_message(&w->packet, INTERNED_DATA, &w->data);
    vbt_proto_number(&w->packet, SEQUENCE, w->stacks->sequence);
    vbt_perfetto_write(&w->packet, w->out);
    w->data.size = 0;
    w->begun = true;
}

static void put(struct writing *w, unsigned field, const struct vbt_text_buffer *message) {
    vbt_proto_message(&w->data, field, message);
    if (w->data.size > ROOM)
        flush(w);
}

static void put_bytes(struct writing *w, unsigned field, uint64_t number, const char *bytes, size_t size) {
    w->more.size = 0;
    vbt_proto_number(&w->more, 1, number);
    vbt_proto_bytes(&w->more, 2, bytes, size);
    put(w, field, &w->more);
}

/* The number of a text in one of the tables, 0 if it is new; *to is where it belongs. */
static uint64_t number_of(struct known_text **table, const char *name, struct known_text **to) {
    char *text = vbt_utf8_valid(name, strlen(name));
    HASH_FIND_STR(*table, text, *to);
    if (*to != NULL) {
        free(text);
        return (*to)->number;
    }
    *to = vbt_new(1, sizeof **to);
    (*to)->text = text;
    (*to)->number = HASH_COUNT(*table) + 1;
    HASH_ADD_KEYPTR(hh, *table, (*to)->text, strlen((*to)->text), *to);
    return 0;
}

static uint64_t text_number(struct writing *w, struct known_text **table, unsigned field, const char *name) {
    struct known_text *row;
    uint64_t number = number_of(table, name, &row);
    if (number == 0)
        put_bytes(w, field, number = row->number, row->text, strlen(row->text));
    return number;
}

/* The build id of a file, or NULL. */
static const struct vbt_model_module *module_of(const struct vbt_model *m, const char *path) {
    for (size_t i = 0; i < m->module_count; i++)
        if (m->modules[i].build_id_size > 0 && strcmp(m->modules[i].path, path) == 0)
            return &m->modules[i];
    return NULL;
}

/* The mapping of native code is its file; of Python code its source file, so that functions of the
 * same name in two files are two. */
static uint64_t mapping_number(struct writing *w, const struct vbt_source_place *place) {
    const char *path = place->module != NULL ? place->module : place->file;
    struct known_text *row;
    uint64_t number = number_of(&w->mappings, path, &row);
    if (number != 0)
        return number;
    number = row->number;
    const struct vbt_model_module *module = place->module != NULL ? module_of(w->stacks->model, path) : NULL;
    if (module != NULL)
        put_bytes(w, BUILD_IDS, number, (const char *)module->build_id, module->build_id_size);
    put_bytes(w, MAPPING_PATHS, number, row->text, strlen(row->text));
    w->part.size = 0;
    vbt_proto_number(&w->part, 1, number);
    vbt_proto_number(&w->part, 2, module != NULL ? number : 0);
    vbt_proto_number(&w->part, 7, number);
    put(w, MAPPINGS, &w->part);
    return number;
}

static void put_frame(struct writing *w, uint64_t number, const struct vbt_source_place *place) {
    enum { NATIVE = 1, INTERPRETED = 3 };
    uint64_t mapping = mapping_number(w, place), function = text_number(w, &w->functions, FUNCTION_NAMES, place->function);
    uint64_t source = text_number(w, &w->sources, SOURCE_PATHS, place->file);
    w->part.size = 0;
    vbt_proto_number(&w->part, 1, number);
    vbt_proto_number(&w->part, 2, function);
    vbt_proto_number(&w->part, 3, mapping);
    vbt_proto_number(&w->part, 4, number); /* see perfetto.c */
    vbt_proto_number(&w->part, 5, source);
    vbt_proto_number(&w->part, 6, place->line > 0 ? (uint64_t)place->line : 0);
    vbt_proto_number(&w->part, 7, place->kind == VBT_PLACE_PYTHON ? INTERPRETED : place->kind == VBT_PLACE_NATIVE ? NATIVE : 0);
    put(w, FRAMES, &w->part);
}

/* A frame's number is that of its place; the one after the last is that of stacks without any. */
static void put_frames(struct writing *w) {
    static const struct vbt_source_place none = {.kind = VBT_PLACE_SPECIAL, .file = VBT_NO_STACK, .function = VBT_NO_STACK};
    const struct vbt_call_tree *tree = w->stacks->tree;
    for (size_t i = 1; i < tree->place_count; i++)
        put_frame(w, i, tree->places[i]);
    if (w->stacks->used[0])
        put_frame(w, tree->place_count, &none);
}

/* The outermost frame first. */
static void put_stacks(struct writing *w) {
    const struct vbt_call_tree *tree = w->stacks->tree;
    uint32_t *path = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        if (!w->stacks->used[i])
            continue;
        size_t depth = 0;
        path = vbt_grow(path, &capacity, (size_t)tree->calls[i].depth + 1, sizeof *path);
        for (uint32_t call = i; call != 0 && depth < w->stacks->limit; call = tree->calls[call].parent)
            path[depth++] = tree->calls[call].place;
        if (depth == 0)
            path[depth++] = (uint32_t)tree->place_count;
        w->part.size = 0;
        vbt_proto_number(&w->part, 1, (uint64_t)i + 1);
        while (depth > 0)
            vbt_proto_number(&w->part, 2, path[--depth]);
        put(w, CALLSTACKS, &w->part);
    }
    free(path);
}

static void free_texts(struct known_text *table) {
    struct known_text *row, *next;
    HASH_ITER(hh, table, row, next) {
        HASH_DEL(table, row);
        free(row->text);
        free(row);
    }
}

void vbt_perfetto_stacks_write(const struct vbt_perfetto_stacks *stacks, FILE *out) {
    struct writing w = {.stacks = stacks, .out = out};
    bool any = false;
    for (size_t i = 0; i < stacks->tree->count; i++)
        any = any || stacks->used[i];
    if (any) {
        put_frames(&w);
        put_stacks(&w);
        flush(&w);
    }
    free_texts(w.functions);
    free_texts(w.sources);
    free_texts(w.mappings);
    free(w.packet.text);
    free(w.data.text);
    free(w.part.text);
    free(w.more.text);
}

size_t vbt_perfetto_limit(const struct vbt_cells *cells, const struct vbt_query *query) {
    size_t frames = 0;
    for (size_t i = 0; i < cells->count; i++)
        frames += cells->tree.calls[cells->rows[i].call].depth;
    return vbt_export_limit_of(cells->count, frames, query);
}
