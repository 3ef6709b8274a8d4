/* See largest.h. */
#include "largest.h"

#include "analyzer/report/call_report.h"
#include "analyzer/report/merged_report.h"
#include "line_rows.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3, TITLE_WIDTH = 17, LEAST_PLACE = 30 };

#define HIGHER_BEFORE "not known: it was higher before this part of the run"

enum amount { ALLOCATED, AT_PEAK, LEFT };

static int64_t amount_of(const struct vbt_sums *s, enum amount amount) {
    return amount == ALLOCATED ? (int64_t)s->allocated : amount == AT_PEAK ? s->at_peak_bytes : s->live_bytes;
}

static void put_line(struct vbt_text_table *table, int64_t value, int64_t whole, const char *place, const char *source,
                     size_t size) {
    vbt_text_table_cell(table, "%s", vbt_bytes(value).text);
    vbt_text_table_cell(table, "%s", vbt_share(value, whole).text);
    vbt_text_table_cell(table, "%s", place);
    vbt_text_table_cell(table, "%.*s", (int)size, source);
}

/* A function's own name in so many columns, rather than that of what it is in. */
static char *function_name(const struct vbt_source_place *place, size_t width) {
    const char *inner = strstr(place->function, ".<locals>."); /* parse.<locals>.<listcomp> */
    if (inner != NULL) {
        char *outer = vbt_text("%.*s…", (int)(inner - place->function), place->function),
             *cut = vbt_utf8_printable(outer, strlen(outer));
        free(outer);
        return vbt_utf8_cut_end(cut, width);
    }
    char *name = place->kind == VBT_PLACE_PYTHON ? vbt_utf8_printable(place->function, strlen(place->function))
                                                 : vbt_short_name(place->function, SIZE_MAX);
    if (strstr(name, "::") != NULL && strchr(name, '<') == NULL)
        return vbt_utf8_cut_start(name, width);
    if (place->kind == VBT_PLACE_PYTHON)
        return vbt_utf8_cut_end(name, width);
    char *cut = vbt_short_name(name, width);
    free(name);
    return cut;
}

/* "parse (script.py:14)" in no more than half of what the figures leave, if possible. Where a file
 * is not known, its module is left out first. The caller frees it. */
static char *place_name(const struct vbt_source_place *place, const struct vbt_output *output) {
    enum { FIGURES = 24, LEAST_FUNCTION = 10 };
    char *name = vbt_call_name(place);
    size_t room = (output->width - FIGURES) / 2;
    room = room < LEAST_PLACE ? LEAST_PLACE : room;
    if (vbt_utf8_width(name) <= room)
        return name;
    free(name);
    if (place->line == 0)
        return function_name(place, room);
    const char *base = vbt_file_name(place->file);
    char *line = vbt_text(":%lld)", (long long)place->line), *file = vbt_utf8_printable(base, strlen(base));
    size_t width = strlen(" (") + vbt_utf8_width(file) + strlen(line);
    size_t others = strlen(" (") + strlen(line) + LEAST_FUNCTION;
    if (width + LEAST_FUNCTION > room)
        file = vbt_utf8_cut_end(file, room > others ? room - others : 1);
    char *position = vbt_text(" (%s%s", file, line);
    width = vbt_utf8_width(position);
    char *function = function_name(place, room > width ? room - width : 1);
    name = vbt_text("%s%s", function, position);
    free(function);
    free(position);
    free(file);
    free(line);
    return name;
}

/* The row with most of an amount that is less than that of the row before it (NULL: of any); NULL
 * if there is none with more than 0. Of equal rows the first. */
static const struct vbt_merged_line *next_of(const struct vbt_merged_line *rows, size_t count, enum amount amount,
                                             const struct vbt_merged_line *before) {
    const struct vbt_merged_line *best = NULL;
    for (size_t i = 0; i < count; i++) {
        int64_t value = amount_of(&rows[i].sums, amount), limit = before != NULL ? amount_of(&before->sums, amount) : INT64_MAX;
        bool comes_later = before == NULL || value < limit || (value == limit && &rows[i] > before);
        if (value > 0 && comes_later && (best == NULL || value > amount_of(&best->sums, amount)))
            best = &rows[i];
    }
    return best;
}

/* What no line of the user's is responsible for, and which line has most of it. */
static void put_outside(struct vbt_text_table *table, int64_t value, int64_t whole, const struct vbt_lines *outside,
                        enum amount amount) {
    const struct vbt_line_row *most = NULL;
    for (size_t i = 0; i < outside->count; i++)
        if (most == NULL || amount_of(&outside->rows[i].sums, amount) > amount_of(&most->sums, amount))
            most = &outside->rows[i];
    char *name = most != NULL ? vbt_call_name(most->place) : vbt_copy("", 0);
    char *text = most != NULL ? vbt_text("most of it: %s", name) : vbt_copy("", 0);
    put_line(table, value, whole, VBT_OUTSIDE, text, strlen(text));
    free(text);
    free(name);
}

/* Prints the three places with most of an amount; what is outside user code is one of them. */
static void print_places(const struct vbt_trace *trace, const struct vbt_merged_line *rows, size_t count, int64_t outside_value,
                         const struct vbt_lines *outside, enum amount amount, int64_t whole, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "", .align = VBT_RIGHT, .gap = 2, .width = 10},
        {.title = "", .align = VBT_RIGHT, .gap = 2, .width = 6},
        {.title = "", .gap = 2, .least = LEAST_PLACE},
        {.title = "", .gap = 2, .least = 16, .is_text = true, .drop = 1},
    };
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    bool outside_shown = outside_value <= 0;
    const struct vbt_merged_line *row = NULL;
    for (int i = 0; i < SHOWN; i++) {
        const struct vbt_merged_line *next = next_of(rows, count, amount, row);
        if (!outside_shown && (next == NULL || amount_of(&next->sums, amount) < outside_value)) {
            put_outside(table, outside_value, whole, outside, amount);
            outside_shown = true;
            continue;
        }
        if (next == NULL)
            break;
        row = next;
        size_t size = 0;
        const char *source = vbt_source_of_place(trace->sources, row->place, &size);
        for (; source != NULL && size > 0 && (source[0] == ' ' || source[0] == '\t'); size--)
            source++;
        char *name = place_name(row->place, output);
        put_line(table, amount_of(&row->sums, amount), whole, name, source != NULL ? source : "", size);
        free(name);
    }
    vbt_text_table_print_rows(table, output);
    vbt_text_table_free(table);
}

/* Prints a title in bold, and as many blanks as align what follows. */
static void print_title(const struct vbt_output *output, const char *title) {
    fprintf(output->stream, "%s%s%s%*s", output->bold, title, output->normal, TITLE_WIDTH - (int)strlen(title), "");
}

/* "2.5 MiB", with a filter "2.5 MiB of 59.3 MiB". */
static void print_part(int64_t part, int64_t whole, bool filtered, FILE *out) {
    fprintf(out, "%s", vbt_bytes(part).text);
    if (filtered)
        fprintf(out, " of %s", vbt_bytes(whole).text);
}

static void print_allocated(const struct vbt_sums *s, const struct vbt_trace_totals *totals, bool filtered, FILE *out) {
    print_part((int64_t)s->allocated, (int64_t)totals->all.allocated, filtered, out);
    fprintf(out, " in %s", vbt_counted((int64_t)s->allocs, "allocation").text);
    if (s->temporary > 0)
        fprintf(out, ", %s temporary", vbt_count((int64_t)s->temporary).text);
    putc('\n', out);
}

static void print_peak(const struct vbt_model *m, const struct vbt_sums *s, const struct vbt_trace_totals *totals, bool filtered,
                       FILE *out) {
    int64_t error = m->state[VBT_STATE_PEAK_ERROR];
    if (m->window.peak_unknown) {
        fputs(HIGHER_BEFORE "\n", out);
        return;
    }
    print_part(s->at_peak_bytes, totals->peak_bytes, filtered, out);
    if (vbt_model_is_merged(m))
        fputs(", each process at its own", out);
    else if (m->has_state)
        fprintf(out, " before %s", vbt_time((double)m->state[VBT_STATE_PEAK_TIME]).text); /* the tick that found it */
    if (error > 0)
        fprintf(out, " ± %s%s", vbt_bytes(error).text, vbt_model_is_merged(m) ? "" : " (threads report in steps)");
    char *together = vbt_together_text(m);
    if (together != NULL)
        fprintf(out, "\n%*s%s", TITLE_WIDTH, "", together);
    free(together);
    putc('\n', out);
}

static void print_left(const struct vbt_sums *s, const struct vbt_trace_totals *totals, bool plain, bool filtered, FILE *out) {
    const struct vbt_domain_totals *all = &totals->all;
    if (s->live_blocks == 0 && s->live_bytes == 0 && !filtered) {
        fputs("nothing", out);
    } else {
        print_part(s->live_bytes, all->live_bytes, filtered, out);
        fprintf(out, " in %s", vbt_counted(s->live_blocks, "block").text);
    }
    if (plain && !filtered && all->inherited_blocks > 0)
        fprintf(out, "\n%*s%s (%s) were inherited from the parent process", TITLE_WIDTH, "",
                vbt_counted((int64_t)all->inherited_blocks, "block").text, vbt_bytes((int64_t)all->inherited_bytes).text);
    putc('\n', out);
}

static int64_t highest_tick(const struct vbt_model *m) {
    int64_t highest = 0;
    for (size_t i = m->ticks.first; i < m->ticks.count; i++)
        highest = m->ticks.rows[i].rss > highest ? m->ticks.rows[i].rss : highest;
    return highest;
}

static void print_resident(const struct vbt_model *m, struct vbt_output *output) {
    int64_t max_rss = m->state[VBT_STATE_MAX_RSS], without = vbt_peak_rss_without_vbtrace(m);
    if (max_rss <= 0)
        return;
    putc('\n', output->stream);
    print_title(output, "Resident set");
    if (m->window.rss_unknown)
        fprintf(output->stream, "%s at the highest of its ticks; it was higher before this part of the run",
                vbt_bytes(highest_tick(m)).text);
    else
        fprintf(output->stream, "%s%s at its highest", vbt_bytes(max_rss).text, vbt_model_is_merged(m) ? ", each process" : "");
    if (without > 0 && !m->window.rss_unknown)
        fprintf(output->stream, ", %s without vbtrace's own memory", vbt_bytes(without).text);
    putc('\n', output->stream);
}

/* What the whole process did, as sums. */
static struct vbt_sums process_sums(const struct vbt_trace_totals *totals) {
    const struct vbt_domain_totals *all = &totals->all;
    return (struct vbt_sums){.allocs = all->allocs,
                             .allocated = all->allocated,
                             .temporary = all->temporary,
                             .live_blocks = all->live_blocks,
                             .live_bytes = all->live_bytes,
                             .at_peak_bytes = totals->peak_bytes};
}

void vbt_largest_print(const struct vbt_trace *trace, const struct vbt_query *query, const struct vbt_lines *lines,
                       const struct vbt_lines *outside, struct vbt_output *output) {
    static const char *const titles[] = {[ALLOCATED] = "Allocated", [AT_PEAK] = "Peak heap", [LEFT] = "Left at the end"};
    const struct vbt_model *m = &trace->model;
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    bool filtered = query->filter_count > 0;
    struct vbt_sums sums = filtered ? vbt_lines_total(lines) : process_sums(&totals);
    size_t count;
    struct vbt_merged_line *rows = vbt_lines_merge(lines, &count);
    const struct vbt_sums *others = NULL;
    for (size_t i = 0; i < lines->count && others == NULL; i++)
        if (strcmp(lines->rows[i].place->function, VBT_OUTSIDE) == 0)
            others = &lines->rows[i].sums;
    for (int amount = ALLOCATED; amount <= (int)LEFT; amount++) {
        if (amount != ALLOCATED)
            putc('\n', output->stream);
        bool is_end = m->ended && !m->window.is_part;
        print_title(output, amount == (int)LEFT && !is_end ? "Live at last" : titles[amount]);
        if (amount == ALLOCATED)
            print_allocated(&sums, &totals, filtered, output->stream);
        else if (amount == AT_PEAK)
            print_peak(m, &sums, &totals, filtered, output->stream);
        else
            print_left(&sums, &totals, !vbt_model_is_merged(m), filtered, output->stream);
        if (amount == AT_PEAK && m->window.peak_unknown)
            continue;
        print_places(trace, rows, count, others != NULL ? amount_of(others, (enum amount)amount) : 0, outside, (enum amount)amount,
                     amount_of(&sums, (enum amount)amount), output);
    }
    print_resident(m, output);
    free(rows);
}
