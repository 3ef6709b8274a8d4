/* The gate: which limits hold, and what made the others fail. */
#ifndef VBT_GATE_H
#define VBT_GATE_H

#include "environment.h"
#include "limit.h"
#include "analyzer/analysis/compare/comparison.h"

enum { VBT_BLAMED_LINES = 3, VBT_BLAMED_FRAMES = 32 };

struct vbt_gate_result {
    const struct vbt_limit *limit;
    bool holds;
    bool absent;      /* there is no such section, so that nothing can be said; it does not hold */
    bool no_baseline; /* nor can it, without one */
    bool noisy;       /* the number varies from run to run */
    size_t matched;   /* rows that the scope names */
    double old, now;  /* the number itself, of the baseline and now: means over runs, or the worst run of a plain limit */
    double is;        /* what is compared: now, or its difference to the baseline */
    double allowed;   /* and with what, tolerance and noise included */
    struct {
        uint32_t pair;
        double amount; /* its part of what is compared */
    } lines[VBT_BLAMED_LINES];
    size_t line_count;
    uint32_t path[VBT_BLAMED_FRAMES]; /* the call path that has most of it, outermost first: pairs of places */
    size_t path_length;
};

struct vbt_gate {
    const struct vbt_comparison *comparison;
    bool has_baseline;
    struct vbt_gate_result *results;
    size_t count, failed;
    struct vbt_unlikes unlikes;
    size_t refused; /* of these, those that are not allowed */
    bool planted;   /* a self-test: all limits are expected to fail */
};

/* Checks limits. With a baseline, the comparison's old side is it; without, that has no runs. The
 * comparison and the limits must live longer. planted: not the numbers as they are, but as if what
 * is limited had become twice as much and more (of a limit from below, nothing): each limit should
 * fail then. */
void vbt_gate_check(struct vbt_gate *gate, const struct vbt_comparison *comparison, const struct vbt_limit *limits, size_t count,
                    bool has_baseline, const char *allow, bool planted);
/* There is no baseline of this name: nothing holds. */
#define VBT_NO_BASELINE "baseline"
void vbt_gate_miss(struct vbt_gate *gate, const char *path);

void vbt_gate_free(struct vbt_gate *gate);

/* Does everything hold? */
bool vbt_gate_holds(const struct vbt_gate *gate);

#endif
