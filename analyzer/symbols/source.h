/* Reads lines of source files, for the reports. */
#ifndef VBT_SOURCE_H
#define VBT_SOURCE_H

#include "places.h"
#include "analyzer/trace/model.h"

struct vbt_sources;

/* Lines come from files, or, if the trace was symbolized, from the trace alone. The model must live
 * longer. */
struct vbt_sources *vbt_sources_new(const struct vbt_model *model);
void vbt_sources_free(struct vbt_sources *sources);

/* Line number `line` (from 1) without its line end: *size bytes, not zero-terminated; NULL if the
 * file or line is not available. */
const char *vbt_source_line(struct vbt_sources *sources, const char *file, int64_t line, size_t *size);

/* The line of a place. The text of `python -c` is that of the user's own code only: others' has the
 * same file, "<string>". */
const char *vbt_source_of_place(struct vbt_sources *sources, const struct vbt_source_place *place, size_t *size);

/* Was the file changed after the trace began? Only for files that a line was read of. */
bool vbt_source_changed(const struct vbt_sources *sources, const char *file);

/* A sentence on the number-th file that a line was read of and that was changed after the trace
 * began, for the caller to free; NULL after the last. */
char *vbt_sources_trouble(const struct vbt_sources *sources, size_t number);

#endif
