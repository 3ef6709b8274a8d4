/* Which libraries a process had, for comparing environments. */
#ifndef VBT_COMPARE_LIBRARIES_H
#define VBT_COMPARE_LIBRARIES_H

#include "analyzer/trace/model.h"

/* Lines of "name build-id" of the libraries that the trace names, each once, sorted: without the
 * program, and what lies below its folder or the working directory. For the caller to free; NULL:
 * there are none. */
char *vbt_libraries_of(const struct vbt_model *model);

/* "libjemalloc.so.2", the allocator that takes the place of the C library's; for the caller to
 * free; NULL: none is known. */
char *vbt_allocator_of(const struct vbt_model *model);

#endif
