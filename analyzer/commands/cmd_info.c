/* vbtrace info: what a trace file holds, and whether it is intact. */
#include "commands.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/json.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/overview.h"
#include "format/chunk_kinds.h"
#include "format/count.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How many of something the file defines or holds. */
struct definition {
    const char *name;
    uint64_t count;
};

enum { DEFINITIONS = 9 };

static void count_definitions(const struct vbt_model *m, struct definition definitions[DEFINITIONS]) {
    const struct definition all[DEFINITIONS] = {
        {"strings", m->string_count},
        {"codes", m->code_count},
        {"sites", m->site_count},
        {"nodes", m->node_count},
        {"modules", m->module_count},
        {"counted_nodes", m->counted_nodes},
        {"ticks", m->ticks.count - m->ticks.first},
        {"intervals", m->interval_count},
        {"interval_sites", m->interval_site_count},
    };
    memcpy(definitions, all, sizeof all);
}

static char *state_of(const struct vbt_model *m) {
    if (m->damage != NULL)
        return vbt_text("damaged at byte %" PRIu64 ": %s", m->damage_offset, m->damage);
    if (!m->ended)
        return vbt_text("cut off: no END at %" PRIu64 " bytes", m->file_bytes);
    return vbt_text("complete, ended by %s", m->end_reason);
}

static void print_fact(struct vbt_output *output, const char *key, const char *value) {
    char *shown_key = vbt_utf8_printable(key, strlen(key)), *shown = vbt_utf8_printable(value, strlen(value));
    fprintf(output->stream, "%-14s %s\n", shown_key, shown);
    free(shown_key);
    free(shown);
}

static void print_chunks(const struct vbt_model *m, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "Chunks", .width = 14},
        {.title = "Count", .align = VBT_RIGHT, .gap = 2},
        {.title = "Stored", .align = VBT_RIGHT, .gap = 2},
        {.title = "Raw", .align = VBT_RIGHT, .gap = 2},
    };
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    struct vbt_model_chunk_sums all = {0};
    for (int i = 1; i <= VBT_CHUNK_KINDS; i++) {
        int kind = i % VBT_CHUNK_KINDS; /* unknown kinds come last */
        const struct vbt_model_chunk_sums *sums = &m->chunks[kind];
        if (sums->count == 0)
            continue;
        vbt_text_table_cell(table, "%s", vbt_chunk_name(kind));
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)sums->count).text);
        vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)sums->stored).text);
        vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)sums->raw).text);
        all.count += sums->count;
        all.stored += sums->stored;
        all.raw += sums->raw;
    }
    vbt_text_table_cell(table, "all");
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)all.count).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)all.stored).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)all.raw).text);
    vbt_text_table_print(table, output, '-');
    vbt_text_table_free(table);
}

static const char *conservation_text(const struct vbt_conservation *conservation) {
    if (!conservation->checked)
        return "not checked: only a trace that was written to its end can be checked";
    return conservation->holds ? "sums over call paths equal the totals" : conservation->difference;
}

static void print_text(const struct vbt_model *m, const struct vbt_conservation *conservation, struct vbt_output *output) {
    struct definition definitions[DEFINITIONS];
    count_definitions(m, definitions);
    char *state = state_of(m);
    print_fact(output, "file", m->path);
    print_fact(output, "state", state);
    print_fact(output, "readable", vbt_bytes((int64_t)m->file_bytes).text);
    print_fact(output, "duration", vbt_time((double)vbt_model_duration(m)).text);
    print_fact(output, "conservation", conservation_text(conservation));
    print_fact(output, "lost", vbt_count((int64_t)vbt_lost_total(m)).text);
    free(state);
    putc('\n', output->stream);
    print_chunks(m, output);
    putc('\n', output->stream);
    for (size_t i = 0; i < DEFINITIONS; i++)
        print_fact(output, definitions[i].name, vbt_count((int64_t)definitions[i].count).text);
    putc('\n', output->stream);
    for (size_t i = 0; i < m->process_count; i++)
        print_fact(output, m->process[i].key, m->process[i].value);
}

static json_t *chunks_of(const struct vbt_model *m) {
    json_t *chunks = json_object();
    for (int kind = 0; kind < VBT_CHUNK_KINDS; kind++) {
        const struct vbt_model_chunk_sums *sums = &m->chunks[kind];
        if (sums->count == 0)
            continue;
        json_t *row = json_object();
        json_object_set_new(row, "count", vbt_json_unsigned(sums->count));
        json_object_set_new(row, "stored_bytes", vbt_json_unsigned(sums->stored));
        json_object_set_new(row, "raw_bytes", vbt_json_unsigned(sums->raw));
        json_object_set_new(chunks, vbt_chunk_name(kind), row);
    }
    return chunks;
}

static void print_json(const struct vbt_model *m, const struct vbt_conservation *conservation, FILE *out) {
    struct definition definitions[DEFINITIONS];
    count_definitions(m, definitions);
    struct vbt_json json;
    vbt_json_begin(&json, out, "info");
    vbt_json_member(&json, "file", vbt_json_text(m->path));
    vbt_json_member(&json, "readable_bytes", vbt_json_unsigned(m->file_bytes));
    vbt_json_completeness(&json, m);
    vbt_json_member(&json, "end_reason", vbt_json_text(m->ended ? m->end_reason : NULL));
    vbt_json_member(&json, "duration_ns", vbt_json_unsigned(vbt_model_duration(m)));
    vbt_json_member(&json, "conservation", vbt_json_conservation(conservation));
    vbt_json_member(&json, "lost_events", vbt_json_unsigned(vbt_lost_total(m)));
    vbt_json_member(&json, "chunks", chunks_of(m));
    json_t *counts = json_object();
    for (size_t i = 0; i < DEFINITIONS; i++)
        json_object_set_new(counts, definitions[i].name, vbt_json_unsigned(definitions[i].count));
    vbt_json_member(&json, "definitions", counts);
    vbt_json_array_begin(&json, "process");
    for (size_t i = 0; i < m->process_count; i++) {
        json_t *pair = json_array();
        json_array_append_new(pair, vbt_json_text(m->process[i].key));
        json_array_append_new(pair, vbt_json_text(m->process[i].value));
        vbt_json_item(&json, pair);
    }
    vbt_json_array_end(&json);
    vbt_json_end(&json);
}

static void csv_row(struct vbt_csv *csv, const char *subject, const char *key, const char *value) {
    vbt_csv_text(csv, subject);
    vbt_csv_text(csv, key);
    vbt_csv_text(csv, value);
    vbt_csv_end_row(csv);
}

static void csv_count(struct vbt_csv *csv, const char *subject, const char *key, uint64_t value) {
    char *text = vbt_text("%" PRIu64, value);
    csv_row(csv, subject, key, text);
    free(text);
}

static void print_csv(const struct vbt_model *m, const struct vbt_conservation *conservation, FILE *out) {
    struct definition definitions[DEFINITIONS];
    count_definitions(m, definitions);
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, "subject,key,value");
    char *state = state_of(m);
    csv_row(&csv, "file", "path", m->path);
    csv_row(&csv, "file", "state", state);
    csv_count(&csv, "file", "readable_bytes", m->file_bytes);
    csv_count(&csv, "file", "duration_ns", vbt_model_duration(m));
    csv_row(&csv, "file", "conservation", conservation_text(conservation));
    free(state);
    for (int kind = 0; kind < VBT_CHUNK_KINDS; kind++)
        if (m->chunks[kind].count > 0) {
            csv_count(&csv, vbt_chunk_name(kind), "count", m->chunks[kind].count);
            csv_count(&csv, vbt_chunk_name(kind), "stored_bytes", m->chunks[kind].stored);
            csv_count(&csv, vbt_chunk_name(kind), "raw_bytes", m->chunks[kind].raw);
        }
    for (size_t i = 0; i < DEFINITIONS; i++)
        csv_count(&csv, "definitions", definitions[i].name, definitions[i].count);
    for (size_t i = 0; i < m->process_count; i++)
        csv_row(&csv, "process", m->process[i].key, m->process[i].value);
}

int vbt_cmd_info(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    struct vbt_conservation conservation;
    vbt_conservation_check(&conservation, &trace.model);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    if (query->format == VBT_JSON)
        print_json(&trace.model, &conservation, output.stream);
    else if (query->format == VBT_CSV)
        print_csv(&trace.model, &conservation, output.stream);
    else
        print_text(&trace.model, &conservation, &output);
    bool damaged = trace.model.damage != NULL;
    vbt_conservation_free(&conservation);
    vbt_trace_free(&trace);
    int status = vbt_output_finish(&output);
    return status == 0 && damaged ? 2 : status; /* what follows the damage could not be shown */
}
