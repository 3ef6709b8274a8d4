/* See interval_report.h. */
#include "interval_report.h"

#include "json_rows.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/json.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "format/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many lines are shown under an interval. */
enum { SITES_SHOWN = 8 };

/* bench.py:12, or the function if there is no line. */
static char *short_location(const struct vbt_source_place *place) {
    if (place->kind == VBT_PLACE_SPECIAL || place->line == 0)
        return vbt_copy(place->function, strlen(place->function));
    return vbt_text("%s:%lld", vbt_file_name(place->file), (long long)place->line);
}

/* Leaves the cell empty for a single repetition, whose standard deviation means nothing. */
static void put_deviation(struct vbt_text_table *table, const struct vbt_interval_row *group, double share) {
    double deviation = vbt_interval_deviation(group);
    vbt_text_table_cell(table, "%s", group->count < 2 || isnan(deviation) ? "" : vbt_time(deviation / share).text);
}

static void put_time(struct vbt_text_table *table, double ns) {
    vbt_text_table_cell(table, "%s", isnan(ns) ? "" : vbt_time(ns).text);
}

static double least_time(const struct vbt_interval_row *group) {
    return vbt_interval_knows_extremes(group, VBT_Q_TIME) ? (double)group->of[VBT_Q_TIME].min : NAN;
}

/* Prints decimals if the mean is not a whole number, or if it is the cost of an iteration. */
static void put_mean(struct vbt_text_table *table, double mean, bool decimals) {
    bool whole = !decimals && fabs(mean) < 1e15 && mean == floor(mean);
    vbt_text_table_cell(table, "%s", whole ? vbt_count((int64_t)mean).text : vbt_rate(mean).text);
}

static void put_high(struct vbt_text_table *table, const struct vbt_interval_row *group) {
    bool known = vbt_interval_knows_extremes(group, VBT_Q_HIGH);
    vbt_text_table_cell(table, "%s", known ? vbt_bytes(group->of[VBT_Q_HIGH].max).text : "");
}

/* allocs: the column of what was allocated, before that of the bytes. */
static void put_site(struct vbt_text_table *table, const char *name, size_t columns, size_t allocs, double count, double bytes) {
    vbt_text_table_cell(table, "    %s", name);
    for (size_t c = 1; c < columns; c++)
        if (c == allocs)
            put_mean(table, count, true);
        else
            vbt_text_table_cell(table, "%s", c == allocs + 1 ? vbt_mean_bytes(bytes).text : "");
}

/* Prints the lines that allocate in an interval below it, with their cost divided like the
 * interval's own, a row for all others, and one for what no line is known of. */
static void put_sites(struct vbt_text_table *table, const struct vbt_interval_row *group, size_t columns, size_t allocs,
                      double each) {
    uint64_t unknown = (uint64_t)group->of[VBT_Q_ALLOCS].total, unknown_bytes = (uint64_t)group->of[VBT_Q_ALLOCATED].total;
    uint64_t rest = 0, rest_bytes = 0;
    size_t others = 0;
    for (size_t i = 0; i < group->inside_count && group->inside[i].allocs > 0; i++) {
        const struct vbt_inside *inside = &group->inside[i];
        unknown -= inside->allocs;
        unknown_bytes -= inside->allocated;
        if (i >= SITES_SHOWN) {
            others++;
            rest += inside->allocs;
            rest_bytes += inside->allocated;
            continue;
        }
        char *location = short_location(inside->place);
        put_site(table, location, columns, allocs, (double)inside->allocs / each, (double)inside->allocated / each);
        free(location);
    }
    if (others > 0)
        put_site(table, vbt_counted((int64_t)others, "other line").text, columns, allocs, (double)rest / each,
                 (double)rest_bytes / each);
    if ((int64_t)unknown > 0)
        put_site(table, "lines not known", columns, allocs, (double)unknown / each, (double)unknown_bytes / each);
}

/* A section in the table: its label split into a name and a number at its end. */
struct labelled {
    const struct vbt_interval_row *group;
    size_t name_size; /* of the label, without the number and the blank before it */
    size_t rank;      /* of the first section with that name */
};

static size_t name_size(const char *label) {
    size_t size = strlen(label), digits = 0;
    while (digits < size && label[size - digits - 1] >= '0' && label[size - digits - 1] <= '9')
        digits++;
    bool numbered = digits > 0 && digits + 1 < size && label[size - digits - 1] == ' ';
    return numbered ? size - digits - 1 : size;
}

static int by_name(const void *left, const void *right) {
    const struct labelled *a = left, *b = right;
    size_t common = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = memcmp(a->group->label, b->group->label, common);
    if (order == 0)
        order = a->name_size < b->name_size ? -1 : a->name_size > b->name_size;
    return order != 0 ? order : a->rank < b->rank ? -1 : 1;
}

static int by_name_rank(const void *left, const void *right) {
    const struct labelled *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->group < b->group ? -1 : 1; /* the groups are already in order */
}

/* Sorts the sections so that those of one name stand together: names in order of their first
 * section, the sections of a name in the groups' order. */
static void arrange(struct labelled *rows, size_t count) {
    if (count == 0)
        return;
    qsort(rows, count, sizeof *rows, by_name);
    for (size_t i = 1; i < count; i++)
        if (rows[i].name_size == rows[i - 1].name_size &&
            memcmp(rows[i].group->label, rows[i - 1].group->label, rows[i].name_size) == 0)
            rows[i].rank = rows[i - 1].rank;
    qsort(rows, count, sizeof *rows, by_name_rank);
}

/* The columns of sections. What an iteration cost is shown if a section has iterations, what a run
 * cost if a section has none. */
enum section_column {
    NAME,
    NUMBER,
    ITERATIONS,
    RUNS,
    TIME,
    DEVIATION,
    LEAST,
    TIME_ITER,
    ALLOCS_ITER,
    BYTES_ITER,
    ALLOCS,
    BYTES,
    NET,
    HIGH,
    SECTION_COLUMNS
};

enum iterations { NONE_HAS, ALL_HAVE, SOME_HAVE };

static const struct vbt_column section_columns[SECTION_COLUMNS] = {
    [NAME] = {.title = "Section", .least = 16},
    [NUMBER] = {.title = "", .align = VBT_RIGHT, .gap = 1},
    [ITERATIONS] = {.title = "Iterations", .align = VBT_RIGHT, .gap = 2, .drop = 5},
    [RUNS] = {.title = "Runs", .align = VBT_RIGHT, .gap = 2, .drop = 3},
    [TIME] = {.title = "Time", .align = VBT_RIGHT, .gap = 2},
    [DEVIATION] = {.title = "± std", .align = VBT_RIGHT, .gap = 2, .drop = 2},
    [LEAST] = {.title = "Min", .align = VBT_RIGHT, .gap = 2, .drop = 4},
    [TIME_ITER] = {.title = "Time/iter", .align = VBT_RIGHT, .gap = 2, .drop = 6},
    [ALLOCS_ITER] = {.title = "Allocs/iter", .align = VBT_RIGHT, .gap = 2},
    [BYTES_ITER] = {.title = "Bytes/iter", .align = VBT_RIGHT, .gap = 2},
    [ALLOCS] = {.title = "Allocs", .align = VBT_RIGHT, .gap = 2},
    [BYTES] = {.title = "Bytes", .align = VBT_RIGHT, .gap = 2},
    [NET] = {.title = "Net", .align = VBT_RIGHT, .gap = 2, .drop = 7},
    [HIGH] = {.title = "High", .align = VBT_RIGHT, .gap = 2, .drop = 1},
};

static bool is_per_iteration(enum section_column column) {
    return column == ITERATIONS || column == TIME_ITER || column == ALLOCS_ITER || column == BYTES_ITER;
}

static bool is_per_run(enum section_column column) { return column == ALLOCS || column == BYTES || column == NET; }

static size_t section_columns_for(enum iterations have, struct vbt_column columns[SECTION_COLUMNS],
                                  enum section_column which[SECTION_COLUMNS]) {
    size_t count = 0;
    for (enum section_column c = NAME; c < SECTION_COLUMNS; c++) {
        if ((have == NONE_HAS && is_per_iteration(c)) || (have == ALL_HAVE && is_per_run(c)))
            continue;
        columns[count] = section_columns[c];
        which[count++] = c;
    }
    return count;
}

static enum iterations iterations_of(const struct labelled *rows, size_t count, uint64_t per) {
    size_t have = 0;
    for (size_t i = 0; i < count; i++)
        have += vbt_interval_iterations(rows[i].group, per) > 0;
    return have == 0 ? NONE_HAS : have == count ? ALL_HAVE : SOME_HAVE;
}

static void put_section_cell(struct vbt_text_table *table, const struct labelled *row, enum section_column column,
                             double iterations) {
    const struct vbt_interval_row *group = row->group;
    if (is_per_iteration(column) && !(iterations > 0)) {
        vbt_text_table_cell(table, "%s", "");
        return;
    }
    switch (column) {
    case NAME:
        vbt_text_table_cell(table, "%.*s", (int)row->name_size, group->label);
        break;
    case NUMBER:
        vbt_text_table_cell(table, "%s", group->label[row->name_size] != '\0' ? group->label + row->name_size + 1 : "");
        break;
    case ITERATIONS:
        put_mean(table, iterations, false);
        break;
    case RUNS:
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)group->count).text);
        break;
    case TIME:
        put_time(table, vbt_interval_mean(group, VBT_Q_TIME));
        break;
    case DEVIATION:
        put_deviation(table, group, 1);
        break;
    case LEAST:
        put_time(table, least_time(group));
        break;
    case TIME_ITER:
        put_time(table, (double)group->of[VBT_Q_TIME].total / iterations);
        break;
    case ALLOCS_ITER:
        vbt_text_table_cell(table, "%s", vbt_rate((double)group->of[VBT_Q_ALLOCS].total / iterations).text);
        break;
    case BYTES_ITER:
        vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)group->of[VBT_Q_ALLOCATED].total / iterations).text);
        break;
    case ALLOCS:
        put_mean(table, vbt_interval_mean(group, VBT_Q_ALLOCS), false);
        break;
    case BYTES:
        vbt_text_table_cell(table, "%s", vbt_mean_bytes(vbt_interval_mean(group, VBT_Q_ALLOCATED)).text);
        break;
    case NET:
        vbt_text_table_cell(table, "%s", vbt_mean_bytes(vbt_interval_mean(group, VBT_Q_NET)).text);
        break;
    default:
        put_high(table, group);
    }
}

size_t vbt_sections_print(const struct vbt_interval_list *groups, uint64_t limit, uint64_t per, bool sites,
                          struct vbt_output *output) {
    struct labelled *rows = vbt_new(groups->count, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < groups->count; i++)
        if (groups->rows[i].section) {
            rows[count] = (struct labelled){&groups->rows[i], name_size(groups->rows[i].label), count};
            count++;
        }
    arrange(rows, count);

    struct vbt_column columns[SECTION_COLUMNS];
    enum section_column which[SECTION_COLUMNS];
    size_t column_count = section_columns_for(iterations_of(rows, count, per), columns, which);
    struct vbt_text_table *table = vbt_text_table_new(columns, column_count);
    for (size_t i = 0; i < count && i < limit; i++) {
        double iterations = vbt_interval_iterations(rows[i].group, per);
        size_t allocs = 0;
        for (size_t c = 0; c < column_count; c++) {
            put_section_cell(table, &rows[i], which[c], iterations);
            if (which[c] == (iterations > 0 ? ALLOCS_ITER : ALLOCS))
                allocs = c;
        }
        if (sites)
            put_sites(table, rows[i].group, column_count, allocs, iterations > 0 ? iterations : (double)rows[i].group->count);
    }
    if (count > 0)
        vbt_text_table_print(table, output, '-');
    vbt_text_table_free(table);
    free(rows);
    return count;
}

size_t vbt_clock_intervals_print(const struct vbt_interval_list *groups, uint64_t limit, uint64_t per, bool sites,
                                 struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "From", .least = 12, .ellipsis = VBT_ELLIPSIS_START},
        {.title = "→", .gap = 1},
        {.title = "to", .gap = 1, .least = 12, .ellipsis = VBT_ELLIPSIS_START},
        {.title = "Count", .align = VBT_RIGHT, .gap = 2},
        {.title = "Time", .align = VBT_RIGHT, .gap = 2},
        {.title = "± std", .align = VBT_RIGHT, .gap = 2, .drop = 2},
        {.title = "Min", .align = VBT_RIGHT, .gap = 2, .drop = 4},
        {.title = "Allocs", .align = VBT_RIGHT, .gap = 2},
        {.title = "Bytes", .align = VBT_RIGHT, .gap = 2},
        {.title = "Net", .align = VBT_RIGHT, .gap = 2, .drop = 3},
        {.title = "High", .align = VBT_RIGHT, .gap = 2, .drop = 1},
    };
    enum { COLUMNS = VBT_COUNT(columns), ALLOCS_COLUMN = 7 };
    struct vbt_text_table *table = vbt_text_table_new(columns, COLUMNS);
    size_t count = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct vbt_interval_row *group = &groups->rows[i];
        if (group->section || count++ >= limit)
            continue;
        char *from = short_location(group->from), *to = short_location(group->to);
        double share = per > 0 ? (double)per : 1, each = group->count > 0 ? (double)group->count * share : NAN;
        vbt_text_table_cell(table, "%s", from);
        vbt_text_table_cell(table, "→");
        vbt_text_table_cell(table, "%s", to);
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)group->count).text);
        put_time(table, (double)group->of[VBT_Q_TIME].total / each);
        put_deviation(table, group, share);
        put_time(table, least_time(group) / share);
        put_mean(table, (double)group->of[VBT_Q_ALLOCS].total / each, per > 0);
        vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)group->of[VBT_Q_ALLOCATED].total / each).text);
        vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)group->of[VBT_Q_NET].total / each).text);
        put_high(table, group);
        if (sites)
            put_sites(table, group, COLUMNS, ALLOCS_COLUMN, each);
        free(from);
        free(to);
    }
    if (count > 0)
        vbt_text_table_print(table, output, '-');
    vbt_text_table_free(table);
    return count;
}

static json_t *quantity_of(const struct vbt_interval_row *group, enum vbt_quantity quantity) {
    const struct vbt_model_quantities *q = &group->of[quantity];
    json_t *object = json_object();
    bool some = !vbt_interval_knows_extremes(group, quantity), unknown = group->filtered && quantity == VBT_Q_HIGH;
    json_object_set_new(object, "min", some ? json_null() : json_integer(q->min));
    json_object_set_new(object, "mean", unknown ? json_null() : vbt_json_real(vbt_interval_mean(group, quantity)));
    json_object_set_new(object, "max", some ? json_null() : json_integer(q->max));
    json_object_set_new(object, "total", unknown ? json_null() : json_integer(q->total));
    if (quantity == VBT_Q_TIME)
        json_object_set_new(object, "std", vbt_json_real(vbt_interval_deviation(group)));
    return object;
}

json_t *vbt_json_interval(const struct vbt_interval_row *group, uint64_t per) {
    static const struct {
        const char *name;
        enum vbt_quantity quantity;
    } quantities[] = {
        {"time_ns", VBT_Q_TIME},      {"allocs", VBT_Q_ALLOCS}, {"frees", VBT_Q_FREES},    {"allocated_bytes", VBT_Q_ALLOCATED},
        {"freed_bytes", VBT_Q_FREED}, {"net_bytes", VBT_Q_NET}, {"high_bytes", VBT_Q_HIGH}};
    double iterations = vbt_interval_iterations(group, per);
    json_t *row = json_object();
    json_object_set_new(row, "kind", json_string(group->section ? "section" : "clock"));
    json_object_set_new(row, "label", vbt_json_text(group->section ? group->label : NULL));
    json_object_set_new(row, "from", vbt_json_place(group->from, NULL));
    json_object_set_new(row, "to", vbt_json_place(group->to, NULL));
    json_object_set_new(row, "count", vbt_json_unsigned(group->count));
    json_object_set_new(row, "iterations", vbt_json_unsigned(group->iterations));
    for (size_t i = 0; i < VBT_COUNT(quantities); i++)
        json_object_set_new(row, quantities[i].name, quantity_of(group, quantities[i].quantity));
    static const enum vbt_quantity divided[] = {VBT_Q_TIME, VBT_Q_ALLOCS, VBT_Q_ALLOCATED};
    static const char *const divided_names[] = {"time_ns", "allocs", "allocated_bytes"};
    json_t *each = json_object();
    for (size_t i = 0; i < 3; i++)
        json_object_set_new(each, divided_names[i],
                            iterations > 0 ? vbt_json_real((double)group->of[divided[i]].total / iterations) : json_null());
    json_object_set_new(row, "per_iteration", each);
    json_t *sites = json_array();
    for (size_t i = 0; i < group->inside_count; i++) {
        const struct vbt_inside *inside = &group->inside[i];
        json_t *site = vbt_json_place(inside->place, NULL);
        json_object_set_new(site, "allocs", vbt_json_unsigned(inside->allocs));
        json_object_set_new(site, "frees", vbt_json_unsigned(inside->frees));
        json_object_set_new(site, "allocated_bytes", vbt_json_unsigned(inside->allocated));
        json_object_set_new(site, "freed_bytes", vbt_json_unsigned(inside->freed));
        json_array_append_new(sites, site);
    }
    json_object_set_new(row, "sites", sites);
    return row;
}

void vbt_json_unended(struct vbt_json *json, const struct vbt_interval_list *groups) {
    vbt_json_array_begin(json, "unended_sections");
    for (size_t i = 0; i < groups->unended_count; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "label", vbt_json_text(groups->unended[i].label));
        json_object_set_new(row, "from", vbt_json_place(groups->unended[i].from, NULL));
        json_object_set_new(row, "count", vbt_json_unsigned(groups->unended[i].count));
        vbt_json_item(json, row);
    }
    vbt_json_array_end(json);
}
