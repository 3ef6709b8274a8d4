/* See symbolize.h. */
#include "symbolize.h"

#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/base/allocate.h"
#include "analyzer/symbols/source.h"
#include "analyzer/symbols/symbols.h"
#include "analyzer/trace/string_table.h"

#include <stdlib.h>
#include <string.h>

/* Limits on the rows of one chunk, so that they surely fit: a frame takes at most 25 bytes, a site
 * 3 varints. */
enum { CHUNK_SITES = 8192, CHUNK_FRAMES = 16384, CHUNK_LINES = 8192, CHUNK_TEXT = VBT_CHUNK_RAW_MAX / 2 };

struct site {
    uint32_t id;
    enum vbt_binary_state state;
    size_t first, count; /* of the frames */
};

struct line {
    const char *file;
    uint32_t file_id;
    int64_t number;
    bool changed;
    const char *text;
    size_t size;
};

struct vbt_symbolization {
    const struct vbt_model *model;
    struct vbt_symbols *symbols;
    struct vbt_sources *sources;
    struct vbt_string_table *strings;
    struct site *sites;
    size_t site_count, site_capacity;
    struct vbt_named_frame *frames;
    size_t frame_count, frame_capacity;
    struct line *lines;
    size_t line_count, line_capacity;
};

static void want_line(struct vbt_symbolization *s, const char *file, int64_t number) {
    if (file == NULL || number <= 0)
        return;
    s->lines = vbt_grow(s->lines, &s->line_capacity, s->line_count + 1, sizeof *s->lines);
    s->lines[s->line_count++] = (struct line){.file = file, .file_id = vbt_string_table_id(s->strings, file), .number = number};
}

static uint32_t string_id(struct vbt_symbolization *s, const char *text) {
    return text != NULL ? vbt_string_table_id(s->strings, text) : 0;
}

static void name_site(struct vbt_symbolization *s, uint32_t id) {
    struct vbt_symbolized found = vbt_symbols_find(s->symbols, id);
    s->sites = vbt_grow(s->sites, &s->site_capacity, s->site_count + 1, sizeof *s->sites);
    s->sites[s->site_count++] = (struct site){.id = id, .state = found.state, .first = s->frame_count, .count = found.count};
    s->frames = vbt_grow(s->frames, &s->frame_capacity, s->frame_count + found.count, sizeof *s->frames);
    for (size_t i = 0; i < found.count; i++) {
        const struct vbt_symbol *symbol = &found.symbols[i];
        s->frames[s->frame_count++] = (struct vbt_named_frame){.function = string_id(s, symbol->function),
                                                               .file = string_id(s, symbol->file),
                                                               .declared_file = string_id(s, symbol->declared_file),
                                                               .line = symbol->line,
                                                               .declared_line = symbol->declared_line};
        want_line(s, symbol->file, symbol->line);
        want_line(s, symbol->declared_file, symbol->declared_line);
    }
}

/* Adds all lines of functions whose lines were counted, including those that never ran. */
static void want_counted_functions(struct vbt_symbolization *s) {
    struct vbt_places *places = vbt_places_new(s->model);
    struct vbt_filter *all = vbt_filter_new(&(struct vbt_query){0});
    struct vbt_line_profile profile;
    vbt_line_profile_build(&profile, s->model, places, all);
    for (size_t i = 0; i < profile.count; i++) {
        const struct vbt_profile_function *function = &profile.functions[i];
        int64_t last = vbt_profile_last_line(function, s->sources);
        for (int64_t line = function->place->line; line <= last && !function->is_module;
             line = vbt_profile_next_line(function, s->sources, line))
            want_line(s, function->place->file, line);
    }
    vbt_line_profile_free(&profile);
    vbt_filter_free(all);
    vbt_places_free(places);
}

static int by_file_and_number(const void *left, const void *right) {
    const struct line *a = left, *b = right;
    if (a->file_id != b->file_id)
        return a->file_id < b->file_id ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Reads each line once, and keeps those that exist. */
static void read_lines(struct vbt_symbolization *s) {
    size_t kept = 0;
    if (s->line_count > 0)
        qsort(s->lines, s->line_count, sizeof *s->lines, by_file_and_number);
    struct line last = {0};
    for (size_t i = 0; i < s->line_count; i++) {
        struct line line = s->lines[i];
        if (by_file_and_number(&line, &last) == 0)
            continue;
        last = line;
        line.text = vbt_source_line(s->sources, line.file, line.number, &line.size);
        line.changed = vbt_source_changed(s->sources, line.file);
        s->lines[kept] = line;
        kept += line.text != NULL;
    }
    s->line_count = kept;
}

struct vbt_symbolization *vbt_symbolization_new(struct vbt_model *m, struct vbt_binaries *binaries, struct vbt_progress *progress) {
    struct vbt_symbolization *s = vbt_new(1, sizeof *s);
    for (size_t id = 0; id < m->named_site_count; id++)
        if (m->named_sites[id].state >= VBT_BINARY_GONE)
            m->named_sites[id] = (struct vbt_named_site){0};
    s->model = m;
    s->symbols = vbt_symbols_new(m, binaries);
    s->sources = vbt_sources_new(m);
    s->strings = vbt_string_table_new(m);
    vbt_symbols_read_ahead(s->symbols);
    for (uint32_t id = 1; id <= m->site_count; id++) {
        const struct vbt_model_site *site = &m->sites[id];
        vbt_progress_at(progress, id, m->site_count);
        if (site->kind == VBT_SITE_NATIVE)
            name_site(s, id);
        if (site->kind != VBT_SITE_PYTHON)
            continue;
        const struct vbt_model_code *code = &m->codes[site->a];
        want_line(s, vbt_model_string(m, code->file), site->b);
        want_line(s, vbt_model_string(m, code->file), code->first_line);
    }
    want_counted_functions(s);
    read_lines(s);
    return s;
}

void vbt_symbolization_free(struct vbt_symbolization *s) {
    vbt_string_table_free(s->strings);
    vbt_sources_free(s->sources);
    vbt_symbols_free(s->symbols);
    free(s->sites);
    free(s->frames);
    free(s->lines);
    free(s);
}

static void write_strings(const struct vbt_symbolization *s, struct vbt_trace_writer *writer) {
    size_t count = vbt_string_table_added(s->strings);
    for (size_t first = 0; first < count;) {
        size_t last = first, bytes = 0;
        while (last < count && (last == first || bytes < CHUNK_TEXT))
            bytes += strlen(vbt_string_table_text(s->strings, last++)) + VBT_VARINT_MAX;
        struct vbt_writer *w = vbt_trace_writer_begin(writer);
        vbt_put_varint(w, s->model->string_count + 1 + first);
        vbt_put_varint(w, last - first);
        for (size_t i = first; i < last; i++) {
            const char *text = vbt_string_table_text(s->strings, i);
            vbt_put_string(w, text, strlen(text));
        }
        vbt_trace_writer_end(writer, VBT_CHUNK_STRINGS);
        first = last;
    }
}

static void put_sites(struct vbt_writer *w, const struct site *sites, size_t count) {
    vbt_put_varint(w, count);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, sites[i].id - (i > 0 ? sites[i - 1].id : 0));
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, sites[i].state);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, sites[i].count);
}

static void put_frames(struct vbt_writer *w, const struct vbt_named_frame *frames, size_t count) {
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, frames[i].function);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, frames[i].file);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, (uint64_t)frames[i].line);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, frames[i].declared_file);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, (uint64_t)frames[i].declared_line);
}

static void write_frames(const struct vbt_symbolization *s, struct vbt_trace_writer *writer) {
    for (size_t first = 0; first < s->site_count;) {
        size_t last = first, frames = 0;
        while (last < s->site_count && last - first < CHUNK_SITES && frames < CHUNK_FRAMES)
            frames += s->sites[last++].count;
        struct vbt_writer *w = vbt_trace_writer_begin(writer);
        put_sites(w, s->sites + first, last - first);
        put_frames(w, s->frames + s->sites[first].first, frames);
        vbt_trace_writer_end(writer, VBT_CHUNK_FRAMES);
        first = last;
    }
}

/* Writes at least one chunk, even an empty one: it means that no other lines are to be read from
 * files. */
static void write_lines(const struct vbt_symbolization *s, struct vbt_trace_writer *writer) {
    size_t first = 0;
    do {
        size_t last = first, bytes = 0;
        while (last < s->line_count && last - first < CHUNK_LINES && bytes < CHUNK_TEXT)
            bytes += s->lines[last++].size + VBT_VARINT_MAX;
        struct vbt_writer *w = vbt_trace_writer_begin(writer);
        vbt_put_varint(w, last - first);
        for (size_t i = first; i < last; i++)
            vbt_put_varint(w, s->lines[i].file_id);
        for (size_t i = first; i < last; i++)
            vbt_put_varint(w, (uint64_t)s->lines[i].number);
        for (size_t i = first; i < last; i++)
            vbt_put_varint(w, s->lines[i].changed);
        for (size_t i = first; i < last; i++)
            vbt_put_string(w, s->lines[i].text, s->lines[i].size);
        vbt_trace_writer_end(writer, VBT_CHUNK_SOURCES);
        first = last;
    } while (first < s->line_count);
}

static bool has_note(const struct vbt_model *model, const char *note) {
    for (size_t i = 0; i < model->process_count; i++)
        if (strcmp(model->process[i].key, "note") == 0 && strcmp(model->process[i].value, note) == 0)
            return true;
    return false;
}

static void put_text(struct vbt_writer *w, const char *text) { vbt_put_string(w, text, strlen(text)); }

/* What debug information lacked is not to be seen in the names: notes say it, in PROCESS, which
 * replaces the one before. */
static void write_notes(const struct vbt_symbolization *s, struct vbt_trace_writer *writer) {
    const struct vbt_model *model = s->model;
    size_t count = 0;
    char *note;
    for (size_t i = 0; (note = vbt_symbols_incomplete(s->symbols, i)) != NULL; free(note), i++)
        count += !has_note(model, note);
    if (count == 0)
        return;
    struct vbt_writer *w = vbt_trace_writer_begin(writer);
    vbt_put_varint(w, model->process_count + count);
    for (size_t i = 0; i < model->process_count; i++) {
        put_text(w, model->process[i].key);
        put_text(w, model->process[i].value);
    }
    for (size_t i = 0; (note = vbt_symbols_incomplete(s->symbols, i)) != NULL; free(note), i++) {
        if (has_note(model, note))
            continue;
        put_text(w, "note");
        put_text(w, note);
    }
    vbt_trace_writer_end(writer, VBT_CHUNK_PROCESS);
}

void vbt_symbolization_write(const struct vbt_symbolization *s, struct vbt_trace_writer *writer) {
    write_notes(s, writer);
    write_strings(s, writer);
    write_frames(s, writer);
    write_lines(s, writer);
}

size_t vbt_symbolization_sites(const struct vbt_symbolization *s) { return s->site_count; }

size_t vbt_symbolization_lines(const struct vbt_symbolization *s) { return s->line_count; }

char *vbt_symbolization_trouble(const struct vbt_symbolization *s, size_t number) {
    return vbt_symbols_trouble(s->symbols, number);
}
