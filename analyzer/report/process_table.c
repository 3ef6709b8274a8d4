/* See process_table.h. */
#include "process_table.h"

#include "command_line.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/json.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"
#include "preload/shared/base_name.h"

#include <stdlib.h>
#include <string.h>

const char *const vbt_process_keys[] = {"allocs", "bytes", "peak", "start", "time", NULL};

enum process_key { BY_ALLOCS, BY_BYTES, BY_PEAK, BY_START, BY_TIME };

static int64_t started_of(const struct vbt_model *m) { return vbt_model_process_number(m, "started"); }

/* Larger comes first. */
static int64_t value_of(const struct vbt_model *m, enum process_key key) {
    switch (key) {
    case BY_BYTES:
        return (int64_t)vbt_all_totals(m).allocated;
    case BY_PEAK:
        return m->state[VBT_STATE_PEAK];
    case BY_START:
        return (int64_t) - (uint64_t)started_of(m);
    case BY_TIME:
        return (int64_t)vbt_model_duration(m);
    default:
        return (int64_t)vbt_all_totals(m).allocs;
    }
}

static int compare(const void *left, const void *right, void *by) {
    const struct vbt_model *a = *(const struct vbt_model *const *)left, *b = *(const struct vbt_model *const *)right;
    int64_t x = value_of(a, *(enum process_key *)by), y = value_of(b, *(enum process_key *)by);
    if (x != y)
        return x > y ? -1 : 1;
    x = started_of(a);
    y = started_of(b);
    return x != y ? (x < y ? -1 : 1) : strcmp(a->path, b->path);
}

/* The rows in the order that the query asks for; the caller frees the array. */
static const struct vbt_model **in_order(const struct vbt_process_list *list, const char *name) {
    const struct vbt_model **rows = vbt_new(list->count, sizeof(void *));
    enum process_key key = BY_ALLOCS;
    while (strcmp(vbt_process_keys[key], name) != 0)
        key++;
    for (size_t i = 0; i < list->count; i++)
        rows[i] = &list->rows[i];
    if (list->count > 0)
        qsort_r(rows, list->count, sizeof(void *), compare, &key);
    return rows;
}

/* How it ended, in a word. */
static const char *end_of(const struct vbt_model *m) {
    return m->damage != NULL ? "damaged" : m->ended ? m->end_reason : "cut off";
}

/* The folder that all the files lie in, with a slash; "" if there is none. */
static char *folder_of(const struct vbt_process_list *list) {
    size_t length = 0;
    for (size_t i = 0; i < list->count; i++) {
        const char *path = list->rows[i].path;
        size_t own = (size_t)(vbt_base_name(path) - path);
        if (i > 0 && (own != length || strncmp(path, list->rows[0].path, length) != 0))
            return vbt_copy("", 0);
        length = own;
    }
    return vbt_copy(length > 0 ? list->rows[0].path : "", length);
}

static void put_row(struct vbt_text_table *table, const struct vbt_model *m, bool is_first, int64_t begin, size_t folder) {
    const struct vbt_domain_totals totals = vbt_all_totals(m);
    const char *pid = vbt_model_process(m, "pid");
    char *command = vbt_command_line(m);
    vbt_text_table_cell(table, "%s", is_first ? "→" : "");
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)totals.allocs).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)totals.allocated).text);
    vbt_text_table_cell(table, "%s", vbt_bytes(m->state[VBT_STATE_PEAK]).text);
    vbt_text_table_cell(table, "%s", started_of(m) > 0 ? vbt_time((double)(started_of(m) - begin)).text : "");
    vbt_text_table_cell(table, "%s", vbt_time((double)vbt_model_duration(m)).text);
    vbt_text_table_cell(table, "%s", end_of(m));
    vbt_text_table_cell(table, "%s", pid != NULL ? pid : "");
    vbt_text_table_cell(table, "%s", command[0] != '\0' ? command + vbt_command_folder(command) : "(unknown program)");
    vbt_text_table_cell(table, "%s", m->path + folder);
    free(command);
}

/* When the first of them began, ns since 1970; 0: unknown. */
static int64_t begin_of(const struct vbt_process_list *list) {
    int64_t begin = 0;
    for (size_t i = 0; i < list->count; i++) {
        int64_t started = started_of(&list->rows[i]);
        begin = started > 0 && (begin == 0 || started < begin) ? started : begin;
    }
    return begin;
}

static void print_line(struct vbt_output *output, const char *before, const char *path) {
    char *word = vbt_shell_word(path), *printable = vbt_utf8_printable(word, strlen(word));
    fprintf(output->stream, "%s%s\n", before, printable);
    free(printable);
    free(word);
}

void vbt_process_table_print(const struct vbt_process_list *list, const struct vbt_query *query, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "", .width = 1},
        {.title = "Allocations", .align = VBT_RIGHT, .gap = 1},
        {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 3},
        {.title = "Peak", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "Began", .align = VBT_RIGHT, .gap = 2, .width = 7, .drop = 2},
        {.title = "Ran", .align = VBT_RIGHT, .gap = 2, .width = 7},
        {.title = "End", .gap = 2, .drop = 1},
        {.title = "Process", .align = VBT_RIGHT, .gap = 2, .drop = 4},
        {.title = "Command", .gap = 2, .width = 16, .least = 16},
        {.title = "Trace", .gap = 2, .least = 16, .ellipsis = VBT_ELLIPSIS_START},
    };
    const struct vbt_model **rows = in_order(list, query->sort), *first = vbt_process_list_first(list);
    char *folder = folder_of(list);
    int64_t begin = begin_of(list);
    FILE *out = output->stream;
    fprintf(out, "%s%s%s", output->bold, vbt_counted((int64_t)list->count, "trace").text, output->normal);
    if (folder[0] != '\0')
        print_line(output, " in ", folder);
    else
        putc('\n', out);
    if (begin > 0)
        fprintf(out, "The first began at %s.\n", vbt_date(begin).text);
    putc('\n', out);
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    for (size_t i = 0; i < list->count && i < query->limit; i++)
        put_row(table, rows[i], rows[i] == first, begin, strlen(folder));
    vbt_text_table_print(table, output, '-');
    const char *left_out = vbt_text_table_left_out(table);
    if (left_out[0] != '\0')
        fprintf(out, "\nOmitted to fit the width: %s\n", left_out);
    vbt_text_table_free(table);
    if (list->count > query->limit)
        fprintf(out, "… and %s; --limit 0 shows all\n", vbt_counted((int64_t)(list->count - query->limit), "more trace").text);
    fprintf(out, "\n%sNext%s\n\n", output->bold, output->normal);
    print_line(output, "vbtrace report ", first->path);
    free(folder);
    free(rows);
}

json_t *vbt_json_process(const struct vbt_model *m, bool is_first) {
    const struct vbt_domain_totals totals = vbt_all_totals(m);
    static const char *const texts[] = {"host", "rank", "python"};
    static const char *const numbers[] = {"pid", "ppid"};
    char *command = vbt_command_line(m), *program = vbt_process_program(m);
    int64_t started = started_of(m);
    json_t *row = json_object();
    json_object_set_new(row, "trace", vbt_json_text(m->path));
    json_object_set_new(row, "first", json_boolean(is_first));
    json_object_set_new(row, "program", vbt_json_text(program));
    json_object_set_new(row, "command", vbt_json_text(command));
    for (size_t i = 0; i < VBT_COUNT(numbers); i++)
        json_object_set_new(row, numbers[i],
                            vbt_model_process(m, numbers[i]) != NULL ? json_integer(vbt_model_process_number(m, numbers[i]))
                                                                     : json_null());
    for (size_t i = 0; i < VBT_COUNT(texts); i++)
        json_object_set_new(row, texts[i], vbt_json_text(vbt_model_process(m, texts[i])));
    json_object_set_new(row, "started", started > 0 ? vbt_json_text(vbt_iso_date(started).text) : json_null());
    json_object_set_new(row, "started_ns", json_integer(started));
    json_object_set_new(row, "duration_ns", vbt_json_unsigned(vbt_model_duration(m)));
    json_object_set_new(row, "complete", json_boolean(vbt_model_complete(m)));
    json_object_set_new(row, "end_reason", vbt_json_text(m->ended ? m->end_reason : NULL));
    json_object_set_new(row, "damaged", json_boolean(m->damage != NULL));
    json_object_set_new(row, "allocs", vbt_json_unsigned(totals.allocs));
    json_object_set_new(row, "frees", vbt_json_unsigned(totals.frees));
    json_object_set_new(row, "allocated_bytes", vbt_json_unsigned(totals.allocated));
    json_object_set_new(row, "freed_bytes", vbt_json_unsigned(totals.freed));
    json_object_set_new(row, "temporary_allocs", vbt_json_unsigned(totals.temporary));
    json_object_set_new(row, "inherited_blocks", vbt_json_unsigned(totals.inherited_blocks));
    json_object_set_new(row, "inherited_bytes", vbt_json_unsigned(totals.inherited_bytes));
    json_object_set_new(row, "live_blocks", json_integer(totals.live_blocks));
    json_object_set_new(row, "live_bytes", json_integer(totals.live_bytes));
    json_object_set_new(row, "peak_bytes", json_integer(m->state[VBT_STATE_PEAK]));
    json_object_set_new(row, "max_rss_bytes", json_integer(m->state[VBT_STATE_MAX_RSS]));
    json_object_set_new(row, "lost_events", vbt_json_unsigned(vbt_lost_total(m)));
    free(program);
    free(command);
    return row;
}

void vbt_process_json_print(const struct vbt_process_list *list, const struct vbt_query *query, FILE *out) {
    const struct vbt_model **rows = in_order(list, query->sort), *first = vbt_process_list_first(list);
    struct vbt_json json;
    vbt_json_begin(&json, out, "list");
    vbt_json_array_begin(&json, "processes");
    for (size_t i = 0; i < list->count && i < query->limit; i++)
        vbt_json_item(&json, vbt_json_process(rows[i], rows[i] == first));
    vbt_json_array_end(&json);
    vbt_json_end(&json);
    free(rows);
}

/* A cell as JSON has it, null as an empty one. */
static void put_cell(struct vbt_csv *csv, const json_t *value) {
    if (json_is_integer(value))
        vbt_csv_integer(csv, json_integer_value(value));
    else if (json_is_boolean(value))
        vbt_csv_text(csv, json_is_true(value) ? "true" : "false");
    else
        vbt_csv_text(csv, json_string_value(value));
}

void vbt_process_csv_print(const struct vbt_process_list *list, const struct vbt_query *query, FILE *out) {
    const struct vbt_model **rows = in_order(list, query->sort), *first = vbt_process_list_first(list);
    struct vbt_csv csv;
    for (size_t i = 0; i < list->count && i < query->limit; i++) {
        json_t *row = vbt_json_process(rows[i], rows[i] == first), *value;
        const char *key;
        if (i == 0) {
            char *titles = vbt_copy("", 0);
            json_object_foreach(row, key, value) {
                char *longer = vbt_text("%s%s%s", titles, titles[0] != '\0' ? "," : "", key);
                free(titles);
                titles = longer;
            }
            vbt_csv_begin(&csv, out, titles);
            free(titles);
        }
        json_object_foreach(row, key, value) put_cell(&csv, value);
        vbt_csv_end_row(&csv);
        json_decref(row);
    }
    free(rows);
}
