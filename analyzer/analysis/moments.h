/* Moments of a run, as --from, --to and --at name them, and the part of the run between two. */
#ifndef VBT_MOMENTS_H
#define VBT_MOMENTS_H

#include "query.h"
#include "analyzer/merge/load_several.h"

#include <stdbool.h>

/* Can this be a moment of some run? Returns NULL, or a phrase that says what was expected, for the
 * caller to free. */
char *vbt_moment_wrong(const char *text);

/* Does the query ask for a part of the run? */
bool vbt_query_asks_part(const struct vbt_query *query);

/* Finds the part of a trace that a query asks for: from its newest state at --from or before, to
 * the newest at --to or before. whole: the run of several processes, of which it is one; NULL:
 * it is the only one. Returns NULL, or why there is none, for the caller to free. */
char *vbt_window_find(struct vbt_window *window, const struct vbt_query *query, const char *path, const struct vbt_span *whole);

/* A sentence on which part of the run a view shows, for the caller to free; NULL: the whole run. */
char *vbt_part_text(const struct vbt_model *model, const struct vbt_query *query);

/* Why what the query asks for is not known of the part that was loaded, for the caller to free;
 * NULL if it is. */
char *vbt_part_refusal(const struct vbt_model *model, const struct vbt_query *query);

#endif
