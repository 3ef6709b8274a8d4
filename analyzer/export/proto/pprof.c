/* See pprof.h. The field numbers are those of profile.proto. Messages are written as they come; the
 * table of strings, which grows meanwhile, is written last. */
#include "pprof.h"

#include "gzip.h"
#include "protobuf.h"
#include "section_parts.h"
#include "analyzer/export/stack_tables.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"
#include "analyzer/base/utf8.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/report/command_line.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_TYPE = 1,
    SAMPLE,
    MAPPING,
    LOCATION,
    FUNCTION,
    STRING,
    TIME = 9,
    DURATION,
    PERIOD_TYPE,
    PERIOD,
    COMMENT,
    DEFAULT_TYPE
};

/* Go's names of the first four are what other readers look for. */
static const struct {
    const char *name, *unit;
    enum vbt_measure measure;
    enum vbt_measure asked; /* the value of --measure that shows it first */
} types[] = {
    {"alloc_objects", "count", VBT_MEASURE_ALLOCS, VBT_MEASURE_ALLOCS},
    {"alloc_space", "bytes", VBT_MEASURE_BYTES, VBT_MEASURE_BYTES},
    {"inuse_objects", "count", VBT_MEASURE_LIVE_BLOCKS, VBT_MEASURE_BLOCKS},
    {"inuse_space", "bytes", VBT_MEASURE_LIVE, VBT_MEASURE_LEAKS},
    {"peak_space", "bytes", VBT_MEASURE_PEAK, VBT_MEASURE_PEAK},
    {"temporary_objects", "count", VBT_MEASURE_TEMPORARY, VBT_MEASURE_TEMPORARY},
};

enum { TYPES = VBT_COUNT(types) };

/* And of lines that were counted, by line only. */
static const struct { const char *name, *unit; } line_types[] = {{"time", "nanoseconds"}, {"hits", "count"}};

enum { LINE_TYPES = VBT_COUNT(line_types) };

struct pprof_text {
    char *text;
    uint32_t number;
    uint32_t mapping; /* of the file at this path; 0: none */
    UT_hash_handle hh;
};

struct profile {
    const struct vbt_trace *trace;
    struct vbt_call_tree tree;
    struct vbt_locations locations;
    struct vbt_gzip *gzip;
    struct vbt_text_buffer field, message, part; /* in the making, one within the other */
    struct pprof_text *texts, **text_rows;
    size_t text_count, text_capacity;
    uint32_t *function_of; /* by place: its number; 0: not written yet */
    uint32_t *mapping_of;  /* by place */
    bool *is_used;         /* by location */
    uint32_t functions;
    bool with_peak;
    enum vbt_group by; /* as asked; else threads, or of several traces processes, if there are any to tell apart */
    bool by_asked;
    const char **process_labels; /* of the groups of several processes, by process */
    struct vbt_section_parts sections;
    struct vbt_line_profile lines; /* that were counted */
    bool with_lines;
};

static struct pprof_text *text_row(struct profile *p, const char *bytes) {
    char *text = vbt_utf8_valid(bytes, strlen(bytes));
    struct pprof_text *known;
    HASH_FIND_STR(p->texts, text, known);
    if (known != NULL) {
        free(text);
        return known;
    }
    known = vbt_new(1, sizeof *known);
    known->text = text;
    known->number = (uint32_t)p->text_count;
    HASH_ADD_KEYPTR(hh, p->texts, known->text, strlen(known->text), known);
    p->text_rows = vbt_grow(p->text_rows, &p->text_capacity, p->text_count + 1, sizeof *p->text_rows);
    p->text_rows[p->text_count++] = known;
    return known;
}

/* The number of a text; 0 is "". */
static uint32_t text_number(struct profile *p, const char *bytes) { return text_row(p, bytes)->number; }

static void flush(struct profile *p, unsigned field) {
    p->field.size = 0;
    vbt_proto_message(&p->field, field, &p->message);
    vbt_gzip_write(p->gzip, p->field.text, p->field.size);
    p->message.size = 0;
}

static void put_value_type(struct profile *p, unsigned field, const char *name, const char *unit) {
    vbt_proto_number(&p->message, 1, text_number(p, name));
    vbt_proto_number(&p->message, 2, text_number(p, unit));
    flush(p, field);
}

static bool has_type(const struct profile *p, int type) { return types[type].measure != VBT_MEASURE_PEAK || p->with_peak; }

static void put_types(struct profile *p) {
    for (int i = 0; i < TYPES; i++)
        if (has_type(p, i))
            put_value_type(p, SAMPLE_TYPE, types[i].name, types[i].unit);
    for (int i = 0; i < LINE_TYPES && p->with_lines; i++)
        put_value_type(p, SAMPLE_TYPE, line_types[i].name, line_types[i].unit);
}

/* Everything is named already, so that pprof looks for no file. */
static void put_mapping(struct profile *p, struct pprof_text *path, const struct vbt_model_module *module) {
    static const unsigned has[] = {7, 8, 9, 10}; /* functions, file names, line numbers, inlined frames */
    char id[2 * VBT_BUILD_ID_MAX + 1] = "";
    for (uint32_t i = 0; module != NULL && i < module->build_id_size; i++)
        snprintf(id + 2 * (size_t)i, 3, "%02x", module->build_id[i]);
    vbt_proto_number(&p->message, 1, path->mapping);
    vbt_proto_number(&p->message, 5, path->number);
    vbt_proto_number(&p->message, 6, text_number(p, id));
    for (size_t i = 0; i < VBT_COUNT(has); i++)
        vbt_proto_number(&p->message, has[i], 1);
    flush(p, MAPPING);
}

/* The program first, which is what pprof takes for it. Python code lies in no file of its own. */
static void put_mappings(struct profile *p) {
    const struct vbt_model *m = &p->trace->model;
    const char *exe = vbt_model_process(m, "exe");
    uint32_t count = 0;
    if (exe != NULL)
        text_row(p, exe)->mapping = ++count;
    for (size_t i = 1; i < p->tree.place_count; i++) {
        struct pprof_text *path = p->tree.places[i]->module != NULL ? text_row(p, p->tree.places[i]->module) : NULL;
        if (path != NULL && path->mapping == 0)
            path->mapping = ++count;
        p->mapping_of[i] = path != NULL ? path->mapping : 0;
    }
    const struct vbt_model_module **modules = vbt_new(count + 1, sizeof *modules);
    for (size_t i = 0; i < m->module_count; i++) {
        uint32_t mapping = text_row(p, m->modules[i].path)->mapping;
        if (modules[mapping] == NULL || modules[mapping]->build_id_size == 0)
            modules[mapping] = &m->modules[i];
    }
    for (size_t i = 0, all = p->text_count; i < all; i++)
        if (p->text_rows[i]->mapping == 1)
            put_mapping(p, p->text_rows[i], modules[1]);
    for (size_t i = 0, all = p->text_count; i < all; i++)
        if (p->text_rows[i]->mapping > 1)
            put_mapping(p, p->text_rows[i], modules[p->text_rows[i]->mapping]);
    free(modules);
}

static uint32_t function_number(struct profile *p, uint32_t place) {
    if (p->function_of[place] != 0)
        return p->function_of[place];
    struct vbt_text_buffer message = {0}, field = {0};
    const struct vbt_source_place *of = p->tree.places[place];
    uint32_t name = text_number(p, of->function), file = text_number(p, of->file);
    vbt_proto_number(&message, 1, ++p->functions);
    vbt_proto_number(&message, 2, name); /* without a system_name: it is demangled, and "<module>" is no template */
    vbt_proto_number(&message, 4, file);
    vbt_proto_message(&field, FUNCTION, &message);
    vbt_gzip_write(p->gzip, field.text, field.size);
    free(message.text);
    free(field.text);
    return p->function_of[place] = p->functions;
}

static void put_locations(struct profile *p) {
    for (uint32_t i = 1; i <= p->locations.count; i++) {
        const struct vbt_location *row = &p->locations.rows[i];
        if (!p->is_used[i])
            continue;
        vbt_proto_number(&p->message, 1, i);
        vbt_proto_number(&p->message, 2, p->mapping_of[row->place]);
        for (uint32_t at = i; at != 0; at = p->locations.rows[at].outer) {
            uint32_t place = p->locations.rows[at].place;
            p->part.size = 0;
            vbt_proto_number(&p->part, 1, function_number(p, place));
            vbt_proto_number(&p->part, 2, (uint64_t)p->tree.places[place]->line);
            vbt_proto_message(&p->message, 4, &p->part);
        }
        flush(p, LOCATION);
    }
}

static void put_text_label(struct profile *p, const char *key, const char *text) {
    p->part.size = 0;
    vbt_proto_number(&p->part, 1, text_number(p, key));
    vbt_proto_number(&p->part, 2, text_number(p, text));
    vbt_proto_message(&p->message, 3, &p->part);
}

/* Which process counted it: its number, and its rank in a parallel job. */
static void put_process(struct profile *p, const struct vbt_model *process) {
    int64_t pid = vbt_model_process_number(process, "pid");
    const char *rank = vbt_model_process(process, "rank");
    if (pid > 0) {
        p->part.size = 0;
        vbt_proto_number(&p->part, 1, text_number(p, "pid"));
        vbt_proto_number(&p->part, 3, (uint64_t)pid);
        vbt_proto_message(&p->message, 3, &p->part);
    }
    if (rank != NULL)
        put_text_label(p, "rank", rank);
}

/* The process that a group of processes stands for; NULL if several have that name. */
static const struct vbt_model *process_of(const struct profile *p, const char *group) {
    const struct vbt_model *m = &p->trace->model, *found = NULL;
    for (size_t i = 0; i < m->process_rows; i++)
        if (strcmp(p->process_labels[i], group) == 0) {
            if (found != NULL)
                return NULL;
            found = &m->processes[i];
        }
    return found;
}

static void put_labels(struct profile *p, uint32_t call, const char *section) {
    const struct vbt_model *m = &p->trace->model, *process = vbt_model_is_merged(m) ? NULL : m;
    uint32_t group = vbt_call_group(&p->tree, call);
    const char *name = group != 0 ? vbt_call_place(&p->tree, group)->function : "";
    if (group != 0 && (p->by_asked || p->by != VBT_BY_PROCESS))
        put_text_label(p, vbt_group_nouns[p->by], name);
    if (group != 0 && p->by == VBT_BY_PROCESS && process == NULL)
        process = process_of(p, name);
    if (process != NULL)
        put_process(p, process);
    if (section != NULL)
        put_text_label(p, "section", section);
}

/* Ends a sample whose locations are written. */
static void put_values(struct profile *p, const struct vbt_measures *counted, int64_t time, uint64_t hits) {
    p->part.size = 0;
    for (int type = 0; type < TYPES; type++)
        if (has_type(p, type))
            vbt_proto_varint(&p->part, (uint64_t)counted->of[types[type].measure]);
    if (p->with_lines) {
        vbt_proto_varint(&p->part, (uint64_t)time);
        vbt_proto_varint(&p->part, hits);
    }
    vbt_proto_message(&p->message, 2, &p->part);
}

/* What was counted at a call stack, or of that in a section. */
static void put_sample(struct profile *p, uint32_t call, const struct vbt_measures *counted, size_t limit, const char *section) {
    const struct vbt_call_tree *tree = &p->tree;
    p->part.size = 0;
    uint32_t at = tree->calls[call].group ? 0 : call;
    for (size_t frames = 0; at != 0 && frames < limit; at = vbt_call_outside(tree, at), frames++) {
        vbt_proto_varint(&p->part, p->locations.of_call[at]);
        p->is_used[p->locations.of_call[at]] = true;
    }
    vbt_proto_message(&p->message, 1, &p->part);
    put_values(p, counted, 0, 0);
    put_labels(p, call, section);
    flush(p, SAMPLE);
}

/* A sample for each call stack, and for each section that it allocated in. */
static void put_samples(struct profile *p, size_t limit) {
    const struct vbt_section_part *parts = p->sections.rows;
    size_t at = 0, end = parts != NULL ? p->sections.count : 0;
    for (uint32_t i = 0; i < p->tree.count; i++) {
        if (p->tree.calls[i].counts == 0)
            continue;
        struct vbt_measures self = vbt_call_self(&p->tree, i);
        for (; at < end && parts[at].call == i; at++) {
            const struct vbt_section_part *part = &parts[at];
            const struct vbt_measures inside = {.of[VBT_MEASURE_ALLOCS] = part->allocs, .of[VBT_MEASURE_BYTES] = part->allocated};
            self.of[VBT_MEASURE_ALLOCS] -= part->allocs;
            self.of[VBT_MEASURE_BYTES] -= part->allocated;
            put_sample(p, i, &inside, limit, p->sections.names[part->section].name);
        }
        put_sample(p, i, &self, limit, NULL);
    }
}

/* A sample for each line that was counted, with what it did itself. Its location is its own. */
static void put_lines(struct profile *p) {
    static const struct vbt_measures nothing;
    uint64_t location = p->locations.count;
    for (size_t i = 0; i < p->lines.count; i++) {
        const struct vbt_profile_function *function = &p->lines.functions[i];
        uint32_t name = text_number(p, function->place->function), file = text_number(p, function->place->file);
        vbt_proto_number(&p->message, 1, ++p->functions);
        vbt_proto_number(&p->message, 2, name);
        vbt_proto_number(&p->message, 4, file);
        flush(p, FUNCTION);
        for (size_t k = 0; k < function->count; k++) {
            const struct vbt_profile_line *line = &function->lines[k];
            vbt_proto_number(&p->message, 1, ++location);
            p->part.size = 0;
            vbt_proto_number(&p->part, 1, p->functions);
            vbt_proto_number(&p->part, 2, (uint64_t)line->line);
            vbt_proto_message(&p->message, 4, &p->part);
            flush(p, LOCATION);
            p->part.size = 0;
            vbt_proto_varint(&p->part, location);
            vbt_proto_message(&p->message, 1, &p->part);
            put_values(p, &nothing, line->own.time, line->hits);
            put_labels(p, 0, NULL);
            flush(p, SAMPLE);
        }
    }
}

static void put_comment(struct profile *p, const char *text) {
    p->field.size = 0;
    vbt_proto_number(&p->field, COMMENT, text_number(p, text));
    vbt_gzip_write(p->gzip, p->field.text, p->field.size);
}

/* When it ran, what ran, what is shown first; and all texts. */
static void put_rest(struct profile *p, const struct vbt_query *query) {
    const struct vbt_model *m = &p->trace->model;
    char *command = vbt_command_line(m), *pid = vbt_text("pid %lld", (long long)vbt_model_process_number(m, "pid"));
    put_comment(p, command);
    put_comment(p, pid);
    free(command);
    free(pid);
    put_value_type(p, PERIOD_TYPE, "space", "bytes");
    p->field.size = 0;
    vbt_proto_number(&p->field, TIME, (uint64_t)vbt_model_process_number(m, "started"));
    vbt_proto_number(&p->field, DURATION, vbt_model_duration(m));
    vbt_proto_number(&p->field, PERIOD, 1);
    for (int i = 0; i < TYPES; i++)
        if (types[i].asked == query->measure)
            vbt_proto_number(&p->field, DEFAULT_TYPE, text_number(p, types[i].name));
    for (size_t i = 0; i < p->text_count; i++)
        vbt_proto_bytes(&p->field, STRING, p->text_rows[i]->text, strlen(p->text_rows[i]->text));
    vbt_gzip_write(p->gzip, p->field.text, p->field.size);
}

static void free_texts(struct profile *p) {
    HASH_CLEAR(hh, p->texts);
    for (size_t i = 0; i < p->text_count; i++) {
        free(p->text_rows[i]->text);
        free(p->text_rows[i]);
    }
    free(p->text_rows);
}

/* What else there is to tell apart, if nothing is asked for. */
static enum vbt_group group_of(const struct vbt_model *m, const struct vbt_query *query) {
    if (query->by != VBT_BY_NOTHING)
        return query->by;
    if (vbt_model_is_merged(m))
        return VBT_BY_PROCESS;
    if (m->thread_count <= 1)
        return VBT_BY_NOTHING;
    struct vbt_query by_thread = *query;
    by_thread.by = VBT_BY_THREAD;
    char *why = vbt_part_refusal(m, &by_thread);
    if (why != NULL)
        vbt_warn("%s: pprof: threads are left out, since what each did is not known of this part of the run", query->trace);
    bool known = why == NULL;
    free(why);
    return known ? VBT_BY_THREAD : VBT_BY_NOTHING;
}

/* Builds the call tree, and collects what call stacks did in sections. */
static void build_tree(struct profile *p, struct vbt_trace *trace, const struct vbt_query *query) {
    const struct vbt_model *m = &trace->model;
    size_t nodes = m->node_count;
    struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    p->by_asked = query->by != VBT_BY_NOTHING;
    shape.by = p->by = group_of(m, query);
    bool any = false, whole = p->by == VBT_BY_NOTHING && !m->window.is_part;
    for (size_t i = 0; i < m->interval_count; i++)
        any = any || m->intervals[i].kind == VBT_INTERVAL_SECTION;
    if (whole) {
        uint32_t *calls = vbt_call_tree_build_with_calls(&p->tree, trace, &shape);
        vbt_section_parts_build(&p->sections, m, &p->tree, calls, nodes);
        free(calls);
    } else {
        vbt_call_tree_build(&p->tree, trace, &shape);
    }
    if (p->sections.unknown)
        vbt_warn("%s: pprof: sections are left out, since it is not known which of their runs lay in which", query->trace);
    else if (any && !whole)
        vbt_warn("%s: pprof: sections are left out: they are labels of the whole run of one thread only", query->trace);
}

/* Names the processes of several as their groups are named. */
static void name_processes(struct profile *p) {
    const struct vbt_model *m = &p->trace->model;
    p->process_labels = vbt_new(m->process_rows, sizeof *p->process_labels);
    for (size_t i = 0; i < m->process_rows; i++)
        p->process_labels[i] = vbt_process_label(&m->processes[i]);
}

static void finish(struct profile *p) {
    for (size_t i = 0; i < p->trace->model.process_rows; i++)
        free((char *)(uintptr_t)p->process_labels[i]);
    free(p->process_labels);
    free_texts(p);
    free(p->field.text);
    free(p->message.text);
    free(p->part.text);
    free(p->function_of);
    free(p->mapping_of);
    free(p->is_used);
    vbt_section_parts_free(&p->sections);
    vbt_line_profile_free(&p->lines);
    vbt_locations_free(&p->locations);
    vbt_call_tree_free(&p->tree);
}

void vbt_export_pprof(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct profile p = {.trace = trace, .with_peak = vbt_measure_is_known(VBT_MEASURE_PEAK)};
    if (trace->model.line_counts_count > 0)
        vbt_line_profile_build(&p.lines, &trace->model, trace->places, trace->filter);
    p.with_lines = p.lines.count > 0;
    build_tree(&p, trace, query);
    name_processes(&p);
    if (!p.with_peak)
        vbt_warn("%s: pprof: peak_space is left out, since it is not known of this part of the run", query->trace);
    if (p.with_lines)
        vbt_warn("%s: pprof: time and hits are those of single lines: call stacks have none", query->trace);
    p.function_of = vbt_new(p.tree.place_count, sizeof *p.function_of);
    p.mapping_of = vbt_new(p.tree.place_count, sizeof *p.mapping_of);
    p.gzip = vbt_gzip_new(out);
    text_number(&p, "");
    vbt_locations_build(&p.locations, &p.tree);
    p.is_used = vbt_new(p.locations.count + 1, sizeof *p.is_used);
    put_types(&p);
    put_mappings(&p);
    put_samples(&p, vbt_export_limit(&p.tree, query));
    put_locations(&p);
    put_lines(&p);
    put_rest(&p, query);
    vbt_gzip_finish(p.gzip);
    finish(&p);
}
