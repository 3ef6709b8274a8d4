/* Which call stacks count: --filter, given once or several times; all conditions must hold.
 *
 *     FIELD=REGEX    a frame of the stack has a function, file or module that matches REGEX
 *                    (POSIX extended, anywhere in the text)
 *     FIELD!=REGEX   no frame has one
 *     TEXT           a frame's function, file or module contains TEXT; in tables of lines,
 *                    functions and intervals: the row does
 *
 * The fields process (as "worker.py (4711)"), program, rank and host choose whole processes.
 *
 * The field "domain" is heap, python or map: the allocator that served the request. Mapped memory
 * counts only if a filter asks for it, because heap and Python take their memory from it. */
#ifndef VBT_FILTER_H
#define VBT_FILTER_H

#include "query.h"
#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_filter;

/* NULL, or what is wrong with one filter as a sentence, for the caller to free. */
char *vbt_filter_wrong(const char *text);

/* Compiles the filters of a query, all of which must be valid. */
struct vbt_filter *vbt_filter_new(const struct vbt_query *query);
void vbt_filter_free(struct vbt_filter *filter);

/* Does a process pass the conditions on processes? */
bool vbt_filter_process(struct vbt_filter *filter, const struct vbt_model *process);

/* For each node, whether its counters count. The caller frees the array. */
bool *vbt_filter_nodes(struct vbt_filter *filter, const struct vbt_model *model, struct vbt_places *places);

/* The number-th filter that leaves nothing out, FIELD!=REGEX where no stack with counters that was
 * seen has such a frame or domain; NULL after the last. */
const char *vbt_filter_idle(const struct vbt_filter *filter, size_t number);

/* Does a row of a table contain every TEXT in its file, function or further text (NULL: none)? */
bool vbt_filter_row(const struct vbt_filter *filter, const struct vbt_source_place *place, const struct vbt_source_place *other,
                    const char *text);

/* Is there a condition on call stacks, or one on domains? */
bool vbt_filter_selects_stacks(const struct vbt_filter *filter);
bool vbt_filter_selects_domains(const struct vbt_filter *filter);

/* Do these places, taken as a call stack, pass the filter? */
bool vbt_filter_places(struct vbt_filter *filter, const struct vbt_source_place *const *places, size_t count);

#endif
