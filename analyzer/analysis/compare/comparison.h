/* Two sides laid over each other: for each line, function, call path, module and section what each
 * run of both sides counted. In all tables the runs of the old side come first.
 *
 * The rows of lines, functions, call paths and modules each add up to the totals, run by run; so
 * their differences add up to the difference of the totals. */
#ifndef VBT_COMPARISON_H
#define VBT_COMPARISON_H

#include "match/compare_match.h"
#include "compare_side.h"

/* What is known of runs as wholes, and does not add up. */
enum vbt_whole_number { VBT_W_PEAK, VBT_W_RSS, VBT_W_TIME, VBT_W_THREADS, VBT_W_PROCESSES, VBT_W_NUMBERS };

struct vbt_comparison {
    struct vbt_side old, new;
    struct vbt_matching matching;
    struct vbt_values totals;        /* one row */
    struct vbt_values lines;         /* by pair of places */
    struct vbt_values functions;     /* by pair of functions, what they asked for themselves; row 0: without a call stack */
    struct vbt_values with_called;   /* likewise, with all that they called */
    struct vbt_compared_path *paths; /* the place of each is a pair; row 0 is the root */
    size_t path_count, path_capacity;
    struct vbt_values path_values; /* what was counted at the path itself */
    struct vbt_values whole;       /* one row: bytes, and ns */
    struct vbt_pairs modules;
    struct vbt_values module_values;
    struct vbt_pairs sections; /* ids are 1 more than the rows of a side */
    struct vbt_values section_values;
};

/* Both sides are complete; they belong to the comparison from now on, and are left empty. */
void vbt_compare(struct vbt_comparison *comparison, struct vbt_side *old, struct vbt_side *new);
void vbt_comparison_free(struct vbt_comparison *comparison);

/* What a pair of places, or of functions, is called: by its new side, else by its old one. */
const struct vbt_compared_place *vbt_pair_place(const struct vbt_comparison *comparison, uint32_t pair);
const struct vbt_compared_function *vbt_pair_function(const struct vbt_comparison *comparison, uint32_t pair);
uint32_t vbt_pair_function_of(const struct vbt_comparison *comparison, uint32_t place_pair);

/* A run of either side, by its number in the tables. */
const struct vbt_compared_run *vbt_compared_run(const struct vbt_comparison *comparison, size_t run);

/* A function's file. */
const char *vbt_pair_file(const struct vbt_comparison *comparison, uint32_t function_pair);

/* The module and the section of a pair likewise. */
const char *vbt_pair_module(const struct vbt_comparison *comparison, uint32_t pair);
const struct vbt_compared_section *vbt_pair_section(const struct vbt_comparison *comparison, uint32_t pair);

/* What was counted at each call path and below it; to be freed with vbt_values_free. */
void vbt_compared_sums(struct vbt_values *sums, const struct vbt_comparison *comparison);

/* The first sum over a table that is not the total of its run, as a sentence for the caller to
 * free; NULL: all are. */
char *vbt_comparison_difference(const struct vbt_comparison *comparison);

#endif
