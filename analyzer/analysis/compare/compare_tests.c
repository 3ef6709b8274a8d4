/* The statistics of compare_judge.h. */
#include "compare_judge.h"

#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>

/* More divisions than this are not tried one by one. */
enum { MOST_DIVISIONS = 20000 };

/* How many ways there are to choose `chosen` of `count`; more than MOST_DIVISIONS: some number
 * above it. */
static uint64_t divisions(size_t count, size_t chosen) {
    uint64_t ways = 1;
    for (size_t i = 1; i <= chosen && ways <= MOST_DIVISIONS; i++)
        ways = ways * (count - chosen + i) / i;
    return ways;
}

/* Moves to the next choice of places in ascending order. False after the last. */
static bool next_choice(size_t *places, size_t chosen, size_t count) {
    size_t i = chosen;
    while (i > 0 && places[i - 1] == count - chosen + i - 1)
        i--;
    if (i == 0)
        return false;
    places[i - 1]++;
    for (size_t k = i; k < chosen; k++)
        places[k] = places[k - 1] + 1;
    return true;
}

/* How far the mean of the chosen is from the mean of all, times the number of both: whole, so that
 * equal divisions are equal. */
static __int128 distance(const int64_t *values, size_t count, const size_t *places, size_t chosen, __int128 total) {
    __int128 sum = 0;
    for (size_t i = 0; i < chosen; i++)
        sum += values[places[i]];
    __int128 apart = sum * (__int128)count - total * (__int128)chosen;
    return apart < 0 ? -apart : apart;
}

double vbt_permutation_p(const int64_t *old, size_t old_count, const int64_t *new, size_t new_count) {
    size_t count = old_count + new_count;
    if (old_count == 0 || new_count == 0)
        return 1;
    if (divisions(count, old_count) > MOST_DIVISIONS)
        return vbt_rank_p(old, old_count, new, new_count);
    int64_t *values = vbt_new(count, sizeof *values);
    size_t *places = vbt_new(old_count, sizeof *places);
    __int128 total = 0;
    for (size_t i = 0; i < count; i++)
        total += values[i] = i < old_count ? old[i] : new[i - old_count];
    for (size_t i = 0; i < old_count; i++)
        places[i] = i;
    __int128 found = distance(values, count, places, old_count, total);
    uint64_t ways = 0, as_far = 0;
    do {
        ways++;
        as_far += distance(values, count, places, old_count, total) >= found;
    } while (next_choice(places, old_count, count));
    free(values);
    free(places);
    return (double)as_far / (double)ways;
}

struct ranked {
    int64_t value;
    bool old;
};

static int by_value(const void *left, const void *right) {
    const struct ranked *a = left, *b = right;
    return a->value < b->value ? -1 : a->value > b->value;
}

/* The normal approximation with the correction for ties and for continuity. */
double vbt_rank_p(const int64_t *old, size_t old_count, const int64_t *new, size_t new_count) {
    size_t count = old_count + new_count;
    struct ranked *all = vbt_new(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i] = (struct ranked){i < old_count ? old[i] : new[i - old_count], i < old_count};
    qsort(all, count, sizeof *all, by_value);
    double ranks = 0, ties = 0, n = (double)count, a = (double)old_count, b = (double)new_count;
    for (size_t i = 0, end; i < count; i = end) {
        size_t of_old = 0;
        for (end = i; end < count && all[end].value == all[i].value; end++)
            of_old += all[end].old;
        double equal = (double)(end - i);
        ranks += (double)of_old * ((double)(i + end + 1) / 2);
        ties += equal * equal * equal - equal;
    }
    free(all);
    double apart = fabs(ranks - a * (a + 1) / 2 - a * b / 2) - 0.5;
    double variance = a * b / 12 * (n + 1 - ties / (n * (n - 1)));
    if (variance <= 0 || apart <= 0)
        return 1;
    return erfc(apart / sqrt(variance) / sqrt(2));
}

struct ordered {
    double p;
    size_t at;
};

static int largest_first(const void *left, const void *right) {
    const struct ordered *a = left, *b = right;
    return a->p > b->p ? -1 : a->p < b->p;
}

/* Benjamini and Hochberg's: of the differences that are found, the given share is false at most. */
void vbt_correct_p(double *p, size_t count) {
    struct ordered *order = vbt_new(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = (struct ordered){p[i], i};
    if (count > 0)
        qsort(order, count, sizeof *order, largest_first);
    double least = 1;
    for (size_t i = 0; i < count; i++) {
        double corrected = order[i].p * (double)count / (double)(count - i);
        least = corrected < least ? corrected : least;
        p[order[i].at] = least;
    }
    free(order);
}
