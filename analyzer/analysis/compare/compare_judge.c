/* See compare_judge.h. */
#include "compare_judge.h"

#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>

struct vbt_delta vbt_delta_of(const struct vbt_values *v, size_t row, size_t kind, size_t old_runs) {
    struct vbt_delta change = {.old_runs = old_runs, .new_runs = v->runs - old_runs};
    for (size_t run = 0; run < v->runs; run++) {
        int64_t value = vbt_values_of(v, row, run)[kind];
        int64_t *sum = run < old_runs ? &change.old_sum : &change.new_sum;
        size_t first = run < old_runs ? 0 : old_runs;
        *sum = (int64_t)((uint64_t)*sum + (uint64_t)value);
        change.noisy = change.noisy || value != vbt_values_of(v, row, first)[kind];
    }
    return change;
}

double vbt_delta_old(const struct vbt_delta *c) { return c->old_runs > 0 ? (double)c->old_sum / (double)c->old_runs : 0; }
double vbt_delta_new(const struct vbt_delta *c) { return c->new_runs > 0 ? (double)c->new_sum / (double)c->new_runs : 0; }

double vbt_delta_difference(const struct vbt_delta *c) {
    if (c->old_runs == c->new_runs && c->old_runs > 0) /* no digit is lost */
        return (double)((int64_t)((uint64_t)c->new_sum - (uint64_t)c->old_sum)) / (double)c->old_runs;
    return vbt_delta_new(c) - vbt_delta_old(c);
}

static void get_values(const struct vbt_values *v, size_t row, size_t kind, int64_t *values) {
    for (size_t run = 0; run < v->runs; run++)
        values[run] = vbt_values_of(v, row, run)[kind];
}

static bool is_large(const struct vbt_delta *c, const struct vbt_least_effect *least, bool bytes) {
    double old = fabs(vbt_delta_old(c)), new = fabs(vbt_delta_new(c)), effect = fabs(vbt_delta_difference(c));
    return effect >= least->share * (old > new ? old : new) && effect >= (double)(bytes ? least->bytes : least->count);
}

/* A noisy number that differs. */
struct test {
    size_t row, kind;
};

struct judging {
    struct vbt_judgement *judgement;
    const struct vbt_values *values;
    size_t old_runs;
    unsigned never_exact;
    struct test *tests;
    double *p;
    size_t test_capacity, p_capacity;
};

static void add_test(struct judging *j, size_t row, size_t kind) {
    int64_t *values = vbt_new(j->values->runs, sizeof *values);
    get_values(j->values, row, kind, values);
    size_t number = j->judgement->tests++;
    j->tests = vbt_grow(j->tests, &j->test_capacity, number + 1, sizeof *j->tests);
    j->p = vbt_grow(j->p, &j->p_capacity, number + 1, sizeof *j->p);
    j->tests[number] = (struct test){row, kind};
    j->p[number] = vbt_permutation_p(values, j->old_runs, values + j->old_runs, j->values->runs - j->old_runs);
    free(values);
}

/* Sorts a number: the same, exact, or to be tested. */
static void look_at(struct judging *j, size_t row, size_t kind) {
    const struct vbt_delta change = vbt_delta_of(j->values, row, kind, j->old_runs);
    uint16_t bit = (uint16_t)(1U << kind);
    bool varies = change.noisy || (j->never_exact & bit) != 0;
    if (varies)
        j->judgement->noisy[row] |= bit;
    if (vbt_delta_difference(&change) == 0)
        return;
    if (!varies)
        j->judgement->counts[row] |= bit;
    else if (j->values->runs > 2)
        add_test(j, row, kind);
}

void vbt_judge(struct vbt_judgement *judgement, const struct vbt_values *values, size_t old_runs,
               const struct vbt_least_effect *least, unsigned bytes, unsigned never_exact) {
    *judgement = (struct vbt_judgement){.counts = vbt_new(values->rows, sizeof *judgement->counts),
                                        .noisy = vbt_new(values->rows, sizeof *judgement->noisy)};
    struct judging j = {.judgement = judgement, .values = values, .old_runs = old_runs, .never_exact = never_exact};
    for (size_t row = 0; row < values->rows; row++)
        for (size_t kind = 0; kind < values->kinds; kind++)
            look_at(&j, row, kind);
    if (judgement->tests > 0) {
        judgement->p = vbt_new(values->rows * values->kinds, sizeof *judgement->p);
        vbt_correct_p(j.p, judgement->tests);
    }
    for (size_t i = 0; i < judgement->tests && j.tests != NULL; i++) {
        const struct test *test = &j.tests[i];
        const struct vbt_delta change = vbt_delta_of(values, test->row, test->kind, old_runs);
        judgement->p[test->row * values->kinds + test->kind] = (float)j.p[i];
        if (j.p[i] * 100 <= VBT_SIGNIFICANT_PERCENT && is_large(&change, least, (bytes >> test->kind & 1) != 0))
            judgement->counts[test->row] |= (uint16_t)(1U << test->kind);
    }
    free(j.tests);
    free(j.p);
}

void vbt_judgement_free(struct vbt_judgement *j) {
    free(j->counts);
    free(j->noisy);
    free(j->p);
}
