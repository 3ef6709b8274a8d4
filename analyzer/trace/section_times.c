/* See section_times.h. */
#include "analyzer/base/hash.h"

#include "section_times.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "analyzer/trace/decode/decode_payload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct vbt_section_name {
    char *name;
    uint64_t count; /* runs that began */
    struct vbt_section_run *runs;
    size_t kept, capacity;
    uint64_t gap_from, gap_to; /* of several processes: between these times, some runs are not kept; from 0: none is missing */
    UT_hash_handle hh;
};

static struct vbt_section_name *find(const struct vbt_sections *sections, const char *name, size_t size) {
    struct vbt_section_name *found;
    HASH_FIND(hh, sections->names, name, size, found);
    return found;
}

static struct vbt_section_name *find_or_add(struct vbt_sections *sections, const char *name, size_t size) {
    struct vbt_section_name *row = find(sections, name, size);
    if (row != NULL)
        return row;
    row = vbt_new(1, sizeof *row);
    row->name = vbt_copy(name, size);
    HASH_ADD_KEYPTR(hh, sections->names, row->name, size, row);
    sections->count++;
    return row;
}

static void add_run(struct vbt_sections *sections, struct vbt_section_name *row, const struct vbt_section_run *run) {
    row->runs = vbt_grow(row->runs, &row->capacity, row->kept + 1, sizeof *row->runs);
    row->runs[row->kept++] = *run;
    sections->runs++;
}

/* A name's row as it is stored; the reader is behind it. */
struct stored_name {
    const char *name;
    size_t size;
    uint64_t count, first, latest;
    struct vbt_reader runs;
};

static struct stored_name get_name(struct vbt_reader *r) {
    struct stored_name row = {0};
    row.name = vbt_get_string(r, &row.size);
    row.size = strnlen(row.name, row.size < VBT_NAME_MAX ? row.size : VBT_NAME_MAX);
    row.count = vbt_get_varint(r);
    row.first = vbt_get_varint(r);
    row.latest = vbt_get_varint(r);
    row.runs = *r;
    uint64_t room = (uint64_t)(r->end - r->at) / 2;
    if (row.first > room || row.latest > room - row.first)
        r->bad = true;
    for (uint64_t i = 0; !r->bad && i < row.first + row.latest; i++) {
        vbt_get_zigzag(r);
        vbt_get_varint(r);
    }
    return row;
}

static void put_name(struct vbt_sections *sections, struct stored_name *stored) {
    struct vbt_section_name *row = find_or_add(sections, stored->name, stored->size);
    sections->runs -= row->kept;
    row->kept = 0;
    row->count = stored->count;
    uint64_t begun = 0;
    for (uint64_t i = 0; i < stored->first + stored->latest; i++) {
        begun += (uint64_t)vbt_get_zigzag(&stored->runs);
        uint64_t length = vbt_get_varint(&stored->runs);
        struct vbt_section_run run = {.number =
                                          i < stored->first ? i + 1 : stored->count - (stored->first + stored->latest - i) + 1,
                                      .begun = begun,
                                      .ended = length == 0 ? UINT64_MAX : begun + length - 1};
        add_run(sections, row, &run);
    }
}

char *vbt_sections_read(struct vbt_sections *sections, struct vbt_reader *reader) {
    struct vbt_reader r = *reader, again;
    uint64_t names = vbt_get_varint(&r), runs = 0;
    again = r;
    for (uint64_t i = 0; i < names && !r.bad; i++) {
        struct stored_name row = get_name(&r);
        runs += row.first + row.latest;
    }
    if (r.bad)
        return vbt_text("SECTION_TIMES ends too early, or holds a malformed number");
    if (names > VBT_MAX_SECTIONS - sections->count || runs > VBT_MAX_SECTION_RUNS - sections->runs)
        return vbt_text("SECTION_TIMES: more than %u sections, or %u runs of them, which no trace has", VBT_MAX_SECTIONS,
                        VBT_MAX_SECTION_RUNS);
    for (uint64_t i = 0; i < names; i++) {
        struct stored_name row = get_name(&again);
        put_name(sections, &row);
    }
    return NULL;
}

char *vbt_decode_section_times(struct vbt_payload *p) { return vbt_sections_read(&p->model->sections, &p->r); }

void vbt_sections_free(struct vbt_sections *sections) {
    struct vbt_section_name *row, *next;
    HASH_ITER(hh, sections->names, row, next) {
        HASH_DEL(sections->names, row);
        free(row->name);
        free(row->runs);
        free(row);
    }
    *sections = (struct vbt_sections){0};
}

/* Where the numbers of the runs that are kept leap, some are missing. */
static void add_gaps(struct vbt_section_name *sum, const struct vbt_section_name *of, uint64_t offset) {
    for (size_t i = 0; i <= of->kept; i++) {
        uint64_t before = i > 0 ? of->runs[i - 1].number : 0, number = i < of->kept ? of->runs[i].number : of->count + 1;
        if (number <= before + 1)
            continue;
        uint64_t from = offset + (i > 0 ? of->runs[i - 1].begun : 0), to = i < of->kept ? offset + of->runs[i].begun : UINT64_MAX;
        sum->gap_from = sum->gap_to == 0 || from < sum->gap_from ? from : sum->gap_from;
        sum->gap_to = to > sum->gap_to ? to : sum->gap_to;
    }
}

void vbt_sections_add(struct vbt_sections *sum, const struct vbt_sections *of, uint64_t offset, uint64_t end) {
    for (const struct vbt_section_name *row = of->names; row != NULL; row = row->hh.next) {
        struct vbt_section_name *to = find_or_add(sum, row->name, strlen(row->name));
        to->count += row->count;
        add_gaps(to, row, offset);
        for (size_t i = 0; i < row->kept; i++) {
            struct vbt_section_run run = row->runs[i];
            run.begun += offset;
            run.ended = run.ended == UINT64_MAX ? end : run.ended + offset;
            add_run(sum, to, &run);
        }
    }
}

static int by_begin(const void *left, const void *right) {
    const struct vbt_section_run *a = left, *b = right;
    return a->begun < b->begun ? -1 : a->begun > b->begun;
}

void vbt_sections_number(struct vbt_sections *sum) {
    for (struct vbt_section_name *row = sum->names; row != NULL; row = row->hh.next) {
        if (row->kept > 0)
            qsort(row->runs, row->kept, sizeof *row->runs, by_begin);
        for (size_t i = 0; i < row->kept; i++) {
            bool before = row->gap_to == 0 || row->runs[i].begun <= row->gap_from, after = row->runs[i].begun >= row->gap_to;
            row->runs[i].number = before ? i + 1 : after ? row->count - (row->kept - i) + 1 : 0;
        }
    }
}

/* "parse", "load" and 3 more. */
static char *list_of_names(const struct vbt_sections *sections) {
    enum { MOST = 5 };
    char *list = vbt_copy("", 0);
    size_t shown = 0;
    for (const struct vbt_section_name *row = sections->names; row != NULL && shown < MOST; row = row->hh.next, shown++) {
        char *longer = vbt_text("%s%s%s", list, shown > 0 ? ", " : "", row->name);
        free(list);
        list = longer;
    }
    if (shown == sections->count)
        return list;
    char *longer = vbt_text("%s and %zu more", list, sections->count - shown);
    free(list);
    return longer;
}

static char *unknown_name(const struct vbt_sections *sections, const char *text) {
    if (sections->count == 0)
        return vbt_text("it is no time, and the trace does not say of any section when it ran");
    char *names = list_of_names(sections);
    char *problem = vbt_text("it is no time, and there is no section \"%s\" in the trace, but %s", text, names);
    free(names);
    return problem;
}

/* Why the trace does not know when a run was. */
static char *unknown_run(const struct vbt_section_name *row, uint64_t number) {
    if (number == 0 || number > row->count)
        return vbt_text("section \"%s\" ran %s", row->name, vbt_counted((int64_t)row->count, "time").text);
    size_t first = 0;
    while (first < row->kept && row->runs[first].number == first + 1)
        first++;
    return vbt_text("of the %s of section \"%s\" the trace keeps the times of the first %zu and the last %zu",
                    vbt_counted((int64_t)row->count, "run").text, row->name, first, row->kept - first);
}

/* The number behind the name; false if there is none. */
static bool split_number(const char *text, size_t *size, uint64_t *number) {
    const char *sign = strrchr(text, '#');
    if (sign == NULL || sign[1] == '\0' || strspn(sign + 1, "0123456789") != strlen(sign + 1))
        return false;
    *size = (size_t)(sign - text);
    *number = strtoull(sign + 1, NULL, 10);
    return true;
}

char *vbt_sections_time(const struct vbt_sections *sections, const char *text, bool end, uint64_t *time) {
    size_t size = strlen(text);
    uint64_t number = 0;
    const struct vbt_section_name *row = find(sections, text, size);
    bool numbered = row == NULL && split_number(text, &size, &number);
    if (numbered)
        row = find(sections, text, size);
    if (row == NULL)
        return unknown_name(sections, text);
    if (!numbered)
        number = end ? row->count : 1;
    for (size_t i = 0; i < row->kept; i++) {
        if (row->runs[i].number == number && number > 0) {
            *time = end ? row->runs[i].ended : row->runs[i].begun;
            return NULL;
        }
    }
    return unknown_run(row, number);
}

/* How two runs lie to each other. */
enum run_relation { RUN_APART, RUN_INSIDE, RUN_AROUND, RUN_ACROSS };

static enum run_relation relation_of(const struct vbt_section_run *a, const struct vbt_section_run *b) {
    if (a->ended <= b->begun || b->ended <= a->begun)
        return RUN_APART;
    bool inside = b->begun <= a->begun && a->ended <= b->ended, around = a->begun <= b->begun && b->ended <= a->ended;
    return inside && around ? RUN_ACROSS : inside ? RUN_INSIDE : around ? RUN_AROUND : RUN_ACROSS;
}

/* Do all runs of a section lie in runs of another (*inside), or all beside them? Else nothing can
 * be concluded: false. Of runs that did not end nothing was counted. */
static bool compare_runs(const struct vbt_section_name *a, const struct vbt_section_name *b, bool *inside) {
    size_t in = 0, ended = 0;
    for (size_t i = 0; i < a->kept; i++) {
        if (a->runs[i].ended == UINT64_MAX)
            continue;
        ended++;
        bool found = false;
        for (size_t k = 0; k < b->kept; k++) {
            if ((a == b && i == k) || b->runs[k].ended == UINT64_MAX)
                continue;
            enum run_relation relation = relation_of(&a->runs[i], &b->runs[k]);
            if (relation == RUN_ACROSS || (a == b && relation != RUN_APART))
                return false;
            found = found || relation == RUN_INSIDE;
        }
        in += found;
    }
    *inside = in > 0;
    return in == 0 || in == ended;
}

/* The innermost of the sections that a section lies in: the one in which all the others lie. */
static bool find_outer(struct vbt_section_place *rows, const struct vbt_section_name *const *names, size_t count, size_t at) {
    size_t inner = 0;
    for (size_t i = 0; i < count; i++) {
        bool inside, deeper;
        if (!compare_runs(names[at], names[i], &inside))
            return false;
        if (!inside)
            continue;
        if (inner == 0 || (compare_runs(names[i], names[inner - 1], &deeper) && deeper))
            inner = i + 1;
    }
    rows[at].inside = inner;
    return true;
}

struct vbt_section_place *vbt_sections_nest(const struct vbt_sections *sections, size_t *count) {
    struct vbt_section_place *rows = vbt_new(sections->count, sizeof *rows);
    const struct vbt_section_name **names = vbt_new(sections->count, sizeof *names);
    bool known = true;
    *count = 0;
    for (const struct vbt_section_name *row = sections->names; row != NULL; row = row->hh.next) {
        known = known && row->kept == row->count;
        names[*count] = row;
        rows[(*count)++].name = row->name;
    }
    for (size_t i = 0; i < *count && known; i++)
        known = find_outer(rows, names, *count, i);
    free(names);
    if (known)
        return rows;
    free(rows);
    return NULL;
}
