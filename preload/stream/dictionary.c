/* See dictionary.h. */
#include "dictionary.h"

#include "preload/process/process.h"
#include "preload/tree/modules.h"
#include "preload/tree/tree.h"

#include <string.h>

/* Rows per chunk: a row takes at most 4 varints, but strings and paths can be of any length. */
enum { CHUNK_ROWS = 16384, CHUNK_MODULES = 64, STRING_BYTES = VBT_CHUNK_RAW_MAX - 64 * 1024 };

struct vbt_dictionary vbt_dictionary_now(void) {
    bool locked = vbt_lock_patiently(&vbt_tree_lock);
    struct vbt_dictionary now = {.strings = vbt_tree.strings.count - 1,
                                 .codes = vbt_tree.codes.count - 1,
                                 .modules = vbt_modules.count - (vbt_modules.count > 0),
                                 .sites = vbt_tree.sites.count - 1,
                                 .nodes = vbt_tree.nodes.count - 1};
    if (locked)
        vbt_unlock(&vbt_tree_lock);
    return now;
}

static uint32_t write_strings(struct vbt_writer *w, uint32_t first, uint32_t last) {
    size_t bytes = 0;
    uint32_t count = 0;
    while (first + count <= last && (bytes += vbt_string_at(first + count)->size + VBT_VARINT_MAX) < STRING_BYTES)
        count++;
    vbt_put_varint(w, count);
    for (uint32_t id = first; id < first + count; id++) {
        const struct vbt_string *string = vbt_string_at(id);
        vbt_put_string(w, string->bytes, string->size);
    }
    return count;
}

static uint32_t chunk_rows(struct vbt_writer *w, uint32_t first, uint32_t last) {
    uint32_t count = last - first + 1 < CHUNK_ROWS ? last - first + 1 : CHUNK_ROWS;
    vbt_put_varint(w, count);
    return count;
}

static uint32_t write_codes(struct vbt_writer *w, uint32_t first, uint32_t last) {
    uint32_t count = chunk_rows(w, first, last);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_code_at(id)->file);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_code_at(id)->name);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_code_at(id)->first_line);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_code_at(id)->flags);
    return count;
}

/* The full path: the main program's is known since the start; a relative one is completed with the
 * directory it started from. */
static void put_path(struct vbt_writer *w, const struct vbt_module *module) {
    if (module->path_size == 0) {
        vbt_put_string(w, vbt_program_path(), strlen(vbt_program_path()));
        return;
    }
    size_t directory = strlen(module->directory);
    vbt_put_varint(w, directory + (directory > 0) + module->path_size);
    vbt_put_bytes(w, module->directory, directory);
    vbt_put_bytes(w, "/", directory > 0);
    vbt_put_bytes(w, module->path, module->path_size);
}

static uint32_t write_modules(struct vbt_writer *w, uint32_t first, uint32_t last) {
    uint32_t count = last - first + 1 < CHUNK_MODULES ? last - first + 1 : CHUNK_MODULES;
    vbt_put_varint(w, count);
    for (uint32_t id = first; id < first + count; id++) {
        vbt_put_varint(w, vbt_module_at(id)->start);
        vbt_put_varint(w, vbt_module_at(id)->end);
        vbt_put_varint(w, 0);
        put_path(w, vbt_module_at(id));
    }
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, id);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_module_at(id)->start - vbt_module_at(id)->bias);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_module_at(id)->generation);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_string(w, (const char *)vbt_module_at(id)->build_id, vbt_module_at(id)->build_id_size);
    return count;
}

static uint32_t write_sites(struct vbt_writer *w, uint32_t first, uint32_t last) {
    uint32_t count = chunk_rows(w, first, last);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_site_at(id)->kind);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_site_at(id)->a);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_zigzag(w, vbt_site_at(id)->b);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_site_at(id)->module);
    return count;
}

static uint32_t write_nodes(struct vbt_writer *w, uint32_t first, uint32_t last) {
    uint32_t count = chunk_rows(w, first, last);
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, id - vbt_node_at(id)->parent);
    uint32_t before = 0;
    for (uint32_t id = first; id < first + count; id++) {
        vbt_put_zigzag(w, (int64_t)vbt_node_at(id)->site - before);
        before = vbt_node_at(id)->site;
    }
    for (uint32_t id = first; id < first + count; id++)
        vbt_put_varint(w, vbt_node_at(id)->domain);
    return count;
}

static void write_kind(struct vbt_chunk_writer *writer, enum vbt_chunk_kind kind, uint32_t *written, uint32_t last,
                       uint32_t (*write_rows)(struct vbt_writer *, uint32_t first, uint32_t last)) {
    while (*written < last) {
        struct vbt_writer *w = vbt_chunk_begin(writer);
        vbt_put_varint(w, kind == VBT_CHUNK_MODULES ? 0 : *written + 1);
        *written += write_rows(w, *written + 1, last);
        vbt_chunk_end(writer, kind);
    }
}

void vbt_dictionary_write(struct vbt_chunk_writer *writer, struct vbt_dictionary *written, struct vbt_dictionary now) {
    write_kind(writer, VBT_CHUNK_STRINGS, &written->strings, now.strings, write_strings);
    write_kind(writer, VBT_CHUNK_CODES, &written->codes, now.codes, write_codes);
    write_kind(writer, VBT_CHUNK_MODULES, &written->modules, now.modules, write_modules);
    write_kind(writer, VBT_CHUNK_SITES, &written->sites, now.sites, write_sites);
    write_kind(writer, VBT_CHUNK_NODES, &written->nodes, now.nodes, write_nodes);
}
