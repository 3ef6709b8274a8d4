/* See line_rows.h. */
#include "line_rows.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

enum { OTHERS_BEFORE_USERS = 3, TRIFLE = 1000 };

bool vbt_line_has_file(const struct vbt_source_place *place) { return place->kind != VBT_PLACE_SPECIAL; }

static int by_place(const void *left, const void *right) {
    const struct vbt_merged_line *a = left, *b = right;
    int order = strcmp(a->place->file, b->place->file);
    if (order != 0)
        return order;
    if (a->place->line != b->place->line)
        return a->place->line < b->place->line ? -1 : 1;
    if (a->place->line == 0 && (order = strcmp(a->place->function, b->place->function)) != 0)
        return order; /* without a line, rows differ in their function */
    return a->rank < b->rank ? -1 : 1;
}

static bool same_row(const struct vbt_merged_line *a, const struct vbt_merged_line *b) {
    return strcmp(a->place->file, b->place->file) == 0 && a->place->line == b->place->line &&
           (a->place->line != 0 || strcmp(a->place->function, b->place->function) == 0);
}

static int by_rank(const void *left, const void *right) {
    const struct vbt_merged_line *a = left, *b = right;
    return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static int by_file_and_line(const void *left, const void *right) {
    const struct vbt_merged_line *a = left, *b = right;
    if (a->shelf != b->shelf)
        return a->shelf < b->shelf ? -1 : 1;
    if (a->file_rank != b->file_rank)
        return a->file_rank < b->file_rank ? -1 : 1;
    if (a->place->line != b->place->line)
        return a->place->line < b->place->line ? -1 : 1;
    return by_rank(left, right);
}

static void sort(struct vbt_merged_line *rows, size_t count, int (*order)(const void *, const void *)) {
    if (count > 0)
        qsort(rows, count, sizeof *rows, order);
}

struct vbt_merged_line *vbt_lines_merge(const struct vbt_lines *lines, size_t *count) {
    struct vbt_merged_line *rows = vbt_new(lines->count, sizeof *rows);
    size_t all = 0, kept = 0;
    for (size_t i = 0; i < lines->count; i++) {
        const struct vbt_line_row *line = &lines->rows[i];
        if (vbt_line_has_file(line->place))
            rows[all++] = (struct vbt_merged_line){.place = line->place,
                                                   .sums = line->sums,
                                                   .hits = line->hits > 0 ? line->hits : line->entries,
                                                   .rss = line->rss,
                                                   .rank = i};
    }
    sort(rows, all, by_place);
    for (size_t i = 0; i < all; i++) {
        if (kept == 0 || !same_row(&rows[kept - 1], &rows[i])) {
            rows[kept++] = rows[i];
            continue;
        }
        struct vbt_merged_line *row = &rows[kept - 1];
        vbt_sums_add(&row->sums, &rows[i].sums);
        row->hits += rows[i].hits;
        row->rss = rows[i].rss > row->rss ? rows[i].rss : row->rss;
        row->rank = rows[i].rank < row->rank ? rows[i].rank : row->rank;
    }
    sort(rows, kept, by_rank);
    *count = kept;
    return rows;
}

static bool is_trifle(uint64_t part, uint64_t whole) { return whole == 0 || part < whole / TRIFLE + (whole % TRIFLE != 0); }

/* Negative sums of live bytes, which only a damaged trace has, are trifles. */
static uint64_t above_0(int64_t bytes) { return bytes > 0 ? (uint64_t)bytes : 0; }

size_t vbt_lines_trifles_last(struct vbt_merged_line *rows, size_t count) {
    struct vbt_sums all = VBT_NO_SUMS;
    for (size_t i = 0; i < count; i++)
        vbt_sums_add(&all, &rows[i].sums);
    struct vbt_merged_line *trifles = vbt_new(count, sizeof *trifles);
    size_t kept = 0, moved = 0;
    for (size_t i = 0; i < count; i++) {
        const struct vbt_sums *s = &rows[i].sums;
        if (is_trifle(s->allocated, all.allocated) && is_trifle(s->allocs, all.allocs) &&
            is_trifle(above_0(s->at_peak_bytes), above_0(all.at_peak_bytes)) &&
            is_trifle(above_0(s->live_bytes), above_0(all.live_bytes)) && is_trifle(s->temporary, all.temporary))
            trifles[moved++] = rows[i];
        else
            rows[kept++] = rows[i];
    }
    if (moved > 0)
        memcpy(rows + kept, trifles, moved * sizeof *trifles);
    free(trifles);
    return kept;
}

void vbt_lines_keep_users(struct vbt_merged_line *rows, size_t count, size_t shown) {
    size_t first = 0;
    while (first < count && !rows[first].place->user)
        first++;
    if (shown == 0 || first < shown || first == count)
        return;
    struct vbt_merged_line users = rows[first];
    memmove(&rows[shown], &rows[shown - 1], (first - shown + 1) * sizeof *rows);
    rows[shown - 1] = users;
}

/* Gives all rows of a file the rank of its first row. Returns the best rank of a file of the
 * user's; SIZE_MAX: there is none. The rows are sorted by place. */
static size_t rank_files(struct vbt_merged_line *rows, size_t count) {
    size_t best_of_users = SIZE_MAX;
    for (size_t i = 0; i < count;) {
        size_t end = i, best = rows[i].rank;
        bool users = false;
        for (; end < count && strcmp(rows[end].place->file, rows[i].place->file) == 0; end++) {
            best = rows[end].rank < best ? rows[end].rank : best;
            users = users || rows[end].place->user;
        }
        if (users && best < best_of_users)
            best_of_users = best;
        for (; i < end; i++)
            rows[i].file_rank = best;
    }
    return best_of_users;
}

void vbt_lines_by_file(struct vbt_merged_line *rows, size_t count) {
    enum { BEFORE, FIRST_OF_USERS, AFTER };
    sort(rows, count, by_place);
    size_t users = rank_files(rows, count), before = 0;
    for (size_t i = 0; i < count; i++)
        rows[i].shelf = BEFORE;
    sort(rows, count, by_file_and_line);
    bool full = false;
    for (size_t i = 0, end; users != SIZE_MAX && i < count; i = end) {
        for (end = i; end < count && rows[end].file_rank == rows[i].file_rank; end++) {
        }
        full = full || before + (end - i) > OTHERS_BEFORE_USERS;
        before += end - i;
        for (size_t row = i; row < end; row++)
            rows[row].shelf = rows[row].file_rank == users ? FIRST_OF_USERS : rows[row].file_rank < users && !full ? BEFORE : AFTER;
    }
    sort(rows, count, by_file_and_line);
}
