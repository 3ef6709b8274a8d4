/* vbtrace peak, leaks and temporary: call stacks, the most expensive first. */
#include "commands.h"
#include "analyzer/analysis/calls/runtime_groups.h"
#include "analyzer/analysis/calls/suppress.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/base/wrapping.h"
#include "analyzer/report/call_report.h"
#include "analyzer/report/json_rows.h"
#include "analyzer/report/merged_report.h"
#include "analyzer/report/stack_frames.h"
#include "analyzer/report/stack_text.h"
#include "analyzer/report/overview.h"
#include "analyzer/report/paragraph.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

enum { SHARES_SHOWN = 10 }; /* groups of --by that are listed above the stacks */

/* A row of its own: a call stack. */
struct stack_row {
    int64_t value; /* of the measure */
    uint32_t call; /* where it ends */
};

/* Several stacks that are shown as one. */
struct stack_sum {
    uint32_t call; /* of a group of --by */
    enum vbt_runtime_group group;
    size_t stacks;
    struct vbt_measures of;
};

struct stack_rows {
    const struct vbt_call_tree *tree;
    enum vbt_measure measure;
    struct stack_row *stacks; /* the first `limit`, in order */
    size_t count, capacity;
    uint64_t limit;
    bool is_full;                                /* the first `limit` are sorted; those after them are not yet */
    struct stack_sum all;                        /* those after them, too */
    uint32_t *by;                                /* by call: its group of --by; NULL: there are none */
    struct stack_sum groups[VBT_RUNTIME_GROUPS]; /* what is merged into one row per group */
};

static void add(struct stack_sum *to, const struct vbt_measures *more) {
    to->stacks++;
    for (int i = 0; i < VBT_MEASURES; i++)
        to->of.of[i] = (int64_t)((uint64_t)to->of.of[i] + (uint64_t)more->of[i]);
}

static int by_value(const void *left, const void *right) {
    const struct stack_row *a = left, *b = right;
    if (a->value != b->value)
        return a->value > b->value ? -1 : 1;
    return a->call < b->call ? -1 : 1;
}

static int by_sum(const void *left, const void *right, void *measure) {
    const struct stack_sum *a = left, *b = right;
    enum vbt_measure by = *(enum vbt_measure *)measure;
    if (a->of.of[by] != b->of.of[by])
        return a->of.of[by] > b->of.of[by] ? -1 : 1;
    return a->call < b->call ? -1 : 1;
}

/* Sorts the rows, and keeps the first. */
static void keep_first(struct stack_rows *rows) {
    if (rows->count > 0)
        qsort(rows->stacks, rows->count, sizeof *rows->stacks, by_value);
    rows->is_full = rows->count >= rows->limit && rows->limit > 0;
    rows->count = rows->count < rows->limit ? rows->count : rows->limit;
}

/* There may be millions of rows, of which few are shown: only so many more are kept. */
static void add_row(struct stack_rows *rows, struct stack_row row) {
    enum { MORE = 4096 };
    if (rows->is_full && by_value(&row, &rows->stacks[rows->limit - 1]) > 0)
        return;
    if (rows->count >= MORE && rows->count - MORE >= rows->limit)
        keep_first(rows);
    rows->stacks = vbt_grow(rows->stacks, &rows->capacity, rows->count + 1, sizeof *rows->stacks);
    rows->stacks[rows->count++] = row;
}

static void build_rows(struct stack_rows *rows, const struct vbt_call_tree *tree, const struct vbt_model *model,
                       enum vbt_measure measure, const struct vbt_query *query) {
    bool grouped = measure == VBT_MEASURE_LEAKS && !query->ungroup;
    *rows = (struct stack_rows){.tree = tree,
                                .measure = measure,
                                .limit = query->limit,
                                .by = query->by == VBT_BY_NOTHING ? NULL : vbt_new(tree->count, sizeof *rows->by)};
    uint8_t *groups = grouped ? vbt_runtime_groups(tree, model) : NULL;
    for (uint32_t i = 1; i < tree->count; i++) {
        if (rows->by != NULL)
            rows->by[i] = tree->calls[i].group ? i : rows->by[tree->calls[i].parent];
        if (tree->calls[i].counts == 0)
            continue;
        const struct vbt_measures self = vbt_call_self(tree, i);
        bool empty_blocks = measure == VBT_MEASURE_LEAKS && self.of[VBT_MEASURE_BLOCKS] != 0; /* malloc(0) */
        if (self.of[measure] == 0 && !empty_blocks)
            continue;
        if (groups != NULL && groups[i] != VBT_RUNTIME_NONE) {
            add(&rows->groups[groups[i]], &self);
        } else {
            add(&rows->all, &self);
            add_row(rows, (struct stack_row){self.of[measure], i});
        }
    }
    for (int i = 0; i < VBT_RUNTIME_GROUPS; i++)
        rows->groups[i].group = (enum vbt_runtime_group)i;
    free(groups);
    keep_first(rows);
    qsort_r(rows->groups, VBT_RUNTIME_GROUPS, sizeof *rows->groups, by_sum, &measure);
}

/* The name of the group of --by that a stack belongs to; NULL if there is none. */
static const char *group_name(const struct stack_rows *rows, uint32_t call) {
    uint32_t group = rows->by != NULL ? rows->by[call] : 0;
    return group != 0 ? vbt_call_place(rows->tree, group)->function : NULL;
}

static bool is_frame(const struct vbt_call_tree *tree, uint32_t call) { return call != 0 && !tree->calls[call].group; }

/* Prints the other counts of a row that matter for this measure. */
static void print_more(struct vbt_output *output, enum vbt_measure measure, const int64_t of[VBT_MEASURES]) {
    FILE *out = output->stream;
    if (measure == VBT_MEASURE_LEAKS)
        fprintf(out, " in %s", vbt_counted(of[VBT_MEASURE_BLOCKS], "block").text);
    else if (measure == VBT_MEASURE_PEAK)
        fprintf(out, ", of %s in %s over time", vbt_bytes(of[VBT_MEASURE_BYTES]).text,
                vbt_counted(of[VBT_MEASURE_ALLOCS], "allocation").text);
    else
        fprintf(out, " of %s", vbt_counted(of[VBT_MEASURE_ALLOCS], "allocation").text);
}

static void print_groups(const struct stack_rows *rows, int64_t whole, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "Only the runtime can reach", .least = 20},         {.title = "Live", .align = VBT_RIGHT, .gap = 2, .width = 9},
        {.title = "Share", .align = VBT_RIGHT, .gap = 2, .width = 6}, {.title = "Blocks", .align = VBT_RIGHT, .gap = 2},
        {.title = "Stacks", .align = VBT_RIGHT, .gap = 2, .drop = 1},
    };
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    bool any = false;
    for (int i = 0; i < VBT_RUNTIME_GROUPS; i++) {
        const struct stack_sum *row = &rows->groups[i];
        if (row->stacks == 0)
            continue;
        any = true;
        vbt_text_table_cell(table, "%s", vbt_runtime_group_names[row->group]);
        vbt_text_table_cell(table, "%s", vbt_bytes(row->of.of[VBT_MEASURE_LEAKS]).text);
        vbt_text_table_cell(table, "%s", vbt_share(row->of.of[VBT_MEASURE_LEAKS], whole).text);
        vbt_text_table_cell(table, "%s", vbt_count(row->of.of[VBT_MEASURE_BLOCKS]).text);
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)row->stacks).text);
    }
    if (any) {
        putc('\n', output->stream);
        vbt_text_table_print(table, output, '-');
    }
    vbt_text_table_free(table);
}

/* Prints the groups of --by and their shares. */
static void print_shares(const struct stack_rows *rows, struct vbt_call_tree *tree, enum vbt_group by, struct vbt_output *output) {
    if (by == VBT_BY_NOTHING)
        return;
    struct stack_row *shares = NULL;
    size_t count = 0, capacity = 0;
    enum vbt_measure measure = rows->measure;
    int64_t whole = tree->totals[measure];
    const int64_t *sums = vbt_call_tree_sum(tree, measure);
    for (uint32_t i = 1; i < tree->count; i++)
        if (tree->calls[i].group && sums[i] != 0) {
            shares = vbt_grow(shares, &capacity, count + 1, sizeof *shares);
            shares[count++] = (struct stack_row){sums[i], i};
        }
    if (count > 0)
        qsort(shares, count, sizeof *shares, by_value);
    for (size_t i = 0; i < count && i < SHARES_SHOWN; i++)
        vbt_cut_line_print(output,
                           vbt_text("%12s  %6s  %s", vbt_measure_text(measure, shares[i].value).text,
                                    vbt_share(shares[i].value, whole).text, vbt_call_place(tree, shares[i].call)->function));
    if (count > SHARES_SHOWN) {
        char *more = vbt_text("more %s", vbt_group_nouns[by]);
        fprintf(output->stream, "%22s… and %s\n", "", vbt_counted((int64_t)(count - SHARES_SHOWN), more).text);
        free(more);
    }
    if (count > 0)
        putc('\n', output->stream);
    free(shares);
}

/* Says what is live and not listed, since it was live before the process was forked, or may have
 * been. */
static void print_inherited(const struct vbt_undecided *undecided, const struct vbt_call_tree *tree, FILE *out) {
    const int64_t *all = tree->totals;
    int64_t blocks = vbt_minus(all[VBT_MEASURE_LIVE_BLOCKS], all[VBT_MEASURE_BLOCKS]);
    int64_t bytes = vbt_minus(all[VBT_MEASURE_LIVE], all[VBT_MEASURE_LEAKS]);
    if (blocks > 0)
        fprintf(out, "Inherited from the parent process, and live too: %s in %s%s", vbt_bytes(bytes).text,
                vbt_counted(blocks, "block").text, undecided->blocks > 0 ? "\n" : "\n\n");
    if (undecided->blocks > 0 && blocks <= 0) /* of several processes, what was inherited is not among what is live */
        fprintf(out,
                "Besides, up to %s in %s may be the processes' own: of call paths with\n"
                "inherited blocks it is not known which were freed\n\n",
                vbt_bytes(undecided->bytes).text, vbt_counted(undecided->blocks, "block").text);
    else if (undecided->blocks > 0)
        fprintf(out,
                "Of these, up to %s in %s may be the process's own: of call paths with\n"
                "inherited blocks it is not known which were freed\n\n",
                vbt_bytes(undecided->bytes).text, vbt_counted(undecided->blocks, "block").text);
}

/* Prints how much is in the stacks that are not listed. */
static void print_others(const struct stack_rows *rows, int64_t shown, FILE *out) {
    size_t more = rows->all.stacks - rows->count;
    if (more > 0)
        fprintf(out, "\n… and %s with %s\n", vbt_counted((int64_t)more, "more call stack").text,
                vbt_measure_text(rows->measure, vbt_minus(rows->all.of.of[rows->measure], shown)).text);
}

/* Prints how much there is of the measure. */
static void print_whole(const struct stack_rows *rows, const struct vbt_model *model, const int64_t *totals,
                        struct vbt_output *output) {
    FILE *out = output->stream;
    enum vbt_measure measure = rows->measure;
    bool peak = measure == VBT_MEASURE_PEAK, together = peak && model->together.by_path;
    fprintf(out, "%s%s%s: ", output->bold, together ? "Bytes live together" : vbt_measure_title(measure), output->normal);
    if (together)
        vbt_moment_print(model, out);
    else
        fputs(vbt_measure_text(measure, totals[measure]).text, out);
    if (!peak)
        print_more(output, measure, totals);
    else if (vbt_model_is_merged(model) && !together)
        fputs(", each process at its own", out);
    else if (model->has_state && !together)
        fprintf(out, " at %s", vbt_time((double)model->state[VBT_STATE_PEAK_TIME]).text);
}

static void print_text(const struct stack_rows *rows, struct vbt_call_tree *tree, const struct vbt_model *model,
                       const struct vbt_undecided *undecided, const struct vbt_query *query, struct vbt_output *output) {
    FILE *out = output->stream;
    enum vbt_measure measure = rows->measure;
    const int64_t *totals = tree->totals;
    size_t stacks = rows->all.stacks;
    for (int i = 0; i < VBT_RUNTIME_GROUPS; i++)
        stacks += rows->groups[i].stacks;
    print_whole(rows, model, totals, output);
    fprintf(out, ", %s\n\n", vbt_counted((int64_t)stacks, "call stack").text);
    if (measure == VBT_MEASURE_LEAKS)
        print_inherited(undecided, tree, out);
    print_shares(rows, tree, query->by, output);

    int64_t shown = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct stack_row *row = &rows->stacks[i];
        const struct vbt_measures self = vbt_call_self(tree, row->call);
        const char *group = group_name(rows, row->call);
        char *printable = vbt_utf8_printable(group != NULL ? group : "", group != NULL ? strlen(group) : 0);
        fprintf(out, "%s%s%3zu  %s  %s%s", i > 0 ? "\n" : "", output->bold, i + 1, vbt_measure_text(measure, row->value).text,
                vbt_share(row->value, totals[measure]).text, output->normal);
        print_more(output, measure, self.of);
        fprintf(out, "%s%s\n", group == NULL ? "" : output->is_limited ? "\n     " : ", ", printable);
        free(printable);
        vbt_stack_frames_print(output, rows->tree, row->call, query->depth);
        shown = (int64_t)((uint64_t)shown + (uint64_t)row->value);
    }
    print_others(rows, shown, out);
    print_groups(rows, totals[measure], output);
}

/* Mapped memory is in a stack only if --filter asks for it: arenas hold blocks that are already
 * shown. */
static void print_still_mapped(const struct vbt_domain_totals *mapped, FILE *out) {
    if (mapped->live_blocks > 0)
        fprintf(out, "\nAlso still mapped: %s, %s (see --filter domain=map)\n", vbt_counted(mapped->live_blocks, "mapping").text,
                vbt_bytes(mapped->live_bytes).text);
}

/* How many frames of a stack JSON and CSV show. */
static size_t stack_limit(const struct stack_rows *rows, const struct vbt_query *query) {
    return query->depth != 0 ? query->depth : vbt_stack_limit(rows->tree, rows->measure);
}

static void print_json_groups(const struct stack_rows *rows, struct vbt_json *json) {
    vbt_json_array_begin(json, "runtime");
    for (int i = 0; i < VBT_RUNTIME_GROUPS; i++)
        if (rows->groups[i].stacks > 0) {
            json_t *group = json_object();
            json_object_set_new(group, "name", json_string(vbt_runtime_group_names[rows->groups[i].group]));
            json_object_set_new(group, "stacks", json_integer((json_int_t)rows->groups[i].stacks));
            vbt_json_measures(group, "", rows->groups[i].of.of);
            vbt_json_item(json, group);
        }
    vbt_json_array_end(json);
}

/* Frames are alike if they have the same place, inlined or not. */
static size_t frame_key(const struct vbt_call_tree *tree, uint32_t call) {
    return 2 * (size_t)tree->calls[call].place + tree->calls[call].inlined;
}

/* The number of each frame in the list of them, from 1; by frame_key. */
static uint32_t *print_json_frames(const struct vbt_call_tree *tree, struct vbt_json *json) {
    uint32_t *number = vbt_new(2 * tree->place_count, sizeof *number), frames = 0;
    vbt_json_array_begin(json, "frames");
    for (uint32_t i = 1; i < tree->count; i++)
        if (is_frame(tree, i) && number[frame_key(tree, i)] == 0) {
            number[frame_key(tree, i)] = ++frames;
            vbt_json_item(json, vbt_json_call(tree, i));
        }
    vbt_json_array_end(json);
    return number;
}

static void put_json_stack(struct vbt_text_buffer *text, const struct stack_rows *rows, uint32_t call, size_t limit,
                           const uint32_t *number) {
    const struct vbt_call_tree *tree = rows->tree;
    const struct vbt_measures self = vbt_call_self(tree, call);
    const char *name = group_name(rows, call);
    json_t *group = name != NULL ? vbt_json_text(name) : NULL;
    char *quoted = group != NULL ? json_dumps(group, JSON_ENCODE_ANY) : NULL;
    vbt_buffer_text(text, "{");
    vbt_buffer_json_measures(text, "", self.of);
    vbt_buffer_text(text, ", \"group\": ");
    vbt_buffer_text(text, quoted != NULL ? quoted : "null");
    vbt_buffer_text(text, ", \"frames\": [");
    size_t begin = text->size;
    for (; is_frame(tree, call) && limit > 0; call = tree->calls[call].parent, limit--) {
        vbt_buffer_integer(text, number[frame_key(tree, call)] - 1);
        vbt_buffer_text(text, ", ");
    }
    text->size -= text->size > begin ? strlen(", ") : 0;
    vbt_buffer_text(text, "], \"frames_left_out\": ");
    vbt_buffer_integer(text, is_frame(tree, call) ? tree->calls[call].depth : 0);
    vbt_buffer_text(text, "}");
    free(quoted);
    json_decref(group);
}

/* {"frames": [what stacks refer to], "stacks": [{..., "frames": [numbers, innermost first]}]} */
static void print_json(const struct stack_rows *rows, const struct vbt_model *model, const struct vbt_undecided *undecided,
                       const struct vbt_suppressed *suppressed, const struct vbt_query *query, FILE *out) {
    const struct vbt_call_tree *tree = rows->tree;
    static const char *const views[VBT_MEASURES] = {[VBT_MEASURE_PEAK] = "peak",
                                                    [VBT_MEASURE_LEAKS] = "leaks",
                                                    [VBT_MEASURE_GROWN] = "leaks",
                                                    [VBT_MEASURE_TEMPORARY] = "temporary"};
    struct vbt_json json;
    vbt_json_begin(&json, out, views[rows->measure]);
    vbt_json_completeness(&json, model);
    vbt_json_member(&json, "measure", json_string(vbt_measure_names[rows->measure]));
    json_t *totals = json_object();
    vbt_json_measures(totals, "", tree->totals);
    json_object_set_new(totals, "undecided_bytes", undecided->unknown ? json_null() : json_integer(undecided->bytes));
    json_object_set_new(totals, "undecided_blocks", undecided->unknown ? json_null() : json_integer(undecided->blocks));
    vbt_json_member(&json, "totals", totals);
    vbt_json_member(&json, "together", vbt_json_together(model));

    uint32_t *number = print_json_frames(tree, &json);
    size_t limit = stack_limit(rows, query);
    struct vbt_text_buffer text = {0};
    vbt_json_array_begin(&json, "stacks");
    for (size_t i = 0; i < rows->count; i++) {
        text.size = 0;
        put_json_stack(&text, rows, rows->stacks[i].call, limit, number);
        vbt_json_begin_item(&json);
        fwrite(text.text, 1, text.size, out);
    }
    vbt_json_array_end(&json);
    free(text.text);
    free(number);

    print_json_groups(rows, &json);
    json_t *left_out = json_object();
    json_object_set_new(left_out, "bytes", vbt_json_unsigned(suppressed->bytes));
    json_object_set_new(left_out, "blocks", vbt_json_unsigned(suppressed->blocks));
    json_object_set_new(left_out, "stacks", vbt_json_unsigned(suppressed->stacks));
    vbt_json_member(&json, "suppressed", left_out);
    vbt_json_end(&json);
}

/* Stacks as "outermost;...;innermost". */
static void print_csv_rows(const struct stack_rows *rows, const struct vbt_query *query, FILE *out) {
    char *measures = vbt_csv_measure_titles(""), *own = vbt_csv_own_titles("");
    char *titles = vbt_text("stack,group,stacks%s%s", measures, own);
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out, titles);
    size_t limit = stack_limit(rows, query);
    struct vbt_stack_names *names = vbt_stack_names_new(rows->tree);
    for (size_t i = 0; i < rows->count; i++) {
        char *stack = vbt_stack_text(names, rows->stacks[i].call, limit);
        vbt_csv_text(&csv, stack);
        free(stack);
        vbt_csv_text(&csv, group_name(rows, rows->stacks[i].call));
        vbt_csv_unsigned(&csv, 1);
        const struct vbt_measures self = vbt_call_self(rows->tree, rows->stacks[i].call);
        vbt_csv_measures(&csv, self.of);
        vbt_csv_own(&csv, self.of);
        vbt_csv_end_row(&csv);
    }
    for (int i = 0; i < VBT_RUNTIME_GROUPS; i++)
        if (rows->groups[i].stacks > 0) {
            vbt_csv_text(&csv, NULL);
            vbt_csv_text(&csv, vbt_runtime_group_names[rows->groups[i].group]);
            vbt_csv_unsigned(&csv, rows->groups[i].stacks);
            vbt_csv_measures(&csv, rows->groups[i].of.of);
            vbt_csv_own(&csv, rows->groups[i].of.of);
            vbt_csv_end_row(&csv);
        }
    vbt_stack_names_free(names);
    free(measures);
    free(own);
    free(titles);
}

static void print_csv(const struct stack_rows *rows, const struct vbt_query *query, struct vbt_output *output) {
    if (vbt_stacks_are_many(rows->tree, rows->measure)) {
        FILE *rehearsal = vbt_output_rehearse();
        print_csv_rows(rows, query, rehearsal);
        vbt_output_rehearsed(rehearsal);
    }
    print_csv_rows(rows, query, output->stream);
}

static int show(const struct vbt_query *asked, enum vbt_measure measure) {
    struct vbt_trace trace;
    struct vbt_query by_measure = *asked;
    const struct vbt_query *query = &by_measure;
    by_measure.measure = measure;
    by_measure.together = measure == VBT_MEASURE_PEAK;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    struct vbt_suppressed suppressed = {0};
    if (query->suppress != NULL && !vbt_suppress(&trace, query->suppress, &suppressed)) {
        vbt_trace_free(&trace);
        return 2;
    }
    if (query->suppress != NULL && suppressed.stacks == 0)
        vbt_warn("%s: no call stack matches --suppress %s", query->trace, query->suppress);
    struct vbt_call_tree tree;
    struct stack_rows rows;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    const struct vbt_undecided undecided = vbt_call_tree_undecided(&trace);
    const struct vbt_domain_totals mapped = vbt_domain_totals_of(&trace.model, VBT_DOMAIN_MAP);
    vbt_call_tree_build(&tree, &trace, &shape);
    build_rows(&rows, &tree, &trace.model, measure, query);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    vbt_part_print(&trace.model, query, &output);
    if (query->format == VBT_JSON)
        print_json(&rows, &trace.model, &undecided, &suppressed, query, output.stream);
    else if (query->format == VBT_CSV)
        print_csv(&rows, query, &output);
    else
        print_text(&rows, &tree, &trace.model, &undecided, query, &output);
    if (query->format == VBT_TEXT && suppressed.stacks > 0)
        fprintf(output.stream, "\nSuppressed: %s in %s, %s\n", vbt_bytes((int64_t)suppressed.bytes).text,
                vbt_counted((int64_t)suppressed.blocks, "block").text, vbt_counted((int64_t)suppressed.stacks, "call stack").text);
    if (query->format == VBT_TEXT && measure == VBT_MEASURE_LEAKS && query->filter_count == 0)
        print_still_mapped(&mapped, output.stream);
    if (query->format == VBT_TEXT && measure == VBT_MEASURE_LEAKS && !query->before_exit &&
        trace.model.state[VBT_STATE_SHUTDOWN_TIME] != 0) {
        putc('\n', output.stream);
        vbt_paragraph_print(
            &output, "", "The interpreter freed what it keeps when it shut down; --before-exit shows what was live before.", false);
    }
    free(rows.stacks);
    free(rows.by);
    vbt_call_tree_free(&tree);
    vbt_incomplete_print(&trace.model, query, &output);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}

int vbt_cmd_peak(const struct vbt_query *query) { return show(query, VBT_MEASURE_PEAK); }
int vbt_cmd_leaks(const struct vbt_query *query) { return show(query, query->grown ? VBT_MEASURE_GROWN : VBT_MEASURE_LEAKS); }
int vbt_cmd_temporary(const struct vbt_query *query) { return show(query, VBT_MEASURE_TEMPORARY); }
