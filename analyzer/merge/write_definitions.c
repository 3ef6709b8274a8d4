/* The definitions of a merged trace, and the names of its native code. See write_merged.h. */
#include "write_merged.h"

#include <string.h>

/* The most bytes of a row, from its varints. */
enum { CODE_ROW = 4 * 5, SITE_ROW = 1 + 10 + 10 + 5, NODE_ROW = 5 + 5 + 1, TEXT_ROOM = VBT_CHUNK_RAW_MAX / 2, FRAMES_ROOM = 8192 };

static void put_text(struct vbt_writer *w, const char *text) { vbt_put_string(w, text, strlen(text)); }

static void put_definition_head(struct vbt_writer *w, size_t first, size_t count) {
    vbt_put_varint(w, first);
    vbt_put_varint(w, count);
}

static void write_modules(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0; at < m->module_count;) {
        size_t end = at, text = 0;
        for (; end < m->module_count && text < TEXT_ROOM; end++)
            text += strlen(m->modules[end].path) + 64;
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        put_definition_head(w, 0, end - at);
        for (size_t i = at; i < end; i++) {
            vbt_put_varint(w, m->modules[i].start);
            vbt_put_varint(w, m->modules[i].end);
            vbt_put_varint(w, m->modules[i].offset);
            put_text(w, m->modules[i].path);
        }
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->modules[i].id);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->modules[i].linked);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->modules[i].generation);
        for (size_t i = at; i < end; i++)
            vbt_put_string(w, (const char *)m->modules[i].build_id, m->modules[i].build_id_size);
        vbt_trace_writer_end(out, VBT_CHUNK_MODULES);
        at = end;
    }
}

static void write_strings(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 1; at <= m->string_count;) {
        size_t end = at, text = 0;
        for (; end <= m->string_count && text < TEXT_ROOM; end++)
            text += strlen(vbt_model_string(m, (uint32_t)end)) + 5;
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        put_definition_head(w, at, end - at);
        for (; at < end; at++)
            put_text(w, vbt_model_string(m, (uint32_t)at));
        vbt_trace_writer_end(out, VBT_CHUNK_STRINGS);
    }
}

static void write_codes(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0, count; at < m->code_count; at += count) {
        const struct vbt_model_code *rows = m->codes + at + 1;
        count = vbt_merged_rows(at, m->code_count, CODE_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        put_definition_head(w, at + 1, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].file);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].name);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, (uint64_t)rows[i].first_line);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].flags);
        vbt_trace_writer_end(out, VBT_CHUNK_CODES);
    }
}

static void write_sites(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0, count; at < m->site_count; at += count) {
        const struct vbt_model_site *rows = m->sites + at + 1;
        count = vbt_merged_rows(at, m->site_count, SITE_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        put_definition_head(w, at + 1, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].kind);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].a);
        for (size_t i = 0; i < count; i++)
            vbt_put_zigzag(w, rows[i].b);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].module);
        vbt_trace_writer_end(out, VBT_CHUNK_SITES);
    }
}

static void write_nodes(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0, count; at < m->node_count; at += count) {
        const struct vbt_model_node *rows = m->nodes + at + 1;
        count = vbt_merged_rows(at, m->node_count, NODE_ROW);
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        put_definition_head(w, at + 1, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, at + 1 + i - rows[i].parent);
        for (size_t i = 0, site = 0; i < count; site = rows[i++].site)
            vbt_put_zigzag(w, (int64_t)rows[i].site - (int64_t)site);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, rows[i].domain);
        vbt_trace_writer_end(out, VBT_CHUNK_NODES);
    }
}

void vbt_merged_write_definitions(struct vbt_trace_writer *out, const struct vbt_model *m) {
    write_modules(out, m);
    write_strings(out, m);
    write_codes(out, m);
    write_sites(out, m);
    write_nodes(out, m);
}

/* One column over the frames of some sites. */
static void put_frames(struct vbt_writer *w, const struct vbt_model *m, const uint32_t *sites, size_t count, int column) {
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < m->named_sites[sites[i]].count; k++) {
            const struct vbt_named_frame *frame = &m->named_frames[m->named_sites[sites[i]].first + k];
            const uint64_t values[] = {frame->function, frame->file, (uint64_t)frame->line, frame->declared_file,
                                       (uint64_t)frame->declared_line};
            vbt_put_varint(w, values[column]);
        }
}

static void write_frames(struct vbt_trace_writer *out, const struct vbt_model *m) {
    static uint32_t sites[FRAMES_ROOM];
    for (uint32_t site = 1; site <= m->site_count;) {
        size_t count = 0, frames = 0;
        for (; site <= m->site_count && count < FRAMES_ROOM && frames < FRAMES_ROOM; site++)
            if (m->named_sites[site].count > 0) {
                frames += m->named_sites[site].count;
                sites[count++] = site;
            }
        if (count == 0)
            continue;
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, count);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, sites[i] - (i > 0 ? sites[i - 1] : 0));
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, m->named_sites[sites[i]].state);
        for (size_t i = 0; i < count; i++)
            vbt_put_varint(w, m->named_sites[sites[i]].count);
        for (int column = 0; column < 5; column++)
            put_frames(w, m, sites, count, column);
        vbt_trace_writer_end(out, VBT_CHUNK_FRAMES);
    }
}

static void write_sources(struct vbt_trace_writer *out, const struct vbt_model *m) {
    for (size_t at = 0; at < m->source_row_count;) {
        size_t end = at, text = 0;
        for (; end < m->source_row_count && (end == at || text + m->source_rows[end].size < TEXT_ROOM); end++)
            text += m->source_rows[end].size + 32;
        struct vbt_writer *w = vbt_trace_writer_begin(out);
        vbt_put_varint(w, end - at);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->source_rows[i].file);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, (uint64_t)m->source_rows[i].line);
        for (size_t i = at; i < end; i++)
            vbt_put_varint(w, m->source_rows[i].changed);
        for (size_t i = at; i < end; i++)
            vbt_put_string(w, m->source_text + m->source_rows[i].text, m->source_rows[i].size);
        vbt_trace_writer_end(out, VBT_CHUNK_SOURCES);
        at = end;
    }
}

void vbt_merged_write_names(struct vbt_trace_writer *out, const struct vbt_model *m) {
    write_frames(out, m);
    write_sources(out, m);
}
