/* What was counted at a node of the call tree. A trace may have millions of such rows, and nearly
 * all numbers in them are small: they are packed, and unpacked when they are asked for. */
#ifndef VBT_COUNTERS_H
#define VBT_COUNTERS_H

#include "model.h"

struct vbt_model_counters {
    uint64_t allocs, allocated, temporary;
    uint64_t smallest, largest;
    uint64_t inherited_blocks, inherited_bytes;
    int64_t live_blocks, live_bytes, at_peak_bytes;
    int64_t start_blocks, start_bytes; /* live at the beginning: the inherited ones; of a part of a run, what was live there */
    uint64_t time;                     /* of the chunk it came from */
    uint64_t max_rss_kib;
    bool without_inherited;              /* of a merged trace: no inherited block is in what is live */
    const struct vbt_model_sizes *sizes; /* only if loaded with sizes; NULL: all are in the bucket of `smallest` */
};

/* The newest row of a node, all 0 if nothing was counted there. Nodes last written before the
 * newest peak have not changed since: what is live at them was live at the peak. */
struct vbt_model_counters vbt_counters_of(const struct vbt_model *model, size_t node);

/* at_peak_bytes of the same. */
int64_t vbt_counters_at_peak(const struct vbt_model *model, size_t node);

/* Adds what was counted elsewhere to it, but for the histogram. */
void vbt_counters_add(struct vbt_model_counters *to, const struct vbt_model_counters *more);

/* Empty counters for a model that is about to be loaded; freed by vbt_model_forget_paths. */
void vbt_counters_begin(struct vbt_model *model);

/* Rows that follow have this time. rss_kib: about what most of them have as max_rss_kib. */
void vbt_counters_begin_chunk(struct vbt_model *model, uint64_t time, uint64_t rss_kib);

/* Replaces a node's row; `time` and `sizes` of the row are not used. False if there is no room for
 * it. */
bool vbt_counters_put(struct vbt_model *model, uint32_t node, const struct vbt_model_counters *row);

/* Replaces a node's histogram, if the model is loaded with sizes. The node has a row. Returns where
 * to write `count` buckets; NULL: nowhere. */
struct vbt_model_bucket *vbt_counters_put_sizes(struct vbt_model *model, uint32_t node, uint32_t count);

/* Drops rows that were replaced, if they are many. */
void vbt_counters_tidy(struct vbt_model *model);

/* A part of a run begins here: rows are kept as they are now, before others replace them. */
void vbt_counters_keep(struct vbt_model *model);

/* And it ends here: of all rows, what was kept is subtracted. Histograms too; the smallest and the
 * largest request remain where they are still known. */
void vbt_counters_subtract(struct vbt_model *model);

/* Back to the start of the run: only what was inherited is there. Returns how many bytes of the
 * heap and Python domains that is. */
int64_t vbt_counters_rewind(struct vbt_model *model);

void vbt_counters_forget_base(struct vbt_model *model);

/* What is live less what was live at the beginning. */
static inline int64_t vbt_counters_grown(int64_t live, int64_t start) { return (int64_t)((uint64_t)live - (uint64_t)start); }

/* Are the smallest and the largest request since the beginning known? */
static inline bool vbt_counters_know_sizes(const struct vbt_model_counters *c) { return c->largest > 0 || c->allocated == 0; }

static inline uint64_t vbt_model_frees(const struct vbt_model_counters *c) {
    return (uint64_t)c->start_blocks + c->allocs - (uint64_t)c->live_blocks;
}

static inline uint64_t vbt_model_freed(const struct vbt_model_counters *c) {
    return (uint64_t)c->start_bytes + c->allocated - (uint64_t)c->live_bytes;
}

#endif
