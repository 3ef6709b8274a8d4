/* Writes a baseline, see baseline.h. */
#include "baseline.h"

#include "environment.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const vbt_baseline_counts[VBT_C_KINDS] = {
    [VBT_C_ALLOCS] = "allocs", [VBT_C_BYTES] = "bytes",   [VBT_C_PEAK] = "peak",
    [VBT_C_LEFT] = "left",     [VBT_C_BLOCKS] = "blocks", [VBT_C_TEMPORARY] = "temporary"};
/* NULL: it varies by itself, and is not written. */
const char *const vbt_baseline_section_numbers[VBT_S_NUMBERS] = {
    [VBT_S_COUNT] = "count", [VBT_S_ITERATIONS] = "iterations", [VBT_S_ALLOCS] = "allocs", [VBT_S_FREES] = "frees",
    [VBT_S_BYTES] = "bytes", [VBT_S_FREED] = "freed",           [VBT_S_NET] = "net",       [VBT_S_HIGH] = "high",
    [VBT_S_TIME] = NULL};

/* "  allocs 12", "  allocs 20..25" */
static void put_range(FILE *out, const char *name, int64_t low, int64_t high) {
    if (low == high)
        fprintf(out, "  %s %" PRId64, name, low);
    else
        fprintf(out, "  %s %" PRId64 "..%" PRId64, name, low, high);
}

static void put_numbers(FILE *out, const struct vbt_values *values, size_t row, const char *const *names) {
    for (size_t kind = 0; kind < values->kinds; kind++) {
        if (names[kind] == NULL)
            continue;
        int64_t low = INT64_MAX, high = INT64_MIN;
        for (size_t run = 0; run < values->runs; run++) {
            int64_t value = vbt_values_of(values, row, run)[kind];
            low = value < low ? value : low;
            high = value > high ? value : high;
        }
        put_range(out, names[kind], low, high);
    }
    putc('\n', out);
}

/* Text of a trace, in one line. */
static void put_text(FILE *out, const char *before, const char *text) {
    char *valid = vbt_utf8_valid(text, strlen(text));
    for (char *at = valid; (at = strpbrk(at, "\n\r")) != NULL;)
        *at = ' ';
    fprintf(out, "%s%s\n", before, valid);
    free(valid);
}

static void put_facts(const struct vbt_side *side, FILE *out) {
    for (size_t i = 0; vbt_environment_facts[i] != NULL; i++) {
        const char *fact = vbt_environment_fact(&side->runs[0], i);
        bool several = strcmp(vbt_environment_facts[i], "libraries") == 0;
        char *before = vbt_text("%s ", several ? "library" : vbt_environment_facts[i]);
        char *rest = vbt_copy(fact != NULL ? fact : "", fact != NULL ? strlen(fact) : 0), *at = rest;
        for (char *line; at != NULL && (line = strsep(&at, "\n")) != NULL;)
            if (line[0] != '\0')
                put_text(out, before, line);
        free(rest);
        free(before);
    }
    fprintf(out, "runs %zu\n", side->run_count);
}

static void put_totals(const struct vbt_side *side, FILE *out) {
    struct vbt_values totals;
    int64_t low = INT64_MAX, high = INT64_MIN;
    vbt_values_begin(&totals, side->run_count, VBT_C_KINDS);
    for (size_t run = 0; run < side->run_count; run++) {
        memcpy(vbt_values_at(&totals, 0, run), side->runs[run].counts, sizeof side->runs[run].counts);
        low = side->runs[run].peak < low ? side->runs[run].peak : low;
        high = side->runs[run].peak > high ? side->runs[run].peak : high;
    }
    fputs("\ntotal", out);
    put_numbers(out, &totals, 0, vbt_baseline_counts);
    fputs("heap", out);
    put_range(out, "peak", low, high);
    putc('\n', out);
    vbt_values_free(&totals);
}

static int by_label(const void *left, const void *right, void *data) {
    const struct vbt_side *side = data;
    return strcmp(side->sections[*(const uint32_t *)left].label, side->sections[*(const uint32_t *)right].label);
}

static void put_sections(const struct vbt_side *side, FILE *out) {
    uint32_t *order = vbt_new(side->section_count, sizeof *order);
    size_t count = 0;
    for (uint32_t i = 0; i < side->section_count; i++)
        if (side->sections[i].section)
            order[count++] = i;
    if (count > 0)
        qsort_r(order, count, sizeof *order, by_label, (void *)(uintptr_t)side);
    for (size_t i = 0; i < count; i++) {
        put_text(out, "\nsection ", side->sections[order[i]].label);
        fputs("   ", out);
        put_numbers(out, &side->section_values, order[i], vbt_baseline_section_numbers);
    }
    free(order);
}

static const struct vbt_compared_function *function_of(const struct vbt_side *side, uint32_t place) {
    return &side->places.functions[side->places.rows[place].function];
}

static int by_place(const void *left, const void *right, void *data) {
    const struct vbt_side *side = data;
    const struct vbt_compared_place *a = &side->places.rows[*(const uint32_t *)left],
                                    *b = &side->places.rows[*(const uint32_t *)right];
    const struct vbt_compared_function *f = &side->places.functions[a->function], *g = &side->places.functions[b->function];
    int order = strcmp(side->places.files[f->file].path, side->places.files[g->file].path);
    order = order != 0 ? order : strcmp(f->name, g->name);
    if (order == 0 && f->first_line != g->first_line)
        order = f->first_line < g->first_line ? -1 : 1;
    return order != 0 ? order : a->line < b->line ? -1 : a->line > b->line;
}

static bool has_counts(const struct vbt_side *side, uint32_t place) {
    for (size_t run = 0; run < side->run_count && place < side->lines.rows; run++)
        for (size_t kind = 0; kind < VBT_C_KINDS; kind++)
            if (vbt_values_of(&side->lines, place, run)[kind] != 0)
                return true;
    return false;
}

/* A path as it is in any checkout: below the working directory of the run. */
static const char *relative(const struct vbt_side *side, const char *path) {
    const char *folder = side->runs[0].cwd;
    size_t length = folder != NULL ? strlen(folder) : 0;
    return length > 1 && strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : path;
}

static void put_lines(const struct vbt_side *side, FILE *out) {
    uint32_t *order = vbt_new(side->places.count + 1, sizeof *order);
    size_t count = 0;
    for (uint32_t i = 1; i <= side->places.count; i++)
        if (function_of(side, i)->user && function_of(side, i)->kind != VBT_PLACE_SPECIAL && has_counts(side, i))
            order[count++] = i;
    if (count > 0)
        qsort_r(order, count, sizeof *order, by_place, (void *)(uintptr_t)side);
    const struct vbt_compared_function *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct vbt_compared_place *place = &side->places.rows[order[i]];
        const struct vbt_compared_function *function = function_of(side, order[i]);
        if (last == NULL || last->file != function->file)
            put_text(out, "\nfile ", relative(side, side->places.files[function->file].path));
        if (last == NULL || last != function)
            put_text(out, "  function ", function->name);
        if (place->text != NULL)
            put_text(out, "    | ", place->text);
        else
            fprintf(out, "    line %" PRId64 "\n", place->line);
        fputs("     ", out);
        put_numbers(out, &side->lines, order[i], vbt_baseline_counts);
        last = function;
    }
    free(order);
}

void vbt_baseline_write(const struct vbt_side *side, FILE *out) {
    fputs("# vbtrace baseline: vbtrace check --approve writes it, vbtrace check --against reads it\nversion 1\n", out);
    put_facts(side, out);
    put_totals(side, out);
    put_sections(side, out);
    put_lines(side, out);
}
