/* vbtrace functions: what functions allocate, laid out like pstats. */
#include "commands.h"
#include "analyzer/analysis/calls/functions.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/json_rows.h"
#include "format/count.h"
#include "preload/shared/base_name.h"
#include "analyzer/report/overview.h"

#include <stdlib.h>
#include <string.h>

/* "/proj/bench.py:3(work)" in about `room` columns. The caller frees it. */
static char *name_of(const struct vbt_source_place *place, size_t room) {
    char *function = vbt_copy(place->function, strlen(place->function)), *position = vbt_place_position(place);
    const char *file = vbt_base_name(position);
    char *text;
    if (vbt_place_is_address(place)) {
        text = vbt_text("%.*s%s", (int)(file - position), position, function);
    } else {
        vbt_fit_name(&function, &position, room);
        text = vbt_text(position[0] != '\0' ? "%s(%s)" : "%s%s", position, function);
    }
    free(function);
    free(position);
    return text;
}

/* The cells of a row before its name. */
struct cells {
    struct vbt_unit text[4];
};

static struct cells cells_of(const struct vbt_function *f, enum vbt_measure measure) {
    return (struct cells){{vbt_count(f->self[VBT_MEASURE_ALLOCS]), vbt_measure_text(measure, f->self[measure]),
                           vbt_count(f->cumulative[VBT_MEASURE_ALLOCS]), vbt_measure_text(measure, f->cumulative[measure])}};
}

/* Columns that a name can have, without its parentheses. */
static size_t room_for_names(const struct vbt_functions *functions, const struct vbt_query *query, enum vbt_measure measure,
                             const struct vbt_column *columns, const struct vbt_output *output) {
    size_t used = strlen("()");
    for (size_t c = 0; c < VBT_COUNT(((struct cells *)NULL)->text); c++) {
        size_t widest = strlen(columns[c].title) > columns[c].width ? strlen(columns[c].title) : columns[c].width;
        for (size_t i = 0; i < functions->count && i < query->limit; i++) {
            const struct cells cells = cells_of(&functions->rows[i], measure);
            widest = strlen(cells.text[c].text) > widest ? strlen(cells.text[c].text) : widest;
        }
        used += widest + columns[c].gap;
    }
    used += columns[VBT_COUNT(((struct cells *)NULL)->text)].gap;
    return output->width > used ? output->width - used : 1;
}

/* all: the totals of the process; order: what the rows are sorted by. Laid out like pstats; if rows
 * are sorted by another measure, it is shown instead of the bytes. */
static void print_text(const struct vbt_functions *functions, const struct vbt_model *model, const struct vbt_domain_totals *all,
                       const struct vbt_query *query, const char *order, struct vbt_output *output) {
    enum vbt_measure measure = vbt_function_measure(query->sort);
    if (measure == VBT_MEASURE_ALLOCS)
        measure = VBT_MEASURE_BYTES;
    char *self = vbt_text("self-%s", vbt_measure_names[measure]), *cumulative = vbt_text("cum-%s", vbt_measure_names[measure]);
    bool grouped = query->by != VBT_BY_NOTHING;
    char *more = vbt_text("more %s", grouped ? vbt_group_nouns[query->by] : "function");
    const struct vbt_column columns[] = {
        {.title = "allocs", .align = VBT_RIGHT, .width = 9},
        {.title = self, .align = VBT_RIGHT, .gap = 2},
        {.title = "cum-allocs", .align = VBT_RIGHT, .gap = 2, .drop = 1},
        {.title = cumulative, .align = VBT_RIGHT, .gap = 2, .width = 10},
        {.title = grouped ? vbt_group_nouns[query->by] : "filename:lineno(function)",
         .gap = 2,
         .least = 25,
         .ellipsis = VBT_ELLIPSIS_START},
    };
    fprintf(output->stream, "         %s of %s in %s\n\n   Ordered by: %s\n\n",
            vbt_counted((int64_t)all->allocs, "allocation").text, vbt_bytes((int64_t)all->allocated).text,
            vbt_time((double)vbt_model_duration(model)).text, order);
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    size_t room = room_for_names(functions, query, measure, columns, output);
    for (size_t i = 0; i < functions->count && i < query->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        const struct cells cells = cells_of(f, measure);
        for (size_t c = 0; c < VBT_COUNT(cells.text); c++)
            vbt_text_table_cell(table, "%s", cells.text[c].text);
        char *name = name_of(f->place, room);
        vbt_text_table_cell(table, "%s", name);
        free(name);
    }
    vbt_text_table_print(table, output, 0);
    vbt_text_table_free(table);
    free(self);
    free(cumulative);
    if (functions->count > query->limit)
        fprintf(output->stream, "… and %s\n", vbt_counted((int64_t)(functions->count - query->limit), more).text);
    free(more);
}

static void print_json(const struct vbt_functions *functions, const struct vbt_model *model, const struct vbt_query *query,
                       FILE *out) {
    struct vbt_json json;
    vbt_json_begin(&json, out, "functions");
    vbt_json_completeness(&json, model);
    vbt_json_array_begin(&json, "functions");
    for (size_t i = 0; i < functions->count && i < query->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        json_t *row = vbt_json_place(f->place, NULL);
        json_object_set_new(row, "module", vbt_json_text(f->place->module));
        json_object_set_new(row, "user", json_boolean(f->place->user));
        vbt_json_measures(row, "", f->self);
        vbt_json_measures(row, "cumulative_", f->cumulative);
        vbt_json_item(&json, row);
    }
    vbt_json_array_end(&json);
    vbt_json_end(&json);
}

static void print_csv(const struct vbt_functions *functions, const struct vbt_query *query, FILE *out) {
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out,
                  "file,line,function,allocs,allocated_bytes,cumulative_allocs,cumulative_allocated_bytes,at_peak_bytes,"
                  "cumulative_at_peak_bytes,live_bytes,cumulative_live_bytes,temporary_allocs,cumulative_temporary_allocs,"
                  "own_live_bytes,cumulative_own_live_bytes");
    static const enum vbt_measure measures[] = {VBT_MEASURE_ALLOCS, VBT_MEASURE_BYTES};
    static const enum vbt_measure more[] = {VBT_MEASURE_PEAK, VBT_MEASURE_LIVE, VBT_MEASURE_TEMPORARY, VBT_MEASURE_LEAKS};
    for (size_t i = 0; i < functions->count && i < query->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        vbt_csv_text(&csv, f->place->file);
        vbt_csv_integer(&csv, f->place->line);
        vbt_csv_text(&csv, f->place->function);
        for (size_t k = 0; k < 2; k++)
            vbt_csv_integer(&csv, f->self[measures[k]]);
        for (size_t k = 0; k < 2; k++)
            vbt_csv_integer(&csv, f->cumulative[measures[k]]);
        for (size_t k = 0; k < VBT_COUNT(more); k++) {
            vbt_csv_measure(&csv, more[k], f->self[more[k]]);
            vbt_csv_measure(&csv, more[k], f->cumulative[more[k]]);
        }
        vbt_csv_end_row(&csv);
    }
}

int vbt_cmd_functions(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    /* If native stacks were cut down to their innermost call, that call is not a function of its
     * own. */
    const char *native = vbt_model_process(&trace.model, "native");
    const struct vbt_call_tree_shape shape = {
        .unit = query->by == VBT_BY_NOTHING  ? VBT_CALL_FUNCTION
                : query->by == VBT_BY_MODULE ? VBT_CALL_MODULE
                                             : VBT_CALL_NOTHING,
        .by = query->by == VBT_BY_MODULE ? VBT_BY_NOTHING : query->by,
        .python_owns = query->by == VBT_BY_NOTHING && (native == NULL || strcmp(native, "full") != 0),
    };
    if (shape.python_owns)
        vbt_trace_attribute(&trace);
    const struct vbt_domain_totals all = vbt_all_totals(&trace.model);
    struct vbt_call_tree tree;
    vbt_call_tree_build(&tree, &trace, &shape);
    struct vbt_functions functions;
    vbt_functions_build(&functions, &tree);
    vbt_functions_filter(&functions, trace.filter);
    vbt_functions_sort(&functions, query->sort);
    bool users_first = !query->sorted && query->by == VBT_BY_NOTHING && vbt_functions_say_little(&functions);
    if (users_first)
        vbt_functions_sort_users(&functions);
    vbt_trace_warn_if_empty(&trace, query, functions.count);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (query->format == VBT_JSON)
        print_json(&functions, &trace.model, query, output.stream);
    else if (query->format == VBT_CSV)
        print_csv(&functions, query, output.stream);
    else
        print_text(&functions, &trace.model, &all, query, users_first ? "cum-bytes, the user's own first" : query->sort, &output);
    vbt_functions_free(&functions);
    vbt_call_tree_free(&tree);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
