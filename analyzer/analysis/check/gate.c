/* See gate.h. */
#include "gate.h"

#include "gate_blame.h"
#include "gate_rows.h"
#include "analyzer/analysis/compare/compare_judge.h"
#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>

/* Of some runs. */
struct spread {
    double least, most, mean;
};

static struct spread spread_of(const double *values, size_t count) {
    struct spread s = {.least = INFINITY, .most = -INFINITY};
    for (size_t i = 0; i < count; i++) {
        s.least = fmin(s.least, values[i]);
        s.most = fmax(s.most, values[i]);
        s.mean += values[i] / (double)count;
    }
    return count > 0 ? s : (struct spread){0};
}

static double amount_of_noise(const struct vbt_limit *limit, const struct spread *old) {
    const struct vbt_least_effect least = VBT_LEAST_EFFECT;
    double floor = vbt_limit_unit_of(limit->quantity) == VBT_LIMIT_SIZE ? (double)least.bytes : (double)least.count;
    return fmax(least.share * fabs(old->mean), floor);
}

/* How far a noisy difference may go: beyond the range of the baseline by as much again, and by what
 * is too little to matter. */
static double slack_of(const struct vbt_limit *limit, const struct spread *old, const struct spread *now) {
    double range = fmax(old->most - old->least, now->most - now->least);
    return range > 0 ? 1.5 * range + amount_of_noise(limit, old) : 0;
}

static bool is_beyond(const struct vbt_limit *limit, double is, double value, double slack) {
    switch (limit->op) {
    case VBT_AT_MOST:
        return is > value + slack;
    case VBT_BELOW:
        return is >= value + slack;
    case VBT_AT_LEAST:
        return is < value - slack;
    case VBT_ABOVE:
        return is <= value - slack;
    default:
        return fabs(is - value) > slack;
    }
}

/* Fills in what a limit compares, and whether it holds. old_runs: 0 without a baseline. */
static void compare(struct vbt_gate_result *r, const struct vbt_limit_values *v, size_t old_runs, size_t runs) {
    const struct vbt_limit *limit = r->limit;
    const struct spread old = spread_of(v->of, old_runs), now = spread_of(v->of + old_runs, runs - old_runs);
    double worst = limit->op == VBT_AT_LEAST || limit->op == VBT_ABOVE ? now.least : now.most;
    bool far_below = limit->op == VBT_EQUAL && fabs(now.least - limit->value) > fabs(now.most - limit->value);
    r->old = old.mean;
    r->now = limit->growth ? now.mean : far_below ? now.least : worst;
    r->is = limit->growth ? now.mean - old.mean : r->now;
    r->noisy = old.least != old.most || now.least != now.most;
    double value = limit->percent ? limit->value / 100 * fabs(old.mean) : limit->value + limit->times_n * v->n;
    double reference = limit->growth ? fabs(old.mean) : fabs(value);
    double slack = fmax(limit->tolerance_percent / 100 * reference, limit->tolerance_amount);
    if (limit->growth)
        slack = fmax(slack, slack_of(limit, &old, &now));
    r->allowed = limit->op == VBT_AT_LEAST || limit->op == VBT_ABOVE ? value - slack : value + slack;
    bool needs_n = limit->times_n != 0 || (limit->each && limit->scope != VBT_LIMIT_SECTION);
    r->absent =
        (limit->scope == VBT_LIMIT_SECTION && v->matched == 0) || (needs_n && v->n == 0) || (limit->growth && old_runs == 0);
    r->no_baseline = limit->growth && old_runs == 0;
    r->holds = !r->absent && !is_beyond(limit, r->is, value, slack);
}

/* A regression: what is limited from above becomes twice as much and more, what is limited from
 * below nothing. */
static void plant(const struct vbt_limit *limit, struct vbt_limit_values *v, size_t old_runs, size_t runs) {
    bool below = limit->op == VBT_AT_LEAST || limit->op == VBT_ABOVE;
    double more = vbt_limit_unit_of(limit->quantity) == VBT_LIMIT_COUNT ? 1 : 4096;
    for (size_t run = old_runs; run < runs; run++)
        v->of[run] = below ? 0 : 2 * v->of[run] + more;
}

void vbt_gate_check(struct vbt_gate *gate, const struct vbt_comparison *c, const struct vbt_limit *limits, size_t count,
                    bool has_baseline, const char *allow, bool planted) {
    *gate = (struct vbt_gate){.comparison = c,
                              .has_baseline = has_baseline,
                              .results = vbt_new(count, sizeof *gate->results),
                              .count = count,
                              .planted = planted};
    if (has_baseline)
        vbt_environment_compare(&gate->unlikes, &c->old, &c->new, allow);
    for (size_t i = 0; i < gate->unlikes.count; i++)
        gate->refused += !gate->unlikes.rows[i].allowed;
    for (size_t i = 0; i < count; i++) {
        struct vbt_gate_result *result = &gate->results[i];
        struct vbt_limit_values values;
        result->limit = &limits[i];
        vbt_limit_values_get(&values, c, &limits[i]);
        result->matched = values.matched;
        if (planted)
            plant(&limits[i], &values, c->old.run_count, c->totals.runs);
        compare(result, &values, c->old.run_count, c->totals.runs);
        free(values.of);
        if (!result->holds && !result->absent && !planted)
            vbt_gate_blame(result, c);
        gate->failed += !result->holds;
    }
}

void vbt_gate_miss(struct vbt_gate *gate, const char *path) {
    struct vbt_unlikes *u = &gate->unlikes;
    u->rows = vbt_grow(u->rows, &u->capacity, u->count + 1, sizeof *u->rows);
    u->rows[u->count++] = (struct vbt_unlike){.fact = VBT_NO_BASELINE, .baseline = vbt_text("%s", path), .now = vbt_text("none")};
    gate->refused++;
}

void vbt_gate_free(struct vbt_gate *gate) {
    free(gate->results);
    vbt_unlikes_free(&gate->unlikes);
}

bool vbt_gate_holds(const struct vbt_gate *gate) { return gate->failed == 0 && gate->refused == 0; }
