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

/* Prints decimals if the mean is not a whole number, or if it is the cost of an iteration. */
static void put_mean(struct vbt_text_table *table, double mean, bool decimals) {
    bool whole = !decimals && fabs(mean) < 1e15 && mean == floor(mean);
    vbt_text_table_cell(table, "%s", whole ? vbt_count((int64_t)mean).text : vbt_rate(mean).text);
}

/* Prints the lines that allocate in an interval below it, with their cost divided like the
 * interval's own. */
static void put_sites(struct vbt_text_table *table, const struct vbt_interval_row *group, size_t columns, size_t allocs,
                      double each) {
    for (size_t i = 0; i < group->inside_count && i < SITES_SHOWN && group->inside[i].allocs > 0; i++) {
        const struct vbt_inside *inside = &group->inside[i];
        char *location = short_location(inside->place);
        vbt_text_table_cell(table, "    %s", location);
        for (size_t c = 1; c < columns; c++)
            if (c == allocs)
                put_mean(table, (double)inside->allocs / each, true);
            else if (c == allocs + 1)
                vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)inside->allocated / each).text);
            else
                vbt_text_table_cell(table, "%s", "");
        free(location);
    }
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

size_t vbt_sections_print(const struct vbt_interval_list *groups, uint64_t limit, uint64_t per, bool sites,
                          struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "Section", .least = 16},
        {.title = "", .align = VBT_RIGHT, .gap = 1},
        {.title = "Iterations", .align = VBT_RIGHT, .gap = 2, .drop = 5},
        {.title = "Runs", .align = VBT_RIGHT, .gap = 2, .drop = 3},
        {.title = "Time", .align = VBT_RIGHT, .gap = 2},
        {.title = "± std", .align = VBT_RIGHT, .gap = 2, .drop = 2},
        {.title = "Min", .align = VBT_RIGHT, .gap = 2, .drop = 4},
        {.title = "Time/iter", .align = VBT_RIGHT, .gap = 2, .drop = 6},
        {.title = "Allocs/iter", .align = VBT_RIGHT, .gap = 2},
        {.title = "Bytes/iter", .align = VBT_RIGHT, .gap = 2},
        {.title = "High", .align = VBT_RIGHT, .gap = 2, .drop = 1},
    };
    enum { COLUMNS = VBT_COUNT(columns), ALLOCS = 8 };
    struct labelled *rows = vbt_new(groups->count, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < groups->count; i++)
        if (groups->rows[i].section) {
            rows[count] = (struct labelled){&groups->rows[i], name_size(groups->rows[i].label), count};
            count++;
        }
    arrange(rows, count);

    struct vbt_text_table *table = vbt_text_table_new(columns, COLUMNS);
    for (size_t i = 0; i < count && i < limit; i++) {
        const struct vbt_interval_row *group = rows[i].group;
        double iterations = vbt_interval_iterations(group, per);
        vbt_text_table_cell(table, "%.*s", (int)rows[i].name_size, group->label);
        vbt_text_table_cell(table, "%s", group->label[rows[i].name_size] != '\0' ? group->label + rows[i].name_size + 1 : "");
        if (iterations > 0)
            put_mean(table, iterations, false);
        else
            vbt_text_table_cell(table, "%s", "");
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)group->count).text);
        put_time(table, vbt_interval_mean(group, VBT_Q_TIME));
        put_deviation(table, group, 1);
        put_time(table, (double)group->of[VBT_Q_TIME].min);
        put_time(table, iterations > 0 ? (double)group->of[VBT_Q_TIME].total / iterations : NAN);
        vbt_text_table_cell(table, "%s", iterations > 0 ? vbt_rate((double)group->of[VBT_Q_ALLOCS].total / iterations).text : "");
        vbt_text_table_cell(table, "%s",
                            iterations > 0 ? vbt_mean_bytes((double)group->of[VBT_Q_ALLOCATED].total / iterations).text : "");
        vbt_text_table_cell(table, "%s", vbt_bytes(group->of[VBT_Q_HIGH].max).text);
        if (sites)
            put_sites(table, group, COLUMNS, ALLOCS, iterations > 0 ? iterations : (double)group->count);
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
    enum { COLUMNS = VBT_COUNT(columns), ALLOCS = 7 };
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
        put_time(table, (double)group->of[VBT_Q_TIME].min / share);
        put_mean(table, (double)group->of[VBT_Q_ALLOCS].total / each, per > 0);
        vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)group->of[VBT_Q_ALLOCATED].total / each).text);
        vbt_text_table_cell(table, "%s", vbt_mean_bytes((double)group->of[VBT_Q_NET].total / each).text);
        vbt_text_table_cell(table, "%s", vbt_bytes(group->of[VBT_Q_HIGH].max).text);
        if (sites)
            put_sites(table, group, COLUMNS, ALLOCS, each);
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
    json_object_set_new(object, "min", json_integer(q->min));
    json_object_set_new(object, "mean", vbt_json_real(vbt_interval_mean(group, quantity)));
    json_object_set_new(object, "max", json_integer(q->max));
    json_object_set_new(object, "total", json_integer(q->total));
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
