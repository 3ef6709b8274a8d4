/* What every line did: the sums over all call paths that are attributed to it. */
#ifndef VBT_LINES_H
#define VBT_LINES_H

#include "filter.h"
#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

/* Counters of the heap and Python domains. Mapped memory is a separate total, because allocators
 * take their memory from it. */
struct vbt_sums {
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t live_blocks, live_bytes, at_peak_bytes;
    int64_t grown_blocks, grown_bytes; /* live at the end less live at the start */
    uint64_t smallest, largest;        /* of a request; smallest > largest: there was none, or it is not known */
    bool sizes_unknown;                /* of this part of the run */
    uint64_t max_rss_bytes;            /* largest resident set at a tick when something had changed here; 0: unknown */
};

struct vbt_line_row {
    const struct vbt_source_place *place;
    struct vbt_sums sums;
    uint64_t *sizes;        /* allocations by size bucket; NULL if the model was loaded without them */
    uint64_t hits, entries; /* if line mode counted it: how often the line ran; calls that began or resumed at it */
    uint64_t rss;           /* and the largest resident set seen at it; 0: unknown */
};

struct vbt_lines {
    struct vbt_line_row *rows;
    size_t count;
};

#define VBT_NO_SUMS ((struct vbt_sums){.smallest = UINT64_MAX})

void vbt_sums_add(struct vbt_sums *sums, const struct vbt_sums *other);

/* Makes one row per place. line_of: each node's site, one of the two arrays of struct
 * vbt_attribution; counts: for each node, whether it counts; users: line_of is the array of user
 * lines, so that of inlined functions the innermost that is the user's own is used. */
void vbt_lines_build(struct vbt_lines *lines, const struct vbt_model *model, struct vbt_places *places, const uint32_t *line_of,
                     const bool *counts, bool users);
/* The lines that allocated what is VBT_OUTSIDE when it is attributed to the user's lines, each
 * itself. user, leaf: by node, as above. */
void vbt_lines_build_outside(struct vbt_lines *lines, const struct vbt_model *model, struct vbt_places *places,
                             const uint32_t *user, const uint32_t *leaf, const bool *counts);
void vbt_lines_free(struct vbt_lines *lines);

/* The sum of all rows. */
struct vbt_sums vbt_lines_total(const struct vbt_lines *lines);

/* Sorts by a key of vbt_line_keys, largest first; "file": by file and line. False if there is no
 * such key. The order of equal rows depends on nothing but their content. */
bool vbt_lines_sort(struct vbt_lines *lines, const char *key);
extern const char *const vbt_line_keys[];

/* Keeps the rows whose file or function contains the texts of a filter. */
void vbt_lines_filter(struct vbt_lines *lines, const struct vbt_filter *filter);

#endif
