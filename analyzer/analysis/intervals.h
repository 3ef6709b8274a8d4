/* Intervals as people know them: from one line to another, or a section with a label, with what
 * happened inside. */
#ifndef VBT_INTERVALS_H
#define VBT_INTERVALS_H

#include "filter.h"
#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_inside {
    const struct vbt_source_place *place; /* leaf line */
    uint64_t allocs, frees, allocated, freed;
};

struct vbt_interval_row {
    bool section;
    const struct vbt_source_place *from, *to;
    const char *label;          /* "" for an interval between two clock readings */
    uint64_t first_id;          /* for the order of first appearance */
    uint64_t count, iterations; /* iterations: of all repetitions together; 0: unknown */
    double time_m2;
    bool filtered;   /* only some call stacks count: extremes are those of all, and what was live is not known */
    bool ran_before; /* of a part of a run: extremes are not known */
    struct vbt_model_quantities of[VBT_QUANTITIES];
    struct vbt_inside *inside; /* most allocations first */
    size_t inside_count;
};

/* A section that began and did not end: at the end of the trace, or when recording stopped, it was
 * open, or its thread had ended first. It is in no row. */
struct vbt_unended {
    const struct vbt_source_place *from;
    const char *label;
    uint64_t count;
};

struct vbt_interval_list {
    struct vbt_interval_row *rows; /* in order of first_id */
    size_t count;
    struct vbt_inside *inside; /* of all rows, one after another */
    struct vbt_unended *unended;
    size_t unended_count;
    bool is_part; /* of a run */
};

/* Merges intervals with the same places and label. leaf_of: each node's site, as in struct
 * vbt_attribution's leaf. counts: by node, whether it counts; NULL: all do. */
void vbt_interval_list_build(struct vbt_interval_list *groups, const struct vbt_model *model, struct vbt_places *places,
                             const uint32_t *leaf_of, const bool *counts);
void vbt_interval_list_free(struct vbt_interval_list *groups);

/* Sorts by a key of vbt_interval_keys; sections come before intervals between clock readings. */
void vbt_interval_list_sort(struct vbt_interval_list *groups, const char *key);
extern const char *const vbt_interval_keys[];

/* A sentence on the sections that did not end, for the caller to free; NULL if all did. */
char *vbt_unended_note(const struct vbt_interval_list *groups);

/* Keeps the rows that pass a filter by their label, files and functions, and in which something
 * counts. */
void vbt_interval_list_filter(struct vbt_interval_list *groups, const struct vbt_filter *filter);

/* Is there a row of which the program did not say how many iterations it holds? */
bool vbt_interval_list_asks(const struct vbt_interval_list *groups);

/* How many iterations all repetitions held: as the program said, else `per` for each repetition; 0:
 * unknown. */
double vbt_interval_iterations(const struct vbt_interval_row *group, uint64_t per);

/* Mean of a quantity over the repetitions, NaN if there were none; standard deviation of the time,
 * in ns. */
double vbt_interval_mean(const struct vbt_interval_row *group, enum vbt_quantity quantity);
double vbt_interval_deviation(const struct vbt_interval_row *group);

/* Are the least and the most of a quantity known? */
bool vbt_interval_knows_extremes(const struct vbt_interval_row *group, enum vbt_quantity quantity);

#endif
