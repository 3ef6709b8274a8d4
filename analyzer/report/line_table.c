/* See line_table.h. */
#include "line_table.h"

#include "paragraph.h"
#include "analyzer/analysis/measure.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

/* The first columns have the widths and gaps of memory_profiler's "{:>6} {:>12} {:>12}  {:>10}
 * {:<}", but for its Increment, the change of memory while a line ran: only counted lines have
 * that. Freed is Bytes minus Net, and the first to be omitted. */
enum { MEM_USAGE = 1 };

static const struct vbt_column columns[] = {
    {.title = "Line #", .align = VBT_RIGHT, .width = 6},
    {.title = "Mem usage", .align = VBT_RIGHT, .gap = 1, .width = 12, .drop = 1},
    {.title = "Occurrences", .align = VBT_RIGHT, .gap = 2, .width = 10, .drop = 3},
    {.title = "Line Contents", .gap = 3, .least = 24},
    {.title = "Allocs", .align = VBT_RIGHT, .gap = 2},
    {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8},
    {.title = "Freed", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 7},
    {.title = "Net", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 6},
    {.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 4},
    {.title = "Temp", .align = VBT_RIGHT, .gap = 2, .drop = 5},
};

/* A row of the table: one line of one file, whatever functions it is in. */
struct line_table_row {
    const struct vbt_source_place *place;
    struct vbt_sums sums;
    uint64_t hits, entries;
    size_t rank;      /* 0: hottest */
    size_t file_rank; /* of the hottest row in the same file */
};

static bool has_source(const struct vbt_source_place *place) { return place->kind != VBT_PLACE_SPECIAL; }

static int by_place(const void *left, const void *right) {
    const struct line_table_row *a = left, *b = right;
    int order = strcmp(a->place->file, b->place->file);
    if (order != 0)
        return order;
    if (a->place->line != b->place->line)
        return a->place->line < b->place->line ? -1 : 1;
    if (a->place->line == 0 && (order = strcmp(a->place->function, b->place->function)) != 0)
        return order; /* without a line, rows differ in their function */
    return a->rank < b->rank ? -1 : 1;
}

static bool same_row(const struct line_table_row *a, const struct line_table_row *b) {
    return strcmp(a->place->file, b->place->file) == 0 && a->place->line == b->place->line &&
           (a->place->line != 0 || strcmp(a->place->function, b->place->function) == 0);
}

static int by_rank(const void *left, const void *right) {
    const struct line_table_row *a = left, *b = right;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static int by_file_and_line(const void *left, const void *right) {
    const struct line_table_row *a = left, *b = right;
    if (a->file_rank != b->file_rank)
        return a->file_rank < b->file_rank ? -1 : 1;
    if (a->place->line != b->place->line)
        return a->place->line < b->place->line ? -1 : 1;
    return by_rank(left, right);
}

/* Merges the rows of each line, and sorts them by rank. Returns how many are left. */
static size_t merge_rows(struct line_table_row *rows, size_t count) {
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_place);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && same_row(&rows[kept - 1], &rows[i])) {
            vbt_sums_add(&rows[kept - 1].sums, &rows[i].sums);
            rows[kept - 1].hits += rows[i].hits;
            rows[kept - 1].entries += rows[i].entries;
            if (rows[i].rank < rows[kept - 1].rank)
                rows[kept - 1].rank = rows[i].rank;
        } else {
            rows[kept++] = rows[i];
        }
    }
    if (kept > 0)
        qsort(rows, kept, sizeof *rows, by_rank);
    return kept;
}

/* Gives all rows of a file the rank of its hottest row, and sorts by file and line. */
static void group_by_file(struct line_table_row *rows, size_t count) {
    if (count == 0)
        return;
    qsort(rows, count, sizeof *rows, by_place);
    for (size_t i = 0; i < count;) {
        size_t end = i, best = rows[i].rank;
        for (; end < count && strcmp(rows[end].place->file, rows[i].place->file) == 0; end++)
            if (rows[end].rank < best)
                best = rows[end].rank;
        for (; i < end; i++)
            rows[i].file_rank = best;
    }
    qsort(rows, count, sizeof *rows, by_file_and_line);
}

void vbt_line_columns_omit(struct vbt_text_table *table) {
    if (!vbt_measure_is_known(VBT_MEASURE_PEAK))
        vbt_text_table_omit(table, "At peak");
}

void vbt_line_cells_put(struct vbt_text_table *table, const struct vbt_sums *s) {
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)s->allocs).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)s->allocated).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)s->freed).text);
    vbt_text_table_cell(table, "%s", vbt_bytes(s->live_bytes).text);
    vbt_text_table_cell(table, "%s", vbt_bytes(s->at_peak_bytes).text);
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)s->temporary).text);
}

/* occurrences: 0: unknown. */
static void put_sums(struct vbt_text_table *table, const char *line, const struct vbt_sums *s, uint64_t occurrences,
                     const char *contents) {
    vbt_text_table_cell(table, "%s", line);
    vbt_text_table_cell(table, "%s", s->max_rss_bytes > 0 ? vbt_mib((int64_t)s->max_rss_bytes).text : "");
    vbt_text_table_cell(table, "%s", occurrences > 0 ? vbt_count((int64_t)occurrences).text : "");
    vbt_text_table_cell(table, "%s", contents);
    vbt_line_cells_put(table, s);
}

static size_t indentation(const char *source, size_t size) {
    size_t blanks = 0;
    while (blanks < size && (source[blanks] == ' ' || source[blanks] == '\t'))
        blanks++;
    return blanks;
}

enum { LONGEST_NAME = 40 }; /* of a function whose source is not available */

/* Prints the rows of one file, without the indentation that all of them share. */
static void put_file(struct vbt_text_table *table, const struct line_table_row *rows, size_t count, struct vbt_sources *sources,
                     const struct vbt_output *output) {
    size_t common = SIZE_MAX, size;
    for (size_t i = 0; i < count; i++) {
        const char *source = vbt_source_line(sources, rows[i].place->file, rows[i].place->line, &size);
        if (source != NULL && indentation(source, size) < common)
            common = indentation(source, size);
    }
    static const char heading[] = "Filename: ";
    char *file = vbt_utf8_printable(rows[0].place->file, strlen(rows[0].place->file));
    if (output->is_limited)
        file = vbt_utf8_cut_start(file, output->width - strlen(heading));
    vbt_text_table_heading(table, "%s%s", heading, file);
    free(file);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_source_place *place = rows[i].place;
        const char *source = vbt_source_line(sources, place->file, place->line, &size);
        char *line = place->line > 0 ? vbt_text("%lld", (long long)place->line) : vbt_copy("", 0);
        char *function = vbt_short_name(place->function, LONGEST_NAME);
        char *contents = source != NULL ? vbt_copy(source + common, size - common)
                                        : vbt_text(place->kind == VBT_PLACE_PYTHON ? "in %s" : "%s", function);
        put_sums(table, line, &rows[i].sums, rows[i].hits > 0 ? rows[i].hits : rows[i].entries, contents);
        free(line);
        free(function);
        free(contents);
    }
}

static void print_left_out(struct vbt_output *output, const struct vbt_text_table *table) {
    char *text = vbt_text("Omitted to fit the width: %s.", vbt_text_table_left_out(table));
    putc('\n', output->stream);
    vbt_paragraph_print(output, "", text, false);
    free(text);
}

bool vbt_line_table_print(const struct vbt_lines *lines, uint64_t limit, struct vbt_sources *sources, struct vbt_output *output) {
    struct line_table_row *rows = vbt_new(lines->count, sizeof *rows);
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct vbt_line_row *line = &lines->rows[i];
        if (has_source(line->place))
            rows[count++] = (struct line_table_row){
                .place = line->place, .sums = line->sums, .hits = line->hits, .entries = line->entries, .rank = i};
    }
    count = merge_rows(rows, count);
    size_t shown = count < limit ? count : (size_t)limit;
    struct vbt_sums others = VBT_NO_SUMS;
    for (size_t i = shown; i < count; i++)
        vbt_sums_add(&others, &rows[i].sums);
    group_by_file(rows, shown);

    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    vbt_line_columns_omit(table);
    for (size_t i = 0, end; i < shown; i = end) {
        for (end = i + 1; end < shown && rows[end].file_rank == rows[i].file_rank; end++) {
        }
        put_file(table, rows + i, end - i, sources, output);
    }
    vbt_text_table_heading(table, "In all");
    for (size_t i = 0; i < lines->count; i++)
        if (!has_source(lines->rows[i].place))
            put_sums(table, "", &lines->rows[i].sums, 0, lines->rows[i].place->function);
    if (shown < count) {
        char *name = vbt_text("%s", vbt_counted((int64_t)(count - shown), "other line").text);
        put_sums(table, "", &others, 0, name);
        free(name);
    }
    struct vbt_sums total = vbt_lines_total(lines);
    put_sums(table, "", &total, 0, "total");
    vbt_text_table_print(table, output, '=');
    const char *left_out = vbt_text_table_left_out(table);
    if (left_out[0] != '\0')
        print_left_out(output, table);
    bool shows_usage = total.max_rss_bytes > 0 && strstr(left_out, columns[MEM_USAGE].title) == NULL;
    vbt_text_table_free(table);
    free(rows);
    return shows_usage;
}

void vbt_mem_usage_explain(struct vbt_output *output) {
    putc('\n', output->stream);
    vbt_paragraph_print(output, "", "Mem usage is the largest resident set seen at a line, vbtrace's own memory included.", false);
}
