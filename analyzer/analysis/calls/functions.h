/* What every function allocates itself, and together with everything it calls. */
#ifndef VBT_FUNCTIONS_H
#define VBT_FUNCTIONS_H

#include "call_tree.h"

struct vbt_function {
    const struct vbt_source_place *place;
    int64_t self[VBT_MEASURES];       /* where it was the innermost frame */
    int64_t cumulative[VBT_MEASURES]; /* of all call stacks with it, each counted once even if it recurs */
};

struct vbt_functions {
    struct vbt_function *rows;
    size_t count;
};

/* One row per place of the tree, which must live longer and may have groups only if it has no
 * calls. The self counts of all rows add up to the tree's root. Takes time in proportion to the
 * number of calls, however deep they nest. */
void vbt_functions_build(struct vbt_functions *functions, struct vbt_call_tree *tree);
void vbt_functions_free(struct vbt_functions *functions);

/* Sorts by one of vbt_function_keys, largest first: a measure of vbt_measure_names, "cum-" and a
 * measure, or "file". */
void vbt_functions_sort(struct vbt_functions *functions, const char *key);
extern const char *const vbt_function_keys[];

/* Do the first rows say nothing of the program? All allocations of its language go through one
 * function, such as C++'s operator new, so that the user's own allocate nothing themselves. */
bool vbt_functions_say_little(const struct vbt_functions *functions);

/* Sorts by "cum-bytes", but the user's own functions before all others; if the source of any is
 * known, those. */
void vbt_functions_sort_users(struct vbt_functions *functions);

/* The measure that a key sorts by; bytes for "file". */
enum vbt_measure vbt_function_measure(const char *key);

/* Keeps the rows whose file or name contains the texts of a filter. */
void vbt_functions_filter(struct vbt_functions *functions, const struct vbt_filter *filter);

#endif
