/* See sqlite.h. docs/formats.md describes the tables. */
#include "sqlite.h"

#include "analyzer/analysis/calls/call_history.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"
#include "format/count.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_STATEMENT = 500 };

static const char tables[] =
    "create table run(command text, pid integer, host text, python text, vbtrace text, started_ns integer, duration_ns integer,\n"
    "    complete integer, end_reason text, allocs integer, allocated_bytes integer, frees integer, freed_bytes integer,\n"
    "    live_blocks integer, live_bytes integer, peak_bytes integer, peak_time_ns integer, temporary_allocs integer,\n"
    "    max_rss_bytes integer);\n"
    "create table frame(id integer primary key, function text, file text, line integer, module text, kind text, user integer);\n"
    "create table path(id integer primary key, parent integer references path, frame integer references frame, inlined integer,\n"
    "    depth integer);\n"
    "create table stat(path integer references path, allocs integer, allocated_bytes integer, at_peak_bytes integer,\n"
    "    live_blocks integer, live_bytes integer, temporary_allocs integer);\n"
    "create table tick(time_ns integer, rss_bytes integer, heap_bytes integer, python_bytes integer);\n"
    "create table moment(id integer primary key, time_ns integer);\n"
    "create table change(moment integer references moment, path integer references path, allocs integer,\n"
    "    allocated_bytes integer, frees integer, freed_bytes integer, temporary_allocs integer);\n"
    "create table section(id integer primary key, label text, count integer, iterations integer, time_ns integer, allocs integer,\n"
    "    allocated_bytes integer, frees integer, freed_bytes integer);\n"
    "create table section_stat(section integer references section, path integer references path, allocs integer,\n"
    "    allocated_bytes integer, frees integer, freed_bytes integer);\n";

/* A statement for many rows is read several times as fast as one for each. */
struct sql_rows {
    FILE *out;
    const char *table;
    size_t rows;
};

static void begin_row(struct sql_rows *r) {
    if (r->rows % ROWS_A_STATEMENT == 0)
        fprintf(r->out, "%sinsert into %s values\n(", r->rows > 0 ? ";\n" : "", r->table);
    else
        fputs(",\n(", r->out);
    r->rows++;
}

static void end_rows(struct sql_rows *r) {
    if (r->rows > 0)
        fputs(";\n", r->out);
}

/* A text in quotes, or null; what follows it comes from the caller. Control characters would need
 * another notation, and are in no name that means anything. */
static void put_text(FILE *out, const char *text) {
    if (text == NULL) {
        fputs("null", out);
        return;
    }
    char *printable = vbt_utf8_printable(text, strlen(text));
    putc('\'', out);
    for (const char *at = printable; *at != '\0'; at++) {
        if (*at == '\'')
            putc('\'', out);
        putc(*at, out);
    }
    putc('\'', out);
    free(printable);
}

static void put_run(const struct vbt_model *m, FILE *out) {
    static const char *const texts[] = {"host", "python", "vbtrace"};
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    const struct vbt_domain_totals *all = &totals.all;
    char *command = vbt_command_line(m);
    fputs("insert into run values\n(", out);
    put_text(out, command);
    fprintf(out, ", %" PRId64, vbt_model_process_number(m, "pid"));
    for (size_t i = 0; i < VBT_COUNT(texts); i++) {
        fputs(", ", out);
        put_text(out, vbt_model_process(m, texts[i]));
    }
    fprintf(out, ", %" PRId64 ", %" PRIu64 ", %d, ", vbt_model_process_number(m, "started"), vbt_model_duration(m),
            vbt_model_complete(m));
    put_text(out, m->ended ? m->end_reason : NULL);
    fprintf(out, ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRId64 ", %" PRId64, all->allocs, all->allocated,
            all->frees, all->freed, all->live_blocks, all->live_bytes);
    if (vbt_measure_is_known(VBT_MEASURE_PEAK))
        fprintf(out, ", %" PRId64 ", %" PRId64, totals.peak_bytes, m->state[VBT_STATE_PEAK_TIME]);
    else
        fputs(", null, null", out);
    fprintf(out, ", %" PRIu64 ", %" PRId64 ");\n", all->temporary, m->state[VBT_STATE_MAX_RSS]);
    free(command);
}

static void put_frames(const struct vbt_call_tree *tree, FILE *out) {
    static const char *const kinds[] = {
        [VBT_PLACE_PYTHON] = "python", [VBT_PLACE_NATIVE] = "native", [VBT_PLACE_SPECIAL] = "special"};
    struct sql_rows rows = {out, "frame", 0};
    for (size_t i = 1; i < tree->place_count; i++) {
        const struct vbt_source_place *place = tree->places[i];
        begin_row(&rows);
        fprintf(out, "%zu, ", i);
        put_text(out, place->function);
        fputs(", ", out);
        put_text(out, place->file);
        if (place->line > 0)
            fprintf(out, ", %" PRId64 ", ", place->line);
        else
            fputs(", null, ", out);
        put_text(out, place->module);
        fprintf(out, ", '%s', %d)", kinds[place->kind], place->user);
    }
    end_rows(&rows);
}

/* Parents come before their children. Path 0, which has no frame, is that of no call stack. */
static void put_paths(const struct vbt_call_tree *tree, FILE *out) {
    struct sql_rows rows = {out, "path", 0};
    begin_row(&rows);
    fputs("0, null, null, 0, 0)", out);
    for (uint32_t i = 1; i < tree->count; i++) {
        const struct vbt_call *call = &tree->calls[i];
        begin_row(&rows);
        fprintf(out, "%" PRIu32 ", %" PRIu32 ", %" PRIu32 ", %d, %d)", i, call->parent, call->place, call->inlined, call->depth);
    }
    end_rows(&rows);
}

static void put_stats(const struct vbt_call_tree *tree, FILE *out) {
    struct sql_rows rows = {out, "stat", 0};
    for (uint32_t i = 0; i < tree->count; i++) {
        if (tree->calls[i].counts == 0)
            continue;
        const struct vbt_measures self = vbt_call_self(tree, i);
        begin_row(&rows);
        fprintf(out, "%" PRIu32 ", %" PRId64 ", %" PRId64 ", ", i, self.of[VBT_MEASURE_ALLOCS], self.of[VBT_MEASURE_BYTES]);
        if (vbt_measure_is_known(VBT_MEASURE_PEAK))
            fprintf(out, "%" PRId64, self.of[VBT_MEASURE_PEAK]);
        else
            fputs("null", out);
        fprintf(out, ", %" PRId64 ", %" PRId64 ", %" PRId64 ")", self.of[VBT_MEASURE_LIVE_BLOCKS], self.of[VBT_MEASURE_LIVE],
                self.of[VBT_MEASURE_TEMPORARY]);
    }
    end_rows(&rows);
}

static void put_ticks(const struct vbt_model *m, FILE *out) {
    struct sql_rows rows = {out, "tick", 0};
    for (size_t i = m->ticks.first; i < m->ticks.count; i++) {
        const struct vbt_model_tick *tick = &m->ticks.rows[i];
        begin_row(&rows);
        fprintf(out, "%" PRIu64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")", tick->time, tick->rss, tick->heap, tick->python);
    }
    end_rows(&rows);
}

/* What happened until each moment, since the one before. */
static void put_history(const struct vbt_call_history *history, FILE *out) {
    struct sql_rows rows = {out, "moment", 0};
    for (size_t i = 1; i < history->steps->count && history->rows != NULL; i++) {
        begin_row(&rows);
        fprintf(out, "%zu, %" PRIu64 ")", i, history->steps->ns[i]);
    }
    end_rows(&rows);
    rows = (struct sql_rows){out, "change", 0};
    for (size_t i = 0; i < history->count && history->rows != NULL; i++) {
        const struct vbt_change *change = &history->rows[i];
        begin_row(&rows);
        fprintf(out, "%" PRIu32 ", %" PRIu32 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ")", change->step,
                change->node, (int64_t)change->allocs, (int64_t)change->allocated, (int64_t)(change->frees - change->kept_blocks),
                (int64_t)(change->freed - change->kept_bytes), (int64_t)change->temporary);
    }
    end_rows(&rows);
}

/* Sections, and what call stacks did in them: what a section within another did counts for both.
 * Those with the same label from different lines have a row each. */
static void put_sections(const struct vbt_model *m, const uint32_t *calls, FILE *out) {
    struct sql_rows rows = {out, "section", 0};
    for (size_t i = 0; i < m->interval_count; i++) {
        const struct vbt_model_interval *section = &m->intervals[i];
        if (section->kind != VBT_INTERVAL_SECTION)
            continue;
        begin_row(&rows);
        fprintf(out, "%" PRIu64 ", ", section->id);
        put_text(out, vbt_model_string(m, section->label));
        fprintf(out, ", %" PRIu64 ", %" PRIu64, section->count, section->iterations);
        static const enum vbt_quantity totals[] = {VBT_Q_TIME, VBT_Q_ALLOCS, VBT_Q_ALLOCATED, VBT_Q_FREES, VBT_Q_FREED};
        for (size_t k = 0; k < VBT_COUNT(totals); k++)
            fprintf(out, ", %" PRId64, section->of[totals[k]].total);
        putc(')', out);
    }
    end_rows(&rows);
    rows = (struct sql_rows){out, "section_stat", 0};
    for (size_t i = 0; i < m->interval_site_count; i++) {
        const struct vbt_model_interval_site *site = &m->interval_sites[i];
        const struct vbt_model_interval *section = vbt_model_interval_of(m, site->interval);
        if (section == NULL || section->kind != VBT_INTERVAL_SECTION || calls[site->node] == 0)
            continue;
        begin_row(&rows);
        fprintf(out, "%" PRIu64 ", %" PRIu32 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ", %" PRIu64 ")", section->id,
                calls[site->node], site->allocs, site->allocated, site->frees, site->freed);
    }
    end_rows(&rows);
}

void vbt_export_sqlite(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    fputs("begin;\n", out);
    fputs(tables, out);
    put_run(&trace->model, out);
    struct vbt_call_tree tree;
    struct vbt_call_history history;
    uint32_t *calls;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_history_build(&history, &tree, trace, &shape, &calls);
    put_frames(&tree, out);
    put_paths(&tree, out);
    put_stats(&tree, out);
    put_ticks(&trace->model, out);
    if (calls != NULL) {
        put_history(&history, out);
        put_sections(&trace->model, calls, out);
    } else {
        vbt_warn("%s: sqlite: moments and sections are left out: they are not known by group", query->trace);
    }
    fputs("commit;\n", out);
    free(calls);
    vbt_call_history_free(&history);
    vbt_call_tree_free(&tree);
}
