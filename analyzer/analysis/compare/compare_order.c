/* See compare_order.h. */
#include "compare_order.h"

#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const vbt_row_statuses[] = {[VBT_ROW_SAME] = "same",
                                        [VBT_ROW_NEW] = "new",
                                        [VBT_ROW_GONE] = "gone",
                                        [VBT_ROW_GROWN] = "grown",
                                        [VBT_ROW_SHRUNK] = "shrunk"};

/* After the first, in the order of enum vbt_counted_as. */
const char *const vbt_change_keys[] = {"change", "allocs", "bytes", "peak", "left", "blocks", "temporary", NULL};

/* Rows in which nothing changed but which blocks were temporary, or how many were left, come after
 * others. */
#define MINOR 1e-6

/* A difference as a share of the larger of both totals. */
static double share_of(const struct vbt_delta *change, const struct vbt_delta *total) {
    double old = fabs(vbt_delta_old(total)), new = fabs(vbt_delta_new(total)), whole = old > new ? old : new;
    double difference = fabs(vbt_delta_difference(change));
    return whole > 0 ? difference / whole : difference > 0 ? 1 : 0;
}

struct weighing {
    const struct vbt_values *values, *totals;
    size_t old_runs;
    int key; /* of vbt_change_keys */
};

static bool is_nothing(const struct vbt_values *values, size_t row, size_t first_run, size_t runs) {
    for (size_t i = 0; i < runs; i++)
        for (size_t kind = 0; kind < values->kinds; kind++)
            if (vbt_values_of(values, row, first_run + i)[kind] != 0)
                return false;
    return true;
}

/* Fills in what is seen of a row whose differences are known. */
static void weigh(const struct weighing *w, struct vbt_ranked_row *row) {
    double most = -1;
    row->status = VBT_ROW_SAME;
    for (size_t kind = 0; kind < VBT_C_KINDS; kind++) {
        const struct vbt_delta change = vbt_delta_of(w->values, row->row, kind, w->old_runs);
        const struct vbt_delta total = vbt_delta_of(w->totals, 0, kind, w->old_runs);
        double share = share_of(&change, &total), difference = vbt_delta_difference(&change);
        bool minor = kind == VBT_C_TEMPORARY || kind == VBT_C_BLOCKS;
        double weight = w->key != 0 ? fabs(difference) : minor ? share * MINOR : share;
        if ((w->key == 0 || (size_t)w->key - 1 == kind) && weight > row->weight)
            row->weight = weight;
        if ((row->counts >> kind & 1) == 0 || share * (minor ? MINOR : 1) <= most)
            continue;
        most = share * (minor ? MINOR : 1);
        row->status = difference > 0 ? VBT_ROW_GROWN : VBT_ROW_SHRUNK;
    }
    if (row->counts == 0)
        return;
    size_t old_runs = w->old_runs, new_runs = w->values->runs - old_runs;
    if (is_nothing(w->values, row->row, 0, old_runs))
        row->status = VBT_ROW_NEW;
    else if (is_nothing(w->values, row->row, old_runs, new_runs))
        row->status = VBT_ROW_GONE;
}

static int heaviest_first(const void *left, const void *right) {
    const struct vbt_ranked_row *a = left, *b = right;
    if ((a->counts != 0) != (b->counts != 0))
        return a->counts != 0 ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static bool differs(const struct weighing *w, size_t row) {
    for (size_t kind = 0; kind < VBT_C_KINDS; kind++) {
        const struct vbt_delta change = vbt_delta_of(w->values, row, kind, w->old_runs);
        if (vbt_delta_difference(&change) != 0)
            return true;
    }
    return false;
}

void vbt_ranking_get(struct vbt_ranking *changes, const struct vbt_values *values, const struct vbt_judgement *judgement,
                     const struct vbt_values *totals, size_t old_runs, const char *sort, bool all) {
    struct weighing w = {.values = values, .totals = totals, .old_runs = old_runs};
    while (vbt_change_keys[w.key + 1] != NULL && strcmp(vbt_change_keys[w.key], sort) != 0)
        w.key++;
    *changes = (struct vbt_ranking){.rows = vbt_new(values->rows, sizeof *changes->rows)};
    for (size_t i = 0; i < values->rows; i++) {
        if (is_nothing(values, i, 0, values->runs))
            continue;
        struct vbt_ranked_row row = {.row = (uint32_t)i, .counts = judgement->counts[i], .noisy = judgement->noisy[i]};
        bool counts = row.counts != 0;
        changes->count += counts;
        changes->noise += !counts && differs(&w, i);
        changes->same += !counts && !differs(&w, i);
        if (!counts && !all)
            continue;
        weigh(&w, &row);
        changes->rows[changes->listed++] = row;
    }
    if (changes->listed > 0)
        qsort(changes->rows, changes->listed, sizeof *changes->rows, heaviest_first);
}

void vbt_ranking_free(struct vbt_ranking *changes) { free(changes->rows); }
