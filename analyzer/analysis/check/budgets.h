/* Limits that stand in the source, as comments at the lines that they limit:
 *
 *     rows.append(parse(line))  # vbtrace: allocs/iter <= 2, bytes <= 64*n
 *     def load(path):           # vbtrace: left == 0
 *
 * (in C, C++ and Rust after //). At the first line of a function they are of all that is charged to
 * its lines. */
#ifndef VBT_BUDGETS_H
#define VBT_BUDGETS_H

#include "limit.h"
#include "analyzer/analysis/compare/compare_side.h"

#include <stddef.h>

struct vbt_budgets {
    struct vbt_limit *rows;
    size_t count, capacity;
};

/* Finds the limits at the lines of a side. Returns NULL, or what is wrong with one as a sentence
 * that names the line, for the caller to free. The budgets must be freed in both cases, before the
 * side. */
char *vbt_budgets_find(struct vbt_budgets *budgets, const struct vbt_side *side);
void vbt_budgets_free(struct vbt_budgets *budgets);

/* Where the limits of a line begin; NULL: there are none. */
const char *vbt_budget_in(const char *source, size_t size);

#endif
