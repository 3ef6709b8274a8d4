/* See intervals.h. */
#include "intervals.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/units.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An interval of the trace, and the group it is merged into. */
struct member {
    const struct vbt_model_interval *interval;
    const struct vbt_source_place *from, *to;
    const char *label;
    size_t group;
};

static int by_identity(const void *left, const void *right) {
    const struct member *a = left, *b = right;
    if (a->interval->kind != b->interval->kind)
        return a->interval->kind < b->interval->kind ? -1 : 1;
    if (a->from->index != b->from->index)
        return a->from->index < b->from->index ? -1 : 1;
    if (a->to->index != b->to->index)
        return a->to->index < b->to->index ? -1 : 1;
    int order = strcmp(a->label, b->label);
    if (order != 0)
        return order;
    return a->interval->id < b->interval->id ? -1 : 1;
}

static bool same_group(const struct member *a, const struct member *b) {
    return a->interval->kind == b->interval->kind && a->from == b->from && a->to == b->to && strcmp(a->label, b->label) == 0;
}

static int by_id(const void *left, const void *right) {
    const struct member *a = left, *b = right;
    return a->interval->id < b->interval->id ? -1 : 1;
}

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

static void add_member(struct vbt_interval_row *group, const struct member *member) {
    const struct vbt_model_interval *interval = member->interval;
    if (group->label == NULL) {
        *group = (struct vbt_interval_row){.section = interval->kind == VBT_INTERVAL_SECTION,
                                           .from = member->from,
                                           .to = member->to,
                                           .label = member->label,
                                           .first_id = interval->id,
                                           .count = interval->count,
                                           .iterations = interval->iterations,
                                           .ran_before = interval->ran_before,
                                           .time_m2 = interval->time_m2};
        memcpy(group->of, interval->of, sizeof group->of);
        return;
    }
    double left = (double)group->count, right = (double)interval->count;
    if (left > 0 && right > 0) {
        double apart = (double)interval->of[VBT_Q_TIME].total / right - (double)group->of[VBT_Q_TIME].total / left;
        group->time_m2 += interval->time_m2 + apart * apart * left * right / (left + right);
    }
    group->count += interval->count;
    group->ran_before = group->ran_before || interval->ran_before;
    group->iterations += interval->iterations;
    for (int q = 0; q < VBT_QUANTITIES; q++) {
        struct vbt_model_quantities *to = &group->of[q];
        if (interval->of[q].min < to->min)
            to->min = interval->of[q].min;
        if (interval->of[q].max > to->max)
            to->max = interval->of[q].max;
        to->total = plus(to->total, interval->of[q].total);
    }
}

struct located {
    size_t group;
    struct vbt_inside inside;
};

static int by_group_and_place(const void *left, const void *right) {
    const struct located *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->inside.place->index < b->inside.place->index ? -1 : a->inside.place->index > b->inside.place->index;
}

static int by_allocs(const void *left, const void *right) {
    const struct vbt_inside *a = left, *b = right;
    if (a->allocs != b->allocs)
        return a->allocs > b->allocs ? -1 : 1;
    if (a->allocated != b->allocated)
        return a->allocated > b->allocated ? -1 : 1;
    if (a->frees != b->frees)
        return a->frees > b->frees ? -1 : 1;
    return a->place->index < b->place->index ? -1 : a->place->index > b->place->index;
}

/* members: in order of id, like the model's interval sites. */
static void build_inside(struct vbt_interval_list *groups, const struct vbt_model *m, struct vbt_places *places,
                         const uint32_t *leaf_of, const bool *counts, const struct member *members, size_t member_count) {
    struct located *located = vbt_new(m->interval_site_count, sizeof *located);
    size_t count = 0, member = 0;
    for (size_t i = 0; i < m->interval_site_count; i++) {
        const struct vbt_model_interval_site *row = &m->interval_sites[i];
        while (member < member_count && members[member].interval->id < row->interval)
            member++;
        if (member == member_count || members[member].interval->id != row->interval)
            continue; /* the trace ends before the interval itself was written */
        if (counts != NULL && !counts[row->node])
            continue;
        located[count++] =
            (struct located){members[member].group,
                             {vbt_place_of_site(places, leaf_of[row->node]), row->allocs, row->frees, row->allocated, row->freed}};
    }
    if (count > 0)
        qsort(located, count, sizeof *located, by_group_and_place);
    groups->inside = vbt_new(count, sizeof *groups->inside);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        struct vbt_interval_row *group = &groups->rows[located[i].group];
        const struct vbt_inside *inside = &located[i].inside;
        bool same_row = i > 0 && located[i - 1].group == located[i].group && located[i - 1].inside.place == inside->place;
        if (same_row) {
            struct vbt_inside *last = &groups->inside[used - 1];
            last->allocs += inside->allocs;
            last->frees += inside->frees;
            last->allocated += inside->allocated;
            last->freed += inside->freed;
            continue;
        }
        if (group->inside_count++ == 0)
            group->inside = &groups->inside[used];
        groups->inside[used++] = *inside;
    }
    for (size_t i = 0; i < groups->count; i++)
        if (groups->rows[i].inside_count > 1)
            qsort(groups->rows[i].inside, groups->rows[i].inside_count, sizeof *groups->inside, by_allocs);
    free(located);
}

/* Replaces what was counted in an interval by what its call stacks that count did. */
static void recount(struct vbt_interval_row *group) {
    uint64_t allocs = 0, frees = 0, allocated = 0, freed = 0;
    for (size_t i = 0; i < group->inside_count; i++) {
        allocs += group->inside[i].allocs;
        frees += group->inside[i].frees;
        allocated += group->inside[i].allocated;
        freed += group->inside[i].freed;
    }
    group->filtered = true;
    group->of[VBT_Q_ALLOCS].total = (int64_t)allocs;
    group->of[VBT_Q_FREES].total = (int64_t)frees;
    group->of[VBT_Q_ALLOCATED].total = (int64_t)allocated;
    group->of[VBT_Q_FREED].total = (int64_t)freed;
    group->of[VBT_Q_NET].total = (int64_t)(allocated - freed);
}

static int by_beginning(const void *left, const void *right) {
    const struct vbt_unended *a = left, *b = right;
    if (a->from->index != b->from->index)
        return a->from->index < b->from->index ? -1 : 1;
    return strcmp(a->label, b->label);
}

static void build_unended(struct vbt_interval_list *groups, const struct vbt_model *m, struct vbt_places *places) {
    size_t count = 0;
    for (size_t i = 0; i < m->interval_count; i++)
        count += m->intervals[i].unended > 0;
    groups->unended = vbt_new(count, sizeof *groups->unended);
    for (size_t i = 0, row = 0; i < m->interval_count; i++) {
        const struct vbt_model_interval *interval = &m->intervals[i];
        if (interval->unended > 0)
            groups->unended[row++] = (struct vbt_unended){vbt_place_of_site(places, interval->from),
                                                          vbt_model_string(m, interval->label), interval->unended};
    }
    if (count > 0)
        qsort(groups->unended, count, sizeof *groups->unended, by_beginning);
    for (size_t i = 0; i < count; i++) {
        struct vbt_unended *last = groups->unended_count > 0 ? &groups->unended[groups->unended_count - 1] : NULL;
        if (last != NULL && by_beginning(last, &groups->unended[i]) == 0)
            last->count += groups->unended[i].count;
        else
            groups->unended[groups->unended_count++] = groups->unended[i];
    }
}

char *vbt_unended_note(const struct vbt_interval_list *groups) {
    enum { NAMED = 4 };
    size_t count = groups->unended_count;
    char *names = vbt_copy("", 0);
    for (size_t i = 0; i < count && i < NAMED; i++) {
        const struct vbt_unended *section = &groups->unended[i];
        char *line = section->from->line > 0
                         ? vbt_text("%s:%lld", vbt_file_name(section->from->file), (long long)section->from->line)
                         : vbt_text("%s", section->from->function);
        char *times = section->count > 1 ? vbt_text(", %s times", vbt_count((int64_t)section->count).text) : vbt_copy("", 0);
        char *longer = vbt_text("%s%s%s (%s%s)", names, i == 0 ? "" : i + 1 == count ? " and " : ", ", section->label, line, times);
        free(names);
        free(line);
        free(times);
        names = longer;
    }
    char *more = count > NAMED ? vbt_text(" and %s", vbt_counted((int64_t)(count - NAMED), "other").text) : vbt_copy("", 0);
    const char *is = count == 1 ? "is" : "are",
               *when = groups->is_part ? "had not ended then" : "did not end while recording was on";
    struct vbt_unit sections = vbt_counted((int64_t)count, "section");
    char *note = count > 0 ? vbt_text("%s %s, and %s not counted: %s%s.", sections.text, when, is, names, more) : NULL;
    free(names);
    free(more);
    return note;
}

static int by_first_id(const void *left, const void *right) {
    const struct vbt_interval_row *a = left, *b = right;
    return a->first_id < b->first_id ? -1 : a->first_id > b->first_id;
}

void vbt_interval_list_build(struct vbt_interval_list *groups, const struct vbt_model *m, struct vbt_places *places,
                             const uint32_t *leaf_of, const bool *counts) {
    size_t count = 0;
    struct member *members = vbt_new(m->interval_count, sizeof *members);
    for (size_t i = 0; i < m->interval_count; i++) {
        const struct vbt_model_interval *interval = &m->intervals[i];
        if (interval->count > 0 || interval->unended == 0)
            members[count++] = (struct member){.interval = interval,
                                               .from = vbt_place_of_site(places, interval->from),
                                               .to = vbt_place_of_site(places, interval->to),
                                               .label = vbt_model_string(m, interval->label)};
    }
    if (count > 0)
        qsort(members, count, sizeof *members, by_identity);
    *groups = (struct vbt_interval_list){.rows = vbt_new(count, sizeof *groups->rows), .is_part = m->window.is_part};
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !same_group(&members[i - 1], &members[i]))
            groups->count++;
        members[i].group = groups->count - 1;
        add_member(&groups->rows[groups->count - 1], &members[i]);
    }
    if (count > 0)
        qsort(members, count, sizeof *members, by_id);
    build_inside(groups, m, places, leaf_of, counts, members, count);
    for (size_t i = 0; i < groups->count && counts != NULL; i++)
        recount(&groups->rows[i]);
    if (groups->count > 0)
        qsort(groups->rows, groups->count, sizeof *groups->rows, by_first_id);
    build_unended(groups, m, places);
    free(members);
}

void vbt_interval_list_free(struct vbt_interval_list *groups) {
    free(groups->rows);
    free(groups->inside);
    free(groups->unended);
    *groups = (struct vbt_interval_list){0};
}

const char *const vbt_interval_keys[] = {"order", "time", "count", "allocs", "bytes", "high", NULL};

enum interval_key { BY_ORDER, BY_TIME, BY_COUNT, BY_ALLOCS, BY_BYTES, BY_HIGH };

static int64_t value_of(const struct vbt_interval_row *group, enum interval_key key) {
    switch (key) {
    case BY_TIME:
        return group->of[VBT_Q_TIME].total;
    case BY_COUNT:
        return (int64_t)group->count;
    case BY_ALLOCS:
        return group->of[VBT_Q_ALLOCS].total;
    case BY_BYTES:
        return group->of[VBT_Q_ALLOCATED].total;
    case BY_HIGH:
        return group->of[VBT_Q_HIGH].max;
    default:
        return 0;
    }
}

static int compare(const void *left, const void *right, void *by) {
    const struct vbt_interval_row *a = left, *b = right;
    if (a->section != b->section)
        return a->section ? -1 : 1;
    int64_t x = value_of(a, *(enum interval_key *)by), y = value_of(b, *(enum interval_key *)by);
    if (x != y)
        return x > y ? -1 : 1;
    return by_first_id(left, right);
}

void vbt_interval_list_sort(struct vbt_interval_list *groups, const char *name) {
    for (int i = 0; vbt_interval_keys[i] != NULL; i++)
        if (strcmp(vbt_interval_keys[i], name) == 0 && groups->count > 0) {
            enum interval_key key = (enum interval_key)i;
            qsort_r(groups->rows, groups->count, sizeof *groups->rows, compare, &key);
        }
}

void vbt_interval_list_filter(struct vbt_interval_list *groups, const struct vbt_filter *filter) {
    size_t kept = 0;
    for (size_t i = 0; i < groups->count; i++) {
        const struct vbt_interval_row *group = &groups->rows[i];
        if (vbt_filter_row(filter, group->from, group->to, group->label) && (!group->filtered || group->inside_count > 0))
            groups->rows[kept++] = *group;
    }
    groups->count = kept;
    kept = 0;
    for (size_t i = 0; i < groups->unended_count; i++)
        if (vbt_filter_row(filter, groups->unended[i].from, NULL, groups->unended[i].label))
            groups->unended[kept++] = groups->unended[i];
    groups->unended_count = kept;
}

bool vbt_interval_list_asks(const struct vbt_interval_list *groups) {
    for (size_t i = 0; i < groups->count; i++)
        if (!groups->rows[i].section || groups->rows[i].iterations == 0)
            return true;
    return false;
}

double vbt_interval_iterations(const struct vbt_interval_row *group, uint64_t per) {
    if (group->section && group->iterations > 0)
        return (double)group->iterations;
    return (double)group->count * (double)per;
}

double vbt_interval_mean(const struct vbt_interval_row *group, enum vbt_quantity quantity) {
    return group->count > 0 ? (double)group->of[quantity].total / (double)group->count : NAN;
}

double vbt_interval_deviation(const struct vbt_interval_row *group) {
    return group->count > 0 && group->time_m2 >= 0 ? sqrt(group->time_m2 / (double)group->count) : NAN;
}

bool vbt_interval_knows_extremes(const struct vbt_interval_row *group, enum vbt_quantity quantity) {
    return !group->ran_before && (!group->filtered || quantity == VBT_Q_TIME);
}
