/* Which differences say something.
 *
 * With several runs a side, a number that is the same in all runs of each side is exact: a
 * difference of one counts. One that is not is noisy: its difference counts if a permutation test
 * of the runs says so, corrected for the number of noisy numbers in the table by the method of
 * Benjamini and Hochberg, and if it is large enough to matter. With one run a side nothing is known
 * of noise, and every difference counts, but for those of time and of resident sets. */
#ifndef VBT_COMPARE_JUDGE_H
#define VBT_COMPARE_JUDGE_H

#include "compare_values.h"

#include <stdbool.h>

/* A number on both sides: sums over the runs, whose means are compared. */
struct vbt_delta {
    int64_t old_sum, new_sum;
    size_t old_runs, new_runs;
    bool noisy; /* not the same in all runs of a side */
};

struct vbt_delta vbt_delta_of(const struct vbt_values *values, size_t row, size_t kind, size_t old_runs);

/* Means, and new less old. They are whole where every run has the same. */
double vbt_delta_old(const struct vbt_delta *change);
double vbt_delta_new(const struct vbt_delta *change);
double vbt_delta_difference(const struct vbt_delta *change);

/* The smallest difference of noisy numbers that matters: both of a share of the larger side, and of
 * bytes or a count. */
struct vbt_least_effect {
    double share;
    int64_t bytes, count;
};

#define VBT_LEAST_EFFECT ((struct vbt_least_effect){0.01, 128, 2})

enum { VBT_SIGNIFICANT_PERCENT = 5 };

/* Of each row a bit for each kind. */
struct vbt_judgement {
    uint16_t *counts; /* it is different, and that says something */
    uint16_t *noisy;
    float *p;     /* by row and kind: of noisy numbers that differ, corrected; else 0; NULL: there are none */
    size_t tests; /* how many there are */
};

/* bytes: the kinds that are bytes; never_exact: those that vary by themselves, even where two runs
 * happen to have the same. Bits. */
void vbt_judge(struct vbt_judgement *judgement, const struct vbt_values *values, size_t old_runs,
               const struct vbt_least_effect *least, unsigned bytes, unsigned never_exact);
void vbt_judgement_free(struct vbt_judgement *judgement);

/* Exact tests of whether two groups of runs differ, by all ways in which the runs could be divided;
 * of many runs Mann and Whitney's. The probability that chance alone makes them as different as
 * they are, from either side. */
double vbt_permutation_p(const int64_t *old, size_t old_count, const int64_t *new, size_t new_count);
double vbt_rank_p(const int64_t *old, size_t old_count, const int64_t *new, size_t new_count);

/* Corrects probabilities for their number. */
void vbt_correct_p(double *p, size_t count);

/* How many runs a side, of both, are needed that a single noisy number can be told to differ. */
enum { VBT_RUNS_TO_TELL = 4 };

#endif
