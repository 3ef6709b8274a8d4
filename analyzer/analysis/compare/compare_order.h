/* The rows of a comparison that changed, what changed most first. */
#ifndef VBT_COMPARE_ORDER_H
#define VBT_COMPARE_ORDER_H

#include "compare_judge.h"

enum vbt_row_status { VBT_ROW_SAME, VBT_ROW_NEW, VBT_ROW_GONE, VBT_ROW_GROWN, VBT_ROW_SHRUNK };

/* "same", "new", ... */
extern const char *const vbt_row_statuses[];

struct vbt_ranked_row {
    uint32_t row;
    enum vbt_row_status status; /* by the kind that changed most */
    uint16_t counts, noisy;     /* bits of kinds, see compare_judge.h */
    double weight;
};

struct vbt_ranking {
    struct vbt_ranked_row *rows; /* those with a difference that counts; then, if asked for, all others */
    size_t count, listed;        /* how many changed; and all */
    size_t same, noise;          /* rows that are not 0: the same on both sides; different, but that says nothing */
};

/* The rows of a table. totals: one row, which weights are shares of. sort: "change", by the largest
 * share of a total; or one of vbt_change_keys, by the difference of that. all: list the others,
 * too. */
void vbt_ranking_get(struct vbt_ranking *changes, const struct vbt_values *values, const struct vbt_judgement *judgement,
                     const struct vbt_values *totals, size_t old_runs, const char *sort, bool all);
void vbt_ranking_free(struct vbt_ranking *changes);

extern const char *const vbt_change_keys[];

#endif
