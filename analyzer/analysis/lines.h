/* What every line did: the counters of all call paths that belong to it, added up. */
#ifndef VBT_LINES_H
#define VBT_LINES_H

#include "filter.h"
#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

/* Counters of the heap and Python domains; mapped memory is a total of its own (the allocators take theirs from it). */
struct vbt_sums {
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t live_blocks, live_bytes, at_peak_bytes;
    uint64_t smallest, largest; /* of a request; smallest > largest: none */
    uint64_t max_rss_bytes;     /* largest resident set at a tick in which something changed here; 0: none seen */
};

struct vbt_line_row {
    const struct vbt_source_place *place;
    struct vbt_sums sums;
    uint64_t *sizes;        /* allocations by size bucket; NULL if the model was loaded without them */
    uint64_t hits, entries; /* where line mode counted: how often the line ran, and calls that began at it or went on */
};

struct vbt_lines {
    struct vbt_line_row *rows;
    size_t count;
};

#define VBT_NO_SUMS ((struct vbt_sums){.smallest = UINT64_MAX})

void vbt_sums_add(struct vbt_sums *sums, const struct vbt_sums *other);

/* One row a place: line_of gives each node's site, one of the two of struct vbt_attribution; counts, by node, whether it is counted;
 * users: line_of is that of the user's lines, so that of inlined functions the innermost of the user's own counts. */
void vbt_lines_build(struct vbt_lines *lines, const struct vbt_model *model, struct vbt_places *places, const uint32_t *line_of,
                     const bool *counts, bool users);
void vbt_lines_free(struct vbt_lines *lines);

/* Of all rows together. */
struct vbt_sums vbt_lines_total(const struct vbt_lines *lines);

/* Sorts by a key of vbt_line_keys, largest first; "file" in order of file and line. False if there is no such key. Rows that are
 * equal stay in an order that depends on nothing but their content. */
bool vbt_lines_sort(struct vbt_lines *lines, const char *key);
extern const char *const vbt_line_keys[];

/* Leaves the rows whose file or function contains the texts of a filter. */
void vbt_lines_filter(struct vbt_lines *lines, const struct vbt_filter *filter);

#endif
