/* Code within code: comprehensions up to Python 3.11, generator expressions, lambdas and functions in functions are counted as functions
 * of their own. What belongs to which function is for each view to say. */
#ifndef VBT_LINE_FOLD_H
#define VBT_LINE_FOLD_H

#include "line_profile.h"

/* What comprehensions and generator expressions did themselves counts for the lines they stand in, if a function ran all of these; their
 * executions do not. */
void vbt_fold_costs(struct vbt_line_profile *profile);

/* The lines of comprehensions become lines of what they stand in, executions included, as from Python 3.12 on. The line that runs a
 * comprehension keeps what the other lines of it did not do. */
void vbt_fold_comprehensions(struct vbt_line_profile *profile);

/* All lines within a function become its lines: of functions with @profile, if there are any; else of those that are in no other. To
 * come after vbt_fold_comprehensions. */
void vbt_fold_nested(struct vbt_line_profile *profile, struct vbt_sources *sources);

#endif
