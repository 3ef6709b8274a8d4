/* See line_profile.h. */
#include "line_profile.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/binary_search.h"
#include "analyzer/base/wrapping.h"
#include "analyzer/symbols/python_block.h"

#include <stdlib.h>
#include <string.h>

/* What reporting events cost, in ns; from 0 to most. cost: of one, in ps. */
static int64_t cost_of(int64_t events, int64_t cost, int64_t most) {
    double all = (double)events * (double)cost / 1000;
    return all >= (double)most ? most : all > 0 ? (int64_t)all : 0;
}

static struct vbt_profile_sums sums_of(const struct vbt_model_line_sums *own, const struct vbt_model_line_sums *called,
                                       int64_t cost) {
    static const struct vbt_model_line_sums none;
    const struct vbt_model_line_sums *more = called != NULL ? called : &none;
    struct vbt_profile_sums sums = {
        .time = vbt_plus(own->time, more->time),
        .allocs = vbt_plus(own->allocs, more->allocs),
        .frees = vbt_plus(own->frees, more->frees),
        .allocated = vbt_plus(own->allocated, more->allocated),
        .freed = vbt_plus(own->freed, more->freed),
        .temporary = vbt_plus(own->temporary, more->temporary),
        .objects = vbt_plus(own->objects, more->objects),
    };
    if (sums.time < 0) /* the overhead of its calls is already subtracted */
        sums.time = 0;
    sums.overhead = cost_of(vbt_plus(own->events, more->events), cost, sums.time);
    sums.time -= sums.overhead;
    return sums;
}

static int by_place(const void *left, const void *right) {
    const struct vbt_profile_function *a = left, *b = right;
    int order = strcmp(a->place->file, b->place->file);
    if (order == 0)
        order = a->place->line < b->place->line ? -1 : a->place->line > b->place->line;
    if (order == 0)
        order = b->is_module - a->is_module;
    if (order == 0) /* code in a function's first line comes after the function */
        order = (a->place->function[0] == '<') - (b->place->function[0] == '<');
    return order != 0 ? order : strcmp(a->place->function, b->place->function);
}

static int by_line(const void *left, const void *right) {
    const struct vbt_profile_line *a = left, *b = right;
    return a->line < b->line ? -1 : a->line > b->line;
}

void vbt_profile_sums_add(struct vbt_profile_sums *to, const struct vbt_profile_sums *more, int sign) {
    int64_t (*add)(int64_t, int64_t) = sign > 0 ? vbt_plus : vbt_minus;
    to->time = add(to->time, more->time);
    to->overhead = add(to->overhead, more->overhead);
    to->allocs = add(to->allocs, more->allocs);
    to->frees = add(to->frees, more->frees);
    to->allocated = add(to->allocated, more->allocated);
    to->freed = add(to->freed, more->freed);
    to->temporary = add(to->temporary, more->temporary);
    to->objects = add(to->objects, more->objects);
}

static void add_line(struct vbt_profile_function *function, const struct vbt_model_line_counts *c, int64_t line, int64_t cost) {
    function->lines = vbt_grow(function->lines, &function->capacity, function->count + 1, sizeof *function->lines);
    function->lines[function->count++] = (struct vbt_profile_line){
        .line = line,
        .hits = c->hits,
        .entries = c->entries,
        .all = sums_of(&c->own, &c->called, cost),
        .own = sums_of(&c->own, NULL, cost),
        .least = c->least,
        .most = c->most,
        .high = c->high,
        .ran_before = c->ran_before,
        .rss = c->rss,
    };
    function->decorated |= c->decorated;
}

void vbt_profile_merge_lines(struct vbt_profile_function *function) {
    qsort(function->lines, function->count, sizeof *function->lines, by_line);
    size_t kept = 0;
    for (size_t i = 0; i < function->count; i++) {
        struct vbt_profile_line *line = &function->lines[i], *before = kept > 0 ? &function->lines[kept - 1] : NULL;
        if (before == NULL || before->line != line->line) {
            function->lines[kept++] = *line;
            continue;
        }
        before->hits += line->hits;
        before->entries += line->entries;
        vbt_profile_sums_add(&before->all, &line->all, 1);
        vbt_profile_sums_add(&before->own, &line->own, 1);
        before->least = line->least < before->least ? line->least : before->least;
        before->most = line->most > before->most ? line->most : before->most;
        before->high = line->high > before->high ? line->high : before->high;
        before->ran_before = before->ran_before || line->ran_before;
        before->rss = line->rss > before->rss ? line->rss : before->rss;
    }
    function->count = kept;
    function->time = 0;
    for (size_t i = 0; i < kept; i++)
        function->time = vbt_plus(function->time, function->lines[i].all.time);
}

static bool has_qualified_names(const struct vbt_model *model) {
    enum { QUALIFIED_SINCE = 11 };
    const char *version = vbt_model_process(model, "python");
    return version != NULL && strncmp(version, "3.", 2) == 0 && atoi(version + 2) >= QUALIFIED_SINCE;
}

void vbt_line_profile_build(struct vbt_line_profile *profile, const struct vbt_model *model, struct vbt_places *places,
                            struct vbt_filter *filter) {
    *profile = (struct vbt_line_profile){.event_cost = model->state[VBT_STATE_LINE_EVENT_COST],
                                         .objects = (enum vbt_objects)model->state[VBT_STATE_OBJECTS],
                                         .is_qualified = has_qualified_names(model)};
    size_t capacity = 0, known = 0, known_capacity = 0;
    uint32_t *function_of = NULL; /* by index of a place: 1 + index of its function */
    for (size_t i = 0; i < model->line_counts_count; i++) {
        const struct vbt_model_line_counts *c = &model->line_counts[i];
        const struct vbt_source_place *place = vbt_place_of_function(places, c->site);
        profile->overhead = vbt_plus(profile->overhead, cost_of(c->own.events, profile->event_cost, INT64_MAX));
        if (!vbt_filter_row(filter, place, NULL, NULL) || !vbt_filter_places(filter, &place, 1))
            continue;
        function_of = vbt_grow(function_of, &known_capacity, (size_t)place->index + 1, sizeof *function_of);
        while (known <= place->index)
            function_of[known++] = 0;
        if (function_of[place->index] == 0) {
            profile->functions = vbt_grow(profile->functions, &capacity, profile->count + 1, sizeof *profile->functions);
            profile->functions[profile->count] =
                (struct vbt_profile_function){.place = place, .is_module = strcmp(place->function, "<module>") == 0};
            function_of[place->index] = (uint32_t)++profile->count;
        }
        int64_t line = model->sites[c->site].b;
        if (line <= 0) /* the start of a module, from Python 3.11 on */
            line = place->line;
        add_line(&profile->functions[function_of[place->index] - 1], c, line, profile->event_cost);
    }
    free(function_of);
    for (size_t i = 0; i < profile->count; i++)
        vbt_profile_merge_lines(&profile->functions[i]);
    if (profile->count > 0)
        qsort(profile->functions, profile->count, sizeof *profile->functions, by_place);
}

void vbt_line_profile_free(struct vbt_line_profile *profile) {
    for (size_t i = 0; i < profile->count; i++)
        free(profile->functions[i].lines);
    free(profile->functions);
    *profile = (struct vbt_line_profile){0};
}

bool vbt_profile_any_decorated(const struct vbt_line_profile *profile) {
    bool any = false;
    for (size_t i = 0; i < profile->count; i++)
        any |= profile->functions[i].decorated;
    return any;
}

const struct vbt_profile_line *vbt_profile_find(const struct vbt_profile_function *function, int64_t line, size_t *at) {
    while (*at < function->count && function->lines[*at].line < line)
        ++*at;
    return *at < function->count && function->lines[*at].line == line ? &function->lines[*at] : NULL;
}

int64_t vbt_profile_last_line(const struct vbt_profile_function *function, struct vbt_sources *sources) {
    const char *name = function->place->function;
    int64_t first = function->place->line, last = function->count > 0 ? function->lines[function->count - 1].line : first;
    int64_t end = vbt_python_block_end(sources, function->place->file, first, name[strlen(name) - 1] == '>');
    return end > last ? end : last;
}

static bool is_up_to(const void *row, const void *line) {
    return ((const struct vbt_profile_line *)row)->line <= *(const int64_t *)line;
}

int64_t vbt_profile_next_line(const struct vbt_profile_function *function, struct vbt_sources *sources, int64_t line) {
    size_t size;
    if (vbt_source_line(sources, function->place->file, line + 1, &size) != NULL)
        return line + 1;
    size_t at = vbt_rows_before(function->lines, function->count, sizeof *function->lines, is_up_to, &line);
    return at < function->count ? function->lines[at].line : INT64_MAX;
}
