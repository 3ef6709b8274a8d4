/* See folding.h. */
#include "folding.h"

#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>

/* What is counted in the children of each call that are not kept. */
static void find_rest(struct vbt_folding *f, const struct vbt_call_tree *tree, enum vbt_measure measure) {
    const int64_t *sums = tree->sums[measure];
    for (uint32_t i = 0; i < tree->count; i++)
        f->rest[i] = (int64_t)((uint64_t)sums[i] - (uint64_t)vbt_call_self_of(tree, i, measure));
    for (uint32_t i = 1; i < tree->count; i++)
        if (vbt_call_is_kept(tree, i))
            f->rest[tree->calls[i].parent] = (int64_t)((uint64_t)f->rest[tree->calls[i].parent] - (uint64_t)sums[i]);
}

/* How many frames are written. */
static uint64_t frames_of(const struct vbt_folding *f, const struct vbt_call_tree *tree, enum vbt_measure measure) {
    uint64_t frames = 0;
    for (uint32_t i = 0; i < tree->count; i++) {
        if (!vbt_call_is_kept(tree, i))
            continue;
        frames += vbt_call_self_of(tree, i, measure) > 0 ? tree->calls[i].depth : 0;
        frames += f->rest[i] > 0 ? (uint64_t)tree->calls[i].depth + 1 : 0;
    }
    return frames;
}

/* Keeps so many calls. Returns how many frames are written then. */
static uint64_t keep(struct vbt_folding *f, struct vbt_call_tree *tree, enum vbt_measure measure, size_t most, size_t *kept) {
    *kept = vbt_call_tree_sort_largest(tree, measure, 1, most, UINT32_MAX);
    find_rest(f, tree, measure);
    return frames_of(f, tree, measure);
}

/* Keeps about as many calls as may be. */
static size_t choose(struct vbt_folding *f, struct vbt_call_tree *tree, enum vbt_measure measure, uint64_t most_frames) {
    enum { REFINEMENTS = 4 };
    size_t kept, many;
    uint64_t frames = keep(f, tree, measure, tree->count, &kept);
    for (many = kept; frames > most_frames && kept > 0;) {
        double share = (double)most_frames / (double)frames;
        many = kept;
        frames = keep(f, tree, measure, (size_t)((double)kept * (share > .5 ? .9 * share : share > .01 ? share : .01)), &kept);
    }
    size_t few = kept;
    for (int i = 0; i < REFINEMENTS && few + 1 < many && frames < most_frames - most_frames / 4; i++) {
        frames = keep(f, tree, measure, (size_t)sqrt((double)few * (double)many), &kept);
        if (frames <= most_frames)
            few = kept;
        else
            many = kept;
    }
    if (frames > most_frames && kept > 0)
        keep(f, tree, measure, few, &kept);
    return kept;
}

void vbt_folding_begin(struct vbt_folding *f, struct vbt_call_tree *tree, enum vbt_measure measure, uint64_t most_frames) {
    *f = (struct vbt_folding){.rest = vbt_new(tree->count, sizeof *f->rest)};
    const int64_t *sums = vbt_call_tree_sum(tree, measure);
    for (uint32_t i = 1; i < tree->count; i++)
        f->folded += sums[i] > 0;
    f->folded -= choose(f, tree, measure, most_frames);
    for (uint32_t i = 1; i < tree->count && f->folded > 0; i++)
        if (sums[i] >= f->least && sums[i] > 0 && !vbt_call_is_kept(tree, i))
            f->least = sums[i] + 1;
}

void vbt_folding_end(struct vbt_folding *f) { free(f->rest); }
