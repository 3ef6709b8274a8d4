/* Code within code. Comprehensions up to Python 3.11, generator expressions, lambdas and nested
 * functions are counted as functions of their own. These functions merge them into what contains
 * them, as each view needs it. */
#ifndef VBT_LINE_FOLD_H
#define VBT_LINE_FOLD_H

#include "line_profile.h"

/* Adds the own costs of comprehensions and generator expressions to the lines they are written in,
 * if a single function executed all of these lines. executions: their hits, too, which are events
 * of these lines for sys.settrace. */
void vbt_fold_costs(struct vbt_line_profile *profile, bool executions);

/* Moves the lines of comprehensions, executions included, to the functions that contain them, as
 * from Python 3.12 on. The line that runs a comprehension keeps what the comprehension's other
 * lines did not do. */
void vbt_fold_comprehensions(struct vbt_line_profile *profile);

/* Moves all lines of nested functions to the outer function: to one with @profile if there are any,
 * else to one that is not nested itself. Call vbt_fold_comprehensions first. */
void vbt_fold_nested(struct vbt_line_profile *profile, struct vbt_sources *sources);

#endif
