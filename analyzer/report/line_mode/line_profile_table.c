/* See line_profile_table.h. */
#include "line_profile_table.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "analyzer/base/wrapping.h"
#include "analyzer/report/paragraph.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

static const struct vbt_column columns[] = {
    {.title = "Line #", .align = VBT_RIGHT, .width = 6},
    {.title = "Hits", .align = VBT_RIGHT, .gap = 1, .width = 6},
    {.title = "Time", .align = VBT_RIGHT, .gap = 1, .width = 8},
    {.title = "Per Hit", .align = VBT_RIGHT, .gap = 1, .width = 8, .drop = 1},
    {.title = "% Time", .align = VBT_RIGHT, .gap = 1, .drop = 4},
    {.title = "Mem usage", .align = VBT_RIGHT, .gap = 1, .width = 11, .drop = 3},
    {.title = "Increment", .align = VBT_RIGHT, .gap = 1, .width = 9},
    {.title = "Allocations", .align = VBT_RIGHT, .gap = 1},
    {.title = "Bytes", .align = VBT_RIGHT, .gap = 1, .width = 9, .drop = 2},
    {.title = "Alloc/Hit", .align = VBT_RIGHT, .gap = 1, .drop = 1},
    {.title = "Objects", .align = VBT_RIGHT, .gap = 1},
    {.title = "Obj/Hit", .align = VBT_RIGHT, .gap = 1, .drop = 1},
    {.title = "Line Contents", .gap = 2, .least = 20, .is_text = true},
};

enum { COLUMNS = VBT_COUNT(columns), MEM_USAGE = 5, OBJECTS = COLUMNS - 3, CONTENTS = COLUMNS - 1 };

/* Large whole numbers are shown without decimals. */
static struct vbt_unit per_hit(int64_t count, uint64_t hits) {
    bool whole = hits <= INT64_MAX && count % (int64_t)hits == 0 && count / (int64_t)hits >= 1000;
    return whole ? vbt_count(count / (int64_t)hits) : vbt_rate((double)count / (double)hits);
}

static const char *source_of(struct vbt_sources *sources, const struct vbt_profile_function *function, int64_t line, size_t common,
                             size_t *size) {
    const char *text = vbt_source_line(sources, function->place->file, line, size);
    if (text == NULL)
        return "";
    size_t skip = common < *size ? common : *size;
    *size -= skip;
    return text + skip;
}

static void put_line(struct vbt_text_table *table, const struct vbt_profile_function *function,
                     const struct vbt_profile_line *found, int64_t line, bool own, bool objects, const char *source, size_t size) {
    static const struct vbt_profile_sums none;
    const struct vbt_profile_sums *sums = found == NULL ? &none : own ? &found->own : &found->all;
    /* The start of a function is not a hit, but takes its part of the total all the same. */
    bool ran = found != NULL && (found->hits > 0 || sums->time > 0 || sums->allocs > 0 || sums->frees > 0);
    bool hit = ran && found->hits > 0;
    double hits = hit ? (double)found->hits : 1;
    if (line > 0)
        vbt_text_table_cell(table, "%lld", (long long)line);
    else
        vbt_text_table_cell(table, "%s", "");
    vbt_text_table_cell(table, "%s", hit ? vbt_count((int64_t)found->hits).text : "");
    vbt_text_table_cell(table, "%s", ran ? vbt_time((double)sums->time).text : "");
    vbt_text_table_cell(table, "%s", hit ? vbt_time((double)sums->time / hits).text : "");
    if (ran && function->time > 0)
        vbt_text_table_cell(table, "%.1f", 100 * (double)sums->time / (double)function->time);
    else
        vbt_text_table_cell(table, "%s", "");
    vbt_text_table_cell(table, "%s", ran && found->rss > 0 ? vbt_mib((int64_t)found->rss).text : "");
    vbt_text_table_cell(table, "%s", ran ? vbt_bytes(vbt_minus(sums->allocated, sums->freed)).text : "");
    vbt_text_table_cell(table, "%s", ran ? vbt_count(sums->allocs).text : "");
    vbt_text_table_cell(table, "%s", ran ? vbt_bytes(sums->allocated).text : "");
    vbt_text_table_cell(table, "%s", hit ? per_hit(sums->allocs, found->hits).text : "");
    if (objects) {
        vbt_text_table_cell(table, "%s", ran ? vbt_count(sums->objects).text : "");
        vbt_text_table_cell(table, "%s", hit ? per_hit(sums->objects, found->hits).text : "");
    }
    vbt_text_table_cell(table, "%.*s", (int)size, source);
}

/* The path is cut where the width is limited: all that follows it is to be seen. */
static void put_heading(struct vbt_text_table *table, const struct vbt_profile_function *function,
                        const struct vbt_output *output) {
    enum { LEAST_PATH = 12 };
    static const char label[] = "File: ";
    const struct vbt_source_place *place = function->place;
    char *what =
        function->is_module ? vbt_text("Module") : vbt_text("Function: %s at line %lld", place->function, (long long)place->line);
    char *rest = vbt_text("    %s    Total time: %s", what, vbt_time((double)function->time).text);
    char *file = vbt_utf8_printable(place->file, strlen(place->file));
    size_t used = strlen(label) + vbt_utf8_width(rest);
    if (output->is_limited)
        file = vbt_utf8_cut_start(file, output->width > used + LEAST_PATH ? output->width - used : LEAST_PATH);
    vbt_text_table_heading(table, "%s%s%s", label, file, rest);
    free(file);
    free(rest);
    free(what);
}

/* Shows only the lines of a module that ran: the rest of its file is functions, or never ran. */
static void put_function(struct vbt_text_table *table, const struct vbt_profile_function *function, bool own, bool objects,
                         struct vbt_sources *sources, const struct vbt_output *output) {
    int64_t first = function->is_module ? 1 : function->place->line;
    int64_t last = function->is_module && function->count > 0 ? function->lines[function->count - 1].line
                                                              : vbt_profile_last_line(function, sources);
    size_t common = 0, size, at = 0;
    const char *head = vbt_source_line(sources, function->place->file, first, &size);
    while (!function->is_module && head != NULL && common < size && (head[common] == ' ' || head[common] == '\t'))
        common++;
    put_heading(table, function, output);
    for (int64_t line = first; line <= last; line = vbt_profile_next_line(function, sources, line)) {
        const struct vbt_profile_line *found = vbt_profile_find(function, line, &at);
        const char *source = source_of(sources, function, line, common, &size);
        if (found != NULL || !function->is_module)
            put_line(table, function, found, line, own, objects, source, size);
    }
}

/* Prints a sentence, which it frees. */
static void put_sentence(struct vbt_output *output, char *text) {
    vbt_paragraph_print(output, "", text, false);
    free(text);
}

/* What to know to read the table. */
static void print_remarks(const struct vbt_line_profile *profile, bool own, uint64_t limit, const char *left_out,
                          struct vbt_output *output) {
    FILE *out = output->stream;
    if (left_out[0] != '\0') {
        putc('\n', out);
        put_sentence(output, vbt_text("Omitted to fit the width: %s.", left_out));
    }
    if (profile->count > limit)
        fprintf(out, "\n… and %s\n", vbt_counted((int64_t)(profile->count - limit), "more function").text);
    putc('\n', out);
    put_sentence(output, vbt_text("The costs of a line %s what it called. Increment is the heap's exact change over all hits.",
                                  own ? "do not include" : "include"));
    if (strstr(left_out, columns[MEM_USAGE].title) == NULL)
        put_sentence(output, vbt_text("Mem usage is the largest resident set seen at a line, vbtrace's own memory included."));
    put_sentence(output, vbt_text("Overhead subtracted per line: %s; %s in all.", vbt_time((double)profile->event_cost / 1000).text,
                                  vbt_time((double)profile->overhead).text));
    if (profile->objects == VBT_OBJECTS_ALL)
        put_sentence(output, vbt_text("Objects: all that were created, including those from Python's free lists."));
    else if (profile->objects != VBT_OBJECTS_NONE)
        put_sentence(output, vbt_text("Objects: those that Python's object allocator served. All floats and tuples are among them; "
                                      "lists and dicts unless the same execution of the line had freed one; not all slices."));
}

void vbt_line_profile_print(const struct vbt_line_profile *profile, bool own, uint64_t limit, struct vbt_sources *sources,
                            struct vbt_output *output) {
    bool objects = profile->objects != VBT_OBJECTS_NONE;
    struct vbt_column shown[COLUMNS];
    memcpy(shown, columns, sizeof columns);
    if (!objects)
        shown[OBJECTS] = shown[CONTENTS];
    struct vbt_text_table *table = vbt_text_table_new(shown, objects ? COLUMNS : OBJECTS + 1);
    for (size_t i = 0; i < profile->count && i < limit; i++)
        put_function(table, &profile->functions[i], own, objects, sources, output);
    vbt_text_table_print(table, output, '=');
    print_remarks(profile, own, limit, vbt_text_table_left_out(table), output);
    vbt_text_table_free(table);
}
