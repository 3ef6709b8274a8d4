/* Which call stacks count: --filter, given once or more often; all that were given must hold.
 *
 *     FIELD=REGEX    some frame of the stack has a function, file or module that matches (POSIX extended, anywhere in the text)
 *     FIELD!=REGEX   no frame has one
 *     TEXT           some frame's function, file or module contains TEXT; tables of lines, functions and intervals look at the row
 *
 * The field "domain" is heap, python or map: which allocator served the request. Mapped memory counts only where it is asked for:
 * it is where the other two get theirs from. */
#ifndef VBT_FILTER_H
#define VBT_FILTER_H

#include "query.h"
#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_filter;

/* NULL, or what is wrong with one filter, as a sentence for the caller to free. */
char *vbt_filter_wrong(const char *text);

/* The filters of a command line, each of which was found right. */
struct vbt_filter *vbt_filter_new(const struct vbt_query *query);
void vbt_filter_free(struct vbt_filter *filter);

/* By node, whether its counters count. The caller frees it. */
bool *vbt_filter_nodes(const struct vbt_filter *filter, const struct vbt_model *model, struct vbt_places *places);

/* Whether a row of a table holds every TEXT in its file, function or further text (NULL: none). */
bool vbt_filter_row(const struct vbt_filter *filter, const struct vbt_source_place *place, const struct vbt_source_place *other,
                    const char *text);

/* Whether these places, taken as a call stack, pass. */
bool vbt_filter_places(const struct vbt_filter *filter, const struct vbt_source_place *const *places, size_t count);

#endif
