/* vbtrace functions: what functions allocate, in the manner of pstats. */
#include "csv.h"
#include "functions.h"
#include "json.h"
#include "options.h"
#include "table.h"
#include "totals.h"
#include "trace.h"
#include "units.h"

static const struct vbt_column columns[] = {
    {.title = "allocs", .align = VBT_RIGHT, .width = 12},
    {.title = "self-bytes", .align = VBT_RIGHT, .gap = 2},
    {.title = "cum-allocs", .align = VBT_RIGHT, .gap = 2, .width = 12, .drop = 1},
    {.title = "cum-bytes", .align = VBT_RIGHT, .gap = 2, .width = 10},
    {.title = "filename:lineno(function)", .gap = 2, .least = 25, .cut = VBT_CUT_START},
};

static void print_text(const struct vbt_functions *functions, const struct vbt_model *model, const struct vbt_options *options,
                       struct vbt_output *output) {
    struct vbt_totals totals;
    vbt_totals_get(&totals, model);
    fprintf(output->stream, "         %s allocations of %s in %s\n\n   Ordered by: %s\n\n",
            vbt_count((int64_t)totals.all.allocs).text, vbt_bytes((int64_t)totals.all.allocated).text,
            vbt_time((double)vbt_model_duration(model)).text, options->sort);
    struct vbt_table *table = vbt_table_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < functions->count && i < options->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        vbt_table_cell(table, "%s", vbt_count((int64_t)f->self_allocs).text);
        vbt_table_cell(table, "%s", vbt_bytes((int64_t)f->self_bytes).text);
        vbt_table_cell(table, "%s", vbt_count((int64_t)f->cumulative_allocs).text);
        vbt_table_cell(table, "%s", vbt_bytes((int64_t)f->cumulative_bytes).text);
        if (f->place->kind == VBT_PLACE_PYTHON)
            vbt_table_cell(table, "%s:%lld(%s)", f->place->file, (long long)f->place->line, f->place->function);
        else if (f->place->kind == VBT_PLACE_NATIVE)
            vbt_table_cell(table, "%s(%s)", f->place->file, f->place->function);
        else
            vbt_table_cell(table, "%s", f->place->function);
    }
    vbt_table_print(table, output, 0);
    vbt_table_free(table);
    if (functions->count > options->limit)
        fprintf(output->stream, "… and %s more functions\n", vbt_count((int64_t)(functions->count - options->limit)).text);
}

static void print_json(const struct vbt_functions *functions, const struct vbt_options *options, FILE *out) {
    struct vbt_json json;
    vbt_json_begin(&json, out);
    vbt_json_array_begin(&json, "functions");
    for (size_t i = 0; i < functions->count && i < options->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        json_t *row = vbt_json_place(f->place, NULL);
        json_object_set_new(row, "module", vbt_json_text(f->place->module));
        json_object_set_new(row, "user", json_boolean(f->place->user));
        json_object_set_new(row, "allocs", vbt_json_unsigned(f->self_allocs));
        json_object_set_new(row, "allocated_bytes", vbt_json_unsigned(f->self_bytes));
        json_object_set_new(row, "cumulative_allocs", vbt_json_unsigned(f->cumulative_allocs));
        json_object_set_new(row, "cumulative_allocated_bytes", vbt_json_unsigned(f->cumulative_bytes));
        vbt_json_item(&json, row);
    }
    vbt_json_array_end(&json);
    vbt_json_end(&json);
}

static void print_csv(const struct vbt_functions *functions, const struct vbt_options *options, FILE *out) {
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, "file,line,function,allocs,allocated_bytes,cumulative_allocs,cumulative_allocated_bytes");
    for (size_t i = 0; i < functions->count && i < options->limit; i++) {
        const struct vbt_function *f = &functions->rows[i];
        vbt_csv_text(&csv, f->place->file);
        vbt_csv_integer(&csv, f->place->line);
        vbt_csv_text(&csv, f->place->function);
        vbt_csv_unsigned(&csv, f->self_allocs);
        vbt_csv_unsigned(&csv, f->self_bytes);
        vbt_csv_unsigned(&csv, f->cumulative_allocs);
        vbt_csv_unsigned(&csv, f->cumulative_bytes);
        vbt_csv_end_row(&csv);
    }
}

static int run(const struct vbt_options *options) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, options, false))
        return 2;
    struct vbt_functions functions;
    vbt_functions_build(&functions, &trace.model, &trace.attribution, trace.places);
    if (options->filter != NULL)
        vbt_functions_filter(&functions, options->filter);
    vbt_functions_sort(&functions, options->sort);
    struct vbt_output output;
    vbt_output_begin(&output, options->output);
    if (options->format == VBT_JSON)
        print_json(&functions, options, output.stream);
    else if (options->format == VBT_CSV)
        print_csv(&functions, options, output.stream);
    else
        print_text(&functions, &trace.model, options, &output);
    vbt_functions_free(&functions);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}

const struct vbt_command vbt_command_functions = {
    .name = "functions",
    .summary = "what each function allocates itself and with all it calls",
    .help =
        "Lists functions in the manner of pstats: allocations and bytes of the function's own lines, and of everything it calls.\n"
        "A function that recurs is counted once.",
    .sort_keys = vbt_function_keys,
    .takes = VBT_TAKES_LIMIT | VBT_TAKES_FILTER,
    .text_limit = 40,
    .run = run,
};
