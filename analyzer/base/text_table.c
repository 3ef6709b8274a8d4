/* See text_table.h. */
#include "text_table.h"

#include "allocate.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    char *text;
    uint32_t width;
    bool heading; /* takes a whole line */
};

struct vbt_text_table {
    const struct vbt_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t count, capacity;
    size_t text_size; /* of all cells */
    unsigned *widths; /* by column, as printed; 0: omitted */
    bool *unwanted;   /* by column: omitted whatever room there is */
    char *left_out;
    bool titles_first; /* before a heading, too */
};

struct vbt_text_table *vbt_text_table_new(const struct vbt_column *columns, size_t count) {
    struct vbt_text_table *t = vbt_new(1, sizeof *t);
    t->columns = columns;
    t->column_count = count;
    t->widths = vbt_new(count, sizeof *t->widths);
    t->unwanted = vbt_new(count, sizeof *t->unwanted);
    t->left_out = vbt_copy("", 0);
    return t;
}

void vbt_text_table_free(struct vbt_text_table *t) {
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t->widths);
    free(t->unwanted);
    free(t->left_out);
    free(t);
}

static void add(struct vbt_text_table *t, bool heading, const char *format, va_list arguments) {
    char *text = vbt_text_of(format, arguments);
    t->cells = vbt_grow(t->cells, &t->capacity, t->count + 1, sizeof *t->cells);
    struct cell *cell = &t->cells[t->count++];
    cell->text = vbt_utf8_printable(text, strlen(text));
    cell->width = (uint32_t)vbt_utf8_width(cell->text);
    cell->heading = heading;
    t->text_size += strlen(cell->text);
    vbt_output_check(t->text_size);
    free(text);
}

void vbt_text_table_omit(struct vbt_text_table *t, const char *title) {
    for (size_t c = 0; c < t->column_count; c++)
        t->unwanted[c] = t->unwanted[c] || strcmp(t->columns[c].title, title) == 0;
}

void vbt_text_table_cell(struct vbt_text_table *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(t, false, format, arguments);
    va_end(arguments);
}

void vbt_text_table_heading(struct vbt_text_table *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(t, true, format, arguments);
    va_end(arguments);
}

/* The width that shows every cell of a column in full. */
static void natural_widths(struct vbt_text_table *t) {
    for (size_t c = 0; c < t->column_count; c++) {
        unsigned title = (unsigned)vbt_utf8_width(t->columns[c].title);
        t->widths[c] = t->columns[c].width > title ? t->columns[c].width : title;
    }
    size_t column = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->cells[i].heading)
            continue;
        if (t->widths[column] < t->cells[i].width)
            t->widths[column] = t->cells[i].width;
        if (++column == t->column_count)
            column = 0;
    }
    for (size_t c = 0; c < t->column_count; c++)
        if (t->unwanted[c])
            t->widths[c] = 0;
}

static bool can_shrink(const struct vbt_text_table *t, size_t c) {
    return t->columns[c].least > 0 && t->widths[c] > t->columns[c].least;
}

/* Total width; at_least: with flexible columns as narrow as they can get. */
static unsigned total_width(const struct vbt_text_table *t, bool at_least) {
    unsigned total = 0;
    for (size_t c = 0; c < t->column_count; c++)
        if (t->widths[c] > 0)
            total += t->columns[c].gap + (at_least && can_shrink(t, c) ? t->columns[c].least : t->widths[c]);
    return total;
}

/* Omits the least important column; false if all that are left must stay. */
static bool drop_column(struct vbt_text_table *t) {
    size_t victim = t->column_count;
    for (size_t c = 0; c < t->column_count; c++)
        if (t->widths[c] > 0 && t->columns[c].drop > 0 &&
            (victim == t->column_count || t->columns[c].drop > t->columns[victim].drop))
            victim = c;
    if (victim == t->column_count)
        return false;
    t->widths[victim] = 0;
    return true;
}

static void fit(struct vbt_text_table *t, unsigned width) {
    natural_widths(t);
    while (total_width(t, true) > width && drop_column(t)) {
    }
    for (unsigned total = total_width(t, false); total > width; total--) {
        size_t widest = t->column_count;
        for (size_t c = 0; c < t->column_count; c++)
            if (can_shrink(t, c) && (widest == t->column_count || t->widths[c] > t->widths[widest]))
                widest = c;
        if (widest == t->column_count)
            break;
        t->widths[widest]--;
    }
    free(t->left_out);
    t->left_out = vbt_copy("", 0);
    for (size_t c = 0; c < t->column_count; c++)
        if (t->widths[c] == 0 && !t->unwanted[c]) {
            char *more = vbt_text("%s%s%s", t->left_out, t->left_out[0] != '\0' ? ", " : "", t->columns[c].title);
            free(t->left_out);
            t->left_out = more;
        }
}

/* Prints one row: text[i] belongs to column i. Trailing blanks are not printed. */
static void print_line(const struct vbt_text_table *t, const struct vbt_output *output, char *const *text) {
    FILE *out = output->stream;
    size_t owed = 0;
    for (size_t c = 0; c < t->column_count; c++) {
        unsigned width = t->widths[c];
        if (width == 0)
            continue;
        char *cut = vbt_copy(text[c], strlen(text[c]));
        if (!t->columns[c].is_text || output->is_limited)
            cut = t->columns[c].ellipsis == VBT_ELLIPSIS_START ? vbt_utf8_cut_start(cut, width) : vbt_utf8_cut_end(cut, width);
        size_t used = vbt_utf8_width(cut), blanks = width > used ? width - used : 0;
        owed += t->columns[c].gap + (t->columns[c].align == VBT_RIGHT ? blanks : 0);
        if (cut[0] != '\0') {
            fprintf(out, "%*s%s", (int)owed, "", cut);
            owed = 0;
        }
        owed += t->columns[c].align == VBT_RIGHT ? 0 : blanks;
        free(cut);
    }
    putc('\n', out);
}

static void print_titles(const struct vbt_text_table *t, struct vbt_output *output, char rule) {
    char **titles = vbt_new(t->column_count, sizeof *titles);
    for (size_t c = 0; c < t->column_count; c++)
        titles[c] = (char *)(uintptr_t)t->columns[c].title;
    fputs(output->bold, output->stream);
    print_line(t, output, titles);
    fputs(output->normal, output->stream);
    free(titles);
    if (rule == 0)
        return;
    for (unsigned i = total_width(t, false); i > 0; i--)
        putc(rule, output->stream);
    putc('\n', output->stream);
}

void vbt_text_table_titles_first(struct vbt_text_table *t) { t->titles_first = true; }

/* titled: the titles were printed, or are not wanted. */
static void print_rows(struct vbt_text_table *t, struct vbt_output *output, bool titled, char rule) {
    char **row = vbt_new(t->column_count, sizeof *row);
    for (size_t i = 0; i < t->count;) {
        if (t->cells[i].heading) {
            if (i > 0)
                putc('\n', output->stream);
            fprintf(output->stream, "%s%s%s\n", output->bold, t->cells[i++].text, output->normal);
            if (!titled) {
                putc('\n', output->stream);
                print_titles(t, output, rule);
                titled = true;
            }
            continue;
        }
        for (size_t c = 0; c < t->column_count && i < t->count; c++)
            row[c] = t->cells[i++].text;
        print_line(t, output, row);
    }
    free(row);
}

void vbt_text_table_print(struct vbt_text_table *t, struct vbt_output *output, char rule) {
    fit(t, output->width);
    bool titled = t->titles_first || t->count == 0 || !t->cells[0].heading;
    if (titled)
        print_titles(t, output, rule);
    print_rows(t, output, titled, rule);
}

void vbt_text_table_print_rows(struct vbt_text_table *t, struct vbt_output *output) {
    fit(t, output->width);
    print_rows(t, output, true, 0);
}

/* A cell's text, in which nothing is markup. */
static void print_escaped(const char *text, FILE *out) {
    for (; *text != '\0'; text++) {
        if (strchr("\\`*_{}[]<>|~#", *text) != NULL)
            putc('\\', out);
        putc(*text, out);
    }
}

void vbt_text_table_print_markdown(struct vbt_text_table *t, struct vbt_output *output) {
    FILE *out = output->stream;
    for (size_t c = 0; c < t->column_count; c++)
        if (!t->unwanted[c])
            fprintf(out, "| %s ", t->columns[c].title);
    fputs("|\n", out);
    for (size_t c = 0; c < t->column_count; c++)
        if (!t->unwanted[c])
            fputs(t->columns[c].align == VBT_RIGHT ? "|---:" : "|---", out);
    fputs("|\n", out);
    size_t column = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->cells[i].heading)
            continue;
        if (!t->unwanted[column]) {
            fputs("| ", out);
            print_escaped(t->cells[i].text, out);
            fputs(" ", out);
        }
        if (++column == t->column_count) {
            fputs("|\n", out);
            column = 0;
        }
    }
}

const char *vbt_text_table_left_out(const struct vbt_text_table *t) { return t->left_out; }
