/* vbtrace tree: the call tree from the outermost call down. */
#include "commands.h"
#include "analyzer/analysis/calls/call_reverse.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/json_rows.h"
#include "format/count.h"
#include "analyzer/report/overview.h"

#include <stdlib.h>
#include <string.h>

/* Columns taken by the numbers before the names. */
enum { BEFORE_NAMES = 42, LEAST_NAME = 24 };

/* A longer chain of calls with one child each shows this many at its beginning and at its end. */
enum { CHAIN_SHOWN = 4 };

/* So many rows may be more than a report may have. */
enum { LARGE = 100000 };

struct view {
    const struct vbt_call_tree *tree;
    enum vbt_measure measure;
    struct vbt_text_table *table;
    struct vbt_output *output;
    int64_t least; /* of the measure */
    uint64_t rows_left;
    size_t rows_missing;
    bool everything; /* no limit: chains are not shortened */
};

/* A call whose children are still to be shown, and the branches that are drawn left of them. */
struct level {
    uint32_t call;
    uint32_t next; /* of its children */
    char *lines;
};

static int64_t sum_of(const struct view *v, uint32_t call) { return v->tree->sums[v->measure][call]; }

/* What those children of a call hold that are too small to be shown; 0 if that is too small as
 * well. */
static int64_t rest_of(const struct view *v, uint32_t call) {
    uint64_t rest = (uint64_t)sum_of(v, call) - (uint64_t)vbt_call_self_of(v->tree, call, v->measure);
    for (uint32_t i = 0; i < vbt_call_children(v->tree, call); i++)
        rest -= (uint64_t)sum_of(v, vbt_call_child(v->tree, call, i));
    return (int64_t)rest >= v->least ? (int64_t)rest : 0;
}

/* The branches drawn left of a name, cut so that they leave room for it. */
static char *indentation(const struct view *v, const char *lines, const char *branch) {
    return vbt_utf8_cut_start(vbt_text("%s%s", lines, branch), v->output->width / 3);
}

/* Numbers of a row; NULL: none. */
struct numbers {
    const int64_t *self, *sum, *allocs; /* self: of the measure; sum: with all below */
};

static void put_row(struct view *v, const char *indent, const char *name, struct numbers of) {
    if (v->rows_left == 0) {
        v->rows_missing++;
        return;
    }
    v->rows_left--;
    bool has_self = of.self != NULL && *of.self != 0;
    vbt_text_table_cell(v->table, "%s", of.sum != NULL ? vbt_measure_text(v->measure, *of.sum).text : "");
    vbt_text_table_cell(v->table, "%s", of.sum != NULL ? vbt_share(*of.sum, v->tree->totals[v->measure]).text : "");
    vbt_text_table_cell(v->table, "%s", has_self ? vbt_measure_text(v->measure, *of.self).text : "");
    vbt_text_table_cell(v->table, "%s", of.allocs != NULL ? vbt_count(*of.allocs).text : "");
    vbt_text_table_cell(v->table, "%s%s", indent, name);
}

static void put_note(struct view *v, const char *lines, const char *branch, const char *text, const int64_t *sum) {
    char *indent = indentation(v, lines, branch);
    put_row(v, indent, text, (struct numbers){.sum = sum});
    free(indent);
}

/* Prints "parse (grammar.cpp:120), inlined". A name that is too long is shortened, so that what
 * follows it can be seen. */
static void put_call(struct view *v, const char *lines, const char *branch, uint32_t call) {
    const struct vbt_source_place *place = vbt_call_place(v->tree, call);
    char *indent = indentation(v, lines, branch), *name = vbt_call_name(place);
    const char *function = place->function, *inlined = v->tree->calls[call].inlined ? ", inlined" : "";
    size_t length = strlen(function), used = BEFORE_NAMES + vbt_utf8_width(indent) + strlen(inlined);
    char *position = strncmp(name, function, length) == 0 ? vbt_copy(name + length, strlen(name + length)) : vbt_copy("", 0);
    used += vbt_utf8_width(position);
    char *fitting = vbt_short_name(function, v->output->width > used + LEAST_NAME ? v->output->width - used : LEAST_NAME);
    char *marked = vbt_text("%s%s%s", fitting, position, inlined);
    int64_t self = vbt_call_self_of(v->tree, call, v->measure);
    put_row(v, indent, marked, (struct numbers){&self, &v->tree->sums[v->measure][call], &v->tree->sums[VBT_MEASURE_ALLOCS][call]});
    free(marked);
    free(fitting);
    free(position);
    free(name);
    free(indent);
}

/* How many of the next `length` only children below a call are of Python's import machinery, one
 * after another. */
static size_t imports_below(const struct view *v, uint32_t call, size_t length) {
    size_t count = 0;
    for (; count < length && !v->everything; count++) {
        call = vbt_call_child(v->tree, call, 0);
        if (!vbt_place_imports(vbt_call_place(v->tree, call)))
            break;
    }
    return count;
}

/* Prints so many only children below a call as one row. Returns the last of them. */
static uint32_t put_imports(struct view *v, const char *lines, uint32_t call, size_t count) {
    char *text = vbt_text("⋮ %s of Python's import", vbt_counted((int64_t)count, "frame").text);
    for (size_t i = 0; i < count; i++)
        call = vbt_call_child(v->tree, call, 0);
    put_note(v, lines, "", text, &v->tree->sums[v->measure][call]);
    free(text);
    return call;
}

/* Prints a chain of only children below one another, not each to the right of its parent, so that
 * deep stacks stay readable. Starts after `call`, which is already shown; returns the last call. */
static uint32_t put_chain(struct view *v, const char *lines, uint32_t call) {
    size_t length = 0, shown = 0;
    for (uint32_t at = call; vbt_call_children(v->tree, at) == 1 && rest_of(v, at) == 0; at = vbt_call_child(v->tree, at, 0))
        length++;
    for (; length > 0; length--) {
        size_t imports = imports_below(v, call, length);
        if (imports > 1 && shown < CHAIN_SHOWN) {
            call = put_imports(v, lines, call, imports);
            length -= imports - 1;
            shown++;
            continue;
        }
        call = vbt_call_child(v->tree, call, 0);
        if (v->everything || shown < CHAIN_SHOWN || length <= CHAIN_SHOWN) {
            put_call(v, lines, "", call);
        } else if (shown == CHAIN_SHOWN) {
            char *text = vbt_text("⋮ %s", vbt_counted((int64_t)(length - CHAIN_SHOWN), "more frame").text);
            put_note(v, lines, "", text, NULL);
            free(text);
        }
        shown++;
    }
    return call;
}

static void put_rest(struct view *v, const char *lines, uint32_t call) {
    int64_t rest = rest_of(v, call);
    if (rest != 0)
        put_note(v, lines, "└╴", "… smaller calls", &rest);
}

/* Depth first, with an explicit stack: a trace may be thousands of frames deep. */
static void put_tree(struct view *v) {
    struct level *levels = NULL;
    size_t count = 0, capacity = 0;
    uint32_t root = put_chain(v, "", 0);
    levels = vbt_grow(levels, &capacity, 1, sizeof *levels);
    levels[count++] = (struct level){.call = root, .lines = vbt_copy("", 0)};
    while (count > 0) {
        struct level *level = &levels[count - 1];
        uint32_t children = vbt_call_children(v->tree, level->call);
        if (level->next == children || v->rows_left == 0) {
            v->rows_missing += children - level->next;
            if (level->next == children)
                put_rest(v, level->lines, level->call);
            free(level->lines);
            count--;
            continue;
        }
        uint32_t next = vbt_call_child(v->tree, level->call, level->next++);
        bool last = level->next == children && rest_of(v, level->call) == 0;
        put_call(v, level->lines, last ? "└╴" : "├╴", next);
        char *lines = indentation(v, level->lines, last ? "  " : "│ ");
        uint32_t end = put_chain(v, lines, next);
        levels = vbt_grow(levels, &capacity, count + 1, sizeof *levels);
        levels[count++] = (struct level){.call = end, .lines = lines};
    }
    free(levels);
}

static void print_text(const struct vbt_call_tree *tree, const struct vbt_query *query, int64_t least, struct vbt_output *output) {
    enum vbt_measure measure = query->measure;
    bool allocs = measure == VBT_MEASURE_ALLOCS;
    const struct vbt_column columns[] = {
        {.title = "Cumulative", .align = VBT_RIGHT},
        {.title = "Share", .align = VBT_RIGHT, .gap = 2, .width = 6},
        {.title = "Self", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "Allocs", .align = VBT_RIGHT, .gap = 2, .drop = 1},
        {.title = "Call tree", .gap = 2, .least = 24},
    };
    const struct vbt_measures self = vbt_call_self(tree, 0);
    fprintf(output->stream, "%s%s%s: %s", output->bold, vbt_measure_title(measure), output->normal,
            vbt_measure_text(measure, tree->totals[measure]).text);
    if (!allocs)
        fprintf(output->stream, ", %s in all", vbt_counted(tree->totals[VBT_MEASURE_ALLOCS], "allocation").text);
    fputs("\n\n", output->stream);
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    struct view view = {.tree = tree,
                        .measure = measure,
                        .table = table,
                        .output = output,
                        .least = least,
                        .rows_left = query->limit,
                        .everything = query->limit == UINT64_MAX};
    if (self.of[measure] != 0)
        put_row(&view, "", "(no call stack)", (struct numbers){&self.of[measure], &self.of[measure], &self.of[VBT_MEASURE_ALLOCS]});
    put_tree(&view);
    vbt_text_table_print(table, output, '-');
    vbt_text_table_free(table);
    if (view.rows_missing > 0)
        fprintf(output->stream, "… and more; --limit 0 shows everything\n");
}

/* The order of calls in JSON and CSV: parents before their children, the largest child first. */
static uint32_t *in_order(const struct vbt_call_tree *tree, size_t *count) {
    uint32_t *order = vbt_new((size_t)tree->child_at[tree->count] + 1, sizeof *order), *stack = NULL;
    size_t depth = 0, capacity = 0;
    *count = 0;
    stack = vbt_grow(stack, &capacity, 1, sizeof *stack);
    stack[depth++] = 0;
    while (depth > 0) {
        uint32_t at = stack[--depth], children = vbt_call_children(tree, at);
        if (at != 0)
            order[(*count)++] = at;
        stack = vbt_grow(stack, &capacity, depth + children + 1, sizeof *stack);
        for (uint32_t i = children; i > 0; i--)
            stack[depth++] = vbt_call_child(tree, at, i - 1);
    }
    free(stack);
    return order;
}

/* Calls as JSON and CSV show them. */
struct data {
    struct vbt_call_tree *tree;
    const uint32_t *order;
    size_t count;
    const uint32_t *sums; /* see vbt_call_tree_sum_all */
    const struct vbt_model *model;
    const struct vbt_query *query;
};

static struct vbt_measures sums_of(const struct data *data, uint32_t call) {
    return vbt_measures_of(&data->tree->counts, data->sums[call]);
}

/* The constant part of a call's JSON, formatted once per place: there are many more calls than
 * places. */
struct texts {
    char **by_place; /* by 2 * number + inlined */
    size_t count;
};

/* The JSON members that describe a call's place, without braces. */
static const char *text_of(struct texts *texts, const struct vbt_call_tree *tree, uint32_t call) {
    char **text = &texts->by_place[2 * (size_t)tree->calls[call].place + tree->calls[call].inlined];
    if (*text == NULL) {
        json_t *row = vbt_json_call(tree, call);
        char *object = json_dumps(row, 0);
        *text = object != NULL ? vbt_copy(object + 1, strlen(object) - 2) : vbt_copy("", 0);
        free(object);
        json_decref(row);
    }
    return *text;
}

static void put_json_call(struct vbt_text_buffer *row, const struct data *data, uint32_t number, struct texts *texts) {
    const struct vbt_call *call = &data->tree->calls[number];
    const struct vbt_measures self = vbt_call_self(data->tree, number), sums = sums_of(data, number);
    vbt_buffer_text(row, "{\"id\": ");
    vbt_buffer_integer(row, number);
    vbt_buffer_text(row, ", \"parent\": ");
    vbt_buffer_integer(row, call->parent);
    vbt_buffer_text(row, ", \"depth\": ");
    vbt_buffer_integer(row, call->depth);
    vbt_buffer_text(row, ", ");
    vbt_buffer_text(row, text_of(texts, data->tree, number));
    vbt_buffer_text(row, ", ");
    vbt_buffer_json_measures(row, "", self.of);
    vbt_buffer_text(row, ", ");
    vbt_buffer_json_measures(row, "cumulative_", sums.of);
    vbt_buffer_text(row, "}");
}

static void print_json(const struct data *data, FILE *out) {
    const struct vbt_call_tree *tree = data->tree;
    struct vbt_json json;
    vbt_json_begin(&json, out, "tree");
    vbt_json_completeness(&json, data->model);
    vbt_json_member(&json, "measure", json_string(vbt_measure_names[data->query->measure]));
    json_t *totals = json_object();
    vbt_json_measures(totals, "", tree->totals);
    vbt_json_member(&json, "totals", totals);
    vbt_json_array_begin(&json, "calls");
    struct texts texts = {vbt_new(2 * tree->place_count, sizeof *texts.by_place), 2 * tree->place_count};
    struct vbt_text_buffer row = {0};
    for (size_t i = 0; i < data->count && i < data->query->limit; i++) {
        row.size = 0;
        put_json_call(&row, data, data->order[i], &texts);
        vbt_json_begin_item(&json);
        fwrite(row.text, 1, row.size, out);
    }
    vbt_json_array_end(&json);
    vbt_json_end(&json);
    for (size_t i = 0; i < texts.count; i++)
        free(texts.by_place[i]);
    free(texts.by_place);
    free(row.text);
}

static void print_csv(const struct data *data, FILE *out) {
    char *self = vbt_csv_measure_titles(""), *cumulative = vbt_csv_measure_titles("cumulative_");
    char *own = vbt_csv_own_titles(""), *cumulative_own = vbt_csv_own_titles("cumulative_");
    char *titles = vbt_text("id,parent,depth,kind,function,file,line,module%s%s%s%s", self, cumulative, own, cumulative_own);
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, titles);
    for (size_t i = 0; i < data->count && i < data->query->limit; i++) {
        uint32_t number = data->order[i];
        const struct vbt_call *call = &data->tree->calls[number];
        const struct vbt_source_place *place = vbt_call_place(data->tree, number);
        const struct vbt_measures self_of = vbt_call_self(data->tree, number), sums = sums_of(data, number);
        vbt_csv_unsigned(&csv, number);
        vbt_csv_unsigned(&csv, call->parent);
        vbt_csv_unsigned(&csv, call->depth);
        vbt_csv_text(&csv, vbt_call_kind(data->tree, number));
        vbt_csv_text(&csv, place->function);
        vbt_csv_text(&csv, place->file);
        vbt_csv_integer(&csv, place->line);
        vbt_csv_text(&csv, place->module);
        vbt_csv_measures(&csv, self_of.of);
        vbt_csv_measures(&csv, sums.of);
        vbt_csv_own(&csv, self_of.of);
        vbt_csv_own(&csv, sums.of);
        vbt_csv_end_row(&csv);
    }
    free(titles);
    free(self);
    free(cumulative);
    free(own);
    free(cumulative_own);
}

/* Has the report room for all rows, or is a rehearsal to find out? A row of JSON has at least the
 * names of its members. */
static bool fits(const struct data *data) {
    uint64_t rows = data->count < data->query->limit ? data->count : data->query->limit;
    static const struct vbt_measures nothing;
    struct vbt_text_buffer row = {0};
    vbt_buffer_json_measures(&row, "", nothing.of);
    vbt_buffer_json_measures(&row, "cumulative_", nothing.of);
    uint64_t least = data->query->format == VBT_JSON ? row.size * rows : 0;
    free(row.text);
    return vbt_output_fits(least, rows < LARGE ? 0 : UINT64_MAX);
}

static void print_data(struct vbt_call_tree *tree, const struct vbt_model *model, const struct vbt_query *query, FILE *out) {
    struct data data = {.tree = tree, .model = model, .query = query};
    uint32_t *order = in_order(tree, &data.count);
    data.order = order;
    bool is_sure = fits(&data);
    vbt_call_tree_forget(tree, query->measure);
    uint32_t *sums = vbt_call_tree_sum_all(tree);
    data.sums = sums;
    FILE *rehearsal = is_sure ? NULL : vbt_output_rehearse();
    for (int i = is_sure ? 1 : 0; i < 2; i++) {
        FILE *to = i == 0 ? rehearsal : out;
        if (query->format == VBT_JSON)
            print_json(&data, to);
        else
            print_csv(&data, to);
        if (i == 0)
            vbt_output_rehearsed(rehearsal);
    }
    free(order);
    free(sums);
}

int vbt_cmd_tree(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    enum vbt_measure measure = query->measure;
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    vbt_call_tree_build(&tree, &trace, &shape);
    int64_t least = vbt_least(query, tree.totals[measure]);
    if (query->reverse)
        vbt_call_tree_reverse(&tree, measure, least);
    vbt_call_tree_sort(&tree, measure, least);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (query->format == VBT_TEXT) {
        vbt_call_tree_sum(&tree, VBT_MEASURE_ALLOCS);
        print_text(&tree, query, least, &output);
    } else {
        print_data(&tree, &trace.model, query, output.stream);
    }
    vbt_call_tree_free(&tree);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
