/* See section_parts.h. */
#include "section_parts.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

static void add(struct vbt_section_parts *parts, uint32_t call, size_t section, int64_t allocs, int64_t allocated) {
    parts->rows = vbt_grow(parts->rows, &parts->capacity, parts->count + 1, sizeof *parts->rows);
    parts->rows[parts->count++] =
        (struct vbt_section_part){.call = call, .section = (uint32_t)section, .allocs = allocs, .allocated = allocated};
}

static int by_call(const void *left, const void *right) {
    const struct vbt_section_part *a = left, *b = right;
    if (a->call != b->call)
        return a->call < b->call ? -1 : 1;
    return a->section < b->section ? -1 : a->section > b->section;
}

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static int64_t minus(int64_t a) { return (int64_t)(0 - (uint64_t)a); }

/* Adds up the rows of a call and a section. */
static void sum_up(struct vbt_section_parts *parts) {
    size_t kept = 0;
    if (parts->count > 0)
        qsort(parts->rows, parts->count, sizeof *parts->rows, by_call);
    for (size_t i = 0; i < parts->count; i++) {
        const struct vbt_section_part *row = &parts->rows[i];
        if (kept > 0 && by_call(&parts->rows[kept - 1], row) == 0) {
            struct vbt_section_part *sum = &parts->rows[kept - 1];
            sum->allocs = plus(sum->allocs, row->allocs);
            sum->allocated = plus(sum->allocated, row->allocated);
        } else {
            parts->rows[kept++] = *row;
        }
    }
    parts->count = kept;
}

/* The end of the rows of a call; whether what they have can be true. */
static size_t end_of_call(const struct vbt_section_parts *parts, const struct vbt_call_tree *tree, size_t begin, bool *good) {
    size_t end = begin;
    uint32_t call = parts->rows[begin].call;
    int64_t allocs = vbt_call_self_of(tree, call, VBT_MEASURE_ALLOCS), allocated = vbt_call_self_of(tree, call, VBT_MEASURE_BYTES);
    *good = true;
    for (; end < parts->count && parts->rows[end].call == call; end++) {
        const struct vbt_section_part *row = &parts->rows[end];
        *good = *good && row->allocs >= 0 && row->allocated >= 0 && row->allocs <= allocs && row->allocated <= allocated;
        allocs -= *good ? row->allocs : 0;
        allocated -= *good ? row->allocated : 0;
    }
    return end;
}

/* Drops rows with nothing, and all of calls that have less in all than in their sections, as traces
 * that were cut off can have. */
static void drop(struct vbt_section_parts *parts, const struct vbt_call_tree *tree) {
    size_t kept = 0;
    for (size_t begin = 0, end; begin < parts->count; begin = end) {
        bool good;
        end = end_of_call(parts, tree, begin, &good);
        for (size_t i = begin; i < end && good; i++)
            if (parts->rows[i].allocs > 0 || parts->rows[i].allocated > 0)
                parts->rows[kept++] = parts->rows[i];
    }
    parts->count = kept;
}

/* The index of a section's name; `count` if there is none. */
static size_t section_of(const struct vbt_section_place *names, size_t count, const char *label) {
    size_t at = 0;
    while (at < count && strcmp(names[at].name, label) != 0)
        at++;
    return at;
}

void vbt_section_parts_build(struct vbt_section_parts *parts, const struct vbt_model *m, const struct vbt_call_tree *tree,
                             const uint32_t *calls, size_t node_count) {
    size_t names = 0, at = 0;
    bool any = false;
    *parts = (struct vbt_section_parts){0};
    for (size_t i = 0; i < m->interval_count; i++)
        any = any || m->intervals[i].kind == VBT_INTERVAL_SECTION;
    parts->names = any ? vbt_sections_nest(&m->sections, &names) : NULL;
    parts->unknown = any && (parts->names == NULL || names == 0);
    for (size_t i = 0; i < names; i++) /* two threads may be in two sections at once */
        parts->unknown = parts->unknown || (parts->names[i].inside > 0 && m->state[VBT_STATE_THREADS] > 1);
    for (size_t i = 0; i < m->interval_site_count && !parts->unknown && any; i++) {
        const struct vbt_model_interval_site *site = &m->interval_sites[i];
        const struct vbt_model_interval *interval = vbt_model_interval_of(m, site->interval);
        if (interval == NULL || interval->kind != VBT_INTERVAL_SECTION || site->node > node_count || calls[site->node] == 0)
            continue;
        const char *label = vbt_model_string(m, interval->label);
        if (at >= names || strcmp(parts->names[at].name, label) != 0)
            at = section_of(parts->names, names, label);
        parts->unknown = at == names;
        if (parts->unknown)
            break;
        int64_t allocs = (int64_t)site->allocs, allocated = (int64_t)site->allocated;
        add(parts, calls[site->node], at, allocs, allocated);
        if (parts->names[at].inside > 0)
            add(parts, calls[site->node], parts->names[at].inside - 1, minus(allocs), minus(allocated));
    }
    if (parts->unknown)
        parts->count = 0;
    sum_up(parts);
    drop(parts, tree);
}

void vbt_section_parts_free(struct vbt_section_parts *parts) {
    free(parts->rows);
    free(parts->names);
    *parts = (struct vbt_section_parts){0};
}
