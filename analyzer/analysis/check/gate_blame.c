/* See gate_blame.h. */
#include "gate_blame.h"

#include "gate_rows.h"
#include "analyzer/analysis/compare/compare_judge.h"
#include "analyzer/base/allocate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A line's part of what is compared. */
static double part_of(const struct vbt_comparison *c, const struct vbt_limit *limit, const struct vbt_values *values, size_t row) {
    const struct vbt_delta delta = vbt_delta_of(values, row, (size_t)vbt_limit_kind(limit), c->old.run_count);
    return limit->growth ? vbt_delta_difference(&delta) : vbt_delta_new(&delta);
}

/* Keeps the lines with the most, in order; from below, those with the least. */
static void consider(struct vbt_gate_result *r, uint32_t pair, double amount) {
    bool below =
        r->limit->op == VBT_AT_LEAST || r->limit->op == VBT_ABOVE || (r->limit->op == VBT_EQUAL && r->is < r->limit->value);
    double weight = below && r->limit->growth ? -amount : amount;
    size_t at = r->line_count;
    if (weight <= 0)
        return;
    while (at > 0 && weight > fabs(r->lines[at - 1].amount))
        at--;
    if (at == VBT_BLAMED_LINES)
        return;
    r->line_count += r->line_count < VBT_BLAMED_LINES;
    memmove(&r->lines[at + 1 < r->line_count ? at + 1 : at], &r->lines[at], (r->line_count - at - 1) * sizeof r->lines[0]);
    r->lines[at].pair = pair;
    r->lines[at].amount = amount;
}

/* The path to a line that has most of what is compared, with all that it called. */
static void find_path(struct vbt_gate_result *r, const struct vbt_comparison *c, uint32_t pair) {
    struct vbt_values sums;
    uint32_t best = 0;
    double most = 0;
    bool growth = r->limit->growth && c->old.path_count > 1;
    vbt_compared_sums(&sums, c);
    for (uint32_t i = 1; i < c->path_count; i++) {
        if (c->paths[i].place != pair)
            continue;
        const struct vbt_delta delta = vbt_delta_of(&sums, i, (size_t)vbt_limit_kind(r->limit), c->old.run_count);
        double amount = fabs(growth ? vbt_delta_difference(&delta) : vbt_delta_new(&delta));
        if (amount > most) {
            most = amount;
            best = i;
        }
    }
    vbt_values_free(&sums);
    for (uint32_t at = best; at != 0 && r->path_length < VBT_BLAMED_FRAMES; at = c->paths[at].parent)
        r->path[r->path_length++] = c->paths[at].place;
    for (size_t i = 0; i < r->path_length / 2; i++) {
        uint32_t other = r->path[r->path_length - 1 - i];
        r->path[r->path_length - 1 - i] = r->path[i];
        r->path[i] = other;
    }
}

void vbt_gate_blame(struct vbt_gate_result *r, const struct vbt_comparison *c) {
    bool own = r->limit->growth && c->old.path_count <= 1; /* a text has only the user's own lines */
    if (vbt_limit_kind(r->limit) < 0)
        return;
    for (uint32_t i = 1; i <= c->matching.places.count; i++)
        if (vbt_limit_has_line(c, r->limit, i) && (!own || vbt_pair_function(c, vbt_pair_function_of(c, i))->user))
            consider(r, i, part_of(c, r->limit, &c->lines, i));
    if (r->line_count > 0)
        find_path(r, c, r->lines[0].pair);
}
