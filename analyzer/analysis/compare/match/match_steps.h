/* The steps of compare_match.h, in their order. Each pairs what it can, and leaves the rest. */
#ifndef VBT_MATCH_STEPS_H
#define VBT_MATCH_STEPS_H

#include "compare_match.h"

/* Pairs two ids that have no pair. */
void vbt_pair_add(struct vbt_pairs *pairs, uint32_t old, uint32_t new);

void vbt_match_files(struct vbt_matching *matching);
void vbt_match_functions(struct vbt_matching *matching);
void vbt_match_lines(struct vbt_matching *matching);

/* What the lines of functions say, to compare functions by. */
struct vbt_bodies {
    struct vbt_body {
        const uint64_t *lines; /* a hash of each line's text, in ascending order */
        size_t count;
        uint64_t whole; /* of all lines in the order of the source */
        bool known;     /* there is a line, and the text of all is to be had */
    } * of;             /* by function */
    uint64_t *hashes;
};

/* In texts the function's own name does not count. */
void vbt_bodies_get(struct vbt_bodies *bodies, const struct vbt_compared_places *places);
void vbt_bodies_free(struct vbt_bodies *bodies);

/* How many lines of two functions say the same. */
size_t vbt_bodies_common(const struct vbt_body *a, const struct vbt_body *b);

/* Are two names the same but for their digits, as libfoo.so.1.2 and libfoo.so.1.10 are? */
bool vbt_same_but_version(const char *a, const char *b);

/* Do two texts have half of their words in common? */
bool vbt_texts_alike(const char *a, const char *b);

/* The places of each function in the order of their lines: those of function f are rows at[f] to
 * at[f + 1] - 1. */
struct vbt_function_lines {
    uint32_t *rows, *at;
};

void vbt_function_lines_get(struct vbt_function_lines *lines, const struct vbt_compared_places *places);
void vbt_function_lines_free(struct vbt_function_lines *lines);

#endif
