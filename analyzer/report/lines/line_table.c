/* See line_table.h. */
#include "line_table.h"

#include "line_rows.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 40 }; /* of a function whose source is not available */

/* Besides the exact columns; the two in the middle only if line mode counted any of the lines. */
static const struct vbt_column line_column = {.title = "Line", .align = VBT_RIGHT, .width = 5},
                               hits_column = {.title = "Occurrences", .align = VBT_RIGHT, .gap = 2, .drop = 4},
                               usage_column = {.title = "Mem usage", .align = VBT_RIGHT, .gap = 2, .drop = 5},
                               contents_column = {.title = "Line contents", .gap = 2, .least = 20, .is_text = true};

struct line_table {
    struct vbt_text_table *text;
    bool shown[VBT_LINE_COLUMNS];
    bool counted; /* by line mode */
    struct vbt_sources *sources;
    const struct vbt_output *output;
};

static void put_row(const struct line_table *t, const char *line, const struct vbt_sums *sums, uint64_t hits, uint64_t rss,
                    const char *contents) {
    vbt_text_table_cell(t->text, "%s", line);
    vbt_line_cells_put(t->text, t->shown, sums);
    if (t->counted) {
        vbt_text_table_cell(t->text, "%s", hits > 0 ? vbt_count((int64_t)hits).text : "");
        vbt_text_table_cell(t->text, "%s", rss > 0 ? vbt_mib((int64_t)rss).text : "");
    }
    vbt_text_table_cell(t->text, "%s", contents);
}

static size_t indentation(const char *source, size_t size) {
    size_t blanks = 0;
    while (blanks < size && (source[blanks] == ' ' || source[blanks] == '\t'))
        blanks++;
    return blanks;
}

/* Prints the rows of one file, without the indentation that all of them share. */
static void put_file(const struct line_table *t, const struct vbt_merged_line *rows, size_t count) {
    size_t common = SIZE_MAX, size;
    for (size_t i = 0; i < count; i++) {
        const char *source = vbt_source_of_place(t->sources, rows[i].place, &size);
        if (source != NULL && indentation(source, size) < common)
            common = indentation(source, size);
    }
    char *file = vbt_utf8_printable(rows[0].place->file, strlen(rows[0].place->file));
    if (t->output->is_limited)
        file = vbt_utf8_cut_start(file, t->output->width);
    vbt_text_table_heading(t->text, "%s", file);
    free(file);
    for (size_t i = 0; i < count; i++) {
        const struct vbt_source_place *place = rows[i].place;
        const char *source = vbt_source_of_place(t->sources, place, &size);
        char *line = place->line > 0 ? vbt_text("%lld", (long long)place->line) : vbt_copy("", 0);
        char *function = vbt_short_name(place->function, LONGEST_NAME);
        const char *in = vbt_place_is_address(place) ? "" : "in ";
        char *contents = source != NULL ? vbt_copy(source + common, size - common) : vbt_text("%s%s", in, function);
        put_row(t, line, &rows[i].sums, rows[i].hits, rows[i].rss, contents);
        free(line);
        free(function);
        free(contents);
    }
}

static void put_files(const struct line_table *t, const struct vbt_merged_line *rows, size_t count) {
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && rows[end].file_rank == rows[i].file_rank; end++) {
        }
        put_file(t, rows + i, end - i);
    }
}

/* Prints what no row above has, and the sum of all. */
static void put_rest(const struct line_table *t, const struct vbt_lines *lines, const struct vbt_merged_line *others,
                     size_t count) {
    vbt_text_table_heading(t->text, "In all");
    for (size_t i = 0; i < lines->count; i++)
        if (!vbt_line_has_file(lines->rows[i].place))
            put_row(t, "", &lines->rows[i].sums, 0, 0, lines->rows[i].place->function);
    if (count > 0) {
        struct vbt_sums sums = VBT_NO_SUMS;
        for (size_t i = 0; i < count; i++)
            vbt_sums_add(&sums, &others[i].sums);
        put_row(t, "", &sums, 0, 0, vbt_counted((int64_t)count, "other line").text);
    }
    struct vbt_sums total = vbt_lines_total(lines);
    put_row(t, "", &total, 0, 0, "total");
}

void vbt_line_table_print(const struct vbt_lines *lines, const char *sort, uint64_t limit, bool all, struct vbt_sources *sources,
                          struct vbt_output *output) {
    struct line_table t = {.sources = sources, .output = output};
    size_t count;
    struct vbt_merged_line *rows = vbt_lines_merge(lines, &count);
    size_t worth = all ? count : vbt_lines_trifles_last(rows, count), shown = worth < limit ? worth : (size_t)limit;
    vbt_lines_keep_users(rows, count, shown);
    vbt_lines_by_file(rows, shown);

    struct vbt_sums total = vbt_lines_total(lines);
    struct vbt_column columns[VBT_LINE_COLUMNS + 4] = {line_column};
    vbt_line_columns_choose(t.shown, &total, sort);
    size_t used = 1 + vbt_line_columns_put(columns + 1, t.shown, sort);
    for (size_t i = 0; i < shown; i++)
        t.counted = t.counted || rows[i].hits > 0;
    if (t.counted) {
        columns[used++] = hits_column;
        columns[used++] = usage_column;
    }
    columns[used++] = contents_column;
    t.text = vbt_text_table_new(columns, used);
    vbt_text_table_titles_first(t.text);
    put_files(&t, rows, shown);
    put_rest(&t, lines, rows + shown, count - shown);
    vbt_text_table_print(t.text, output, '-');
    vbt_line_columns_explain(t.text, t.counted || t.shown[VBT_LINE_MEM_USAGE], output);
    vbt_text_table_free(t.text);
    free(rows);
}
