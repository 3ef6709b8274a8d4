/* Which code of the old side is which of the new one.
 *
 * Files are paired by their paths; what is left, by the ends of their paths ("json/decoder.py" of
 * another Python), as the program itself, or by names that differ in a version only. Functions are
 * paired by file and name; what is left, by what their lines say, so that renamed functions and
 * those that went to another file are found. Lines of paired functions are paired by what they say,
 * in order, so that lines that only moved are the same; of what is left, lines after the same
 * neighbour that have half of their words in common are taken as edited. Without its text a line is
 * known by its distance from the beginning of its function. */
#ifndef VBT_COMPARE_MATCH_H
#define VBT_COMPARE_MATCH_H

#include "compare_places.h"

/* Ids of one thing on both sides; 0: it is not there. */
struct vbt_pair {
    uint32_t old, new;
};

struct vbt_pairs {
    struct vbt_pair *rows; /* 1 to count: first what is on both sides, in order of the new ids */
    size_t count, capacity;
    uint32_t *of_old, *of_new; /* the pair of an id */
};

struct vbt_matching {
    const struct vbt_compared_places *old, *new;
    struct vbt_pairs files, functions, places;
};

/* The places must live longer. */
void vbt_match(struct vbt_matching *matching, const struct vbt_compared_places *old, const struct vbt_compared_places *new);
void vbt_matching_free(struct vbt_matching *matching);

#endif
