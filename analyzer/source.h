/* Lines of source files, for the reports. */
#ifndef VBT_SOURCE_H
#define VBT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_sources;

/* folder: where relative file names start, or NULL; started_ns: when the trace began, ns since 1970, or 0. */
struct vbt_sources *vbt_sources_new(const char *folder, int64_t started_ns);
void vbt_sources_free(struct vbt_sources *sources);

/* Line number `line` (from 1) without its line end: *size bytes, not terminated; NULL where file or line cannot be had. */
const char *vbt_source_line(struct vbt_sources *sources, const char *file, int64_t line, size_t *size);

/* Files that a line was asked of and that were changed after the trace began; NULL at the end. */
const char *vbt_sources_changed(const struct vbt_sources *sources, size_t number);

#endif
