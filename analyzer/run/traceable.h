/* Whether a library can be preloaded into a program and work there. */
#ifndef VBT_TRACEABLE_H
#define VBT_TRACEABLE_H

#include <stdbool.h>

/* Is an executable glibc's dynamic loader, which runs the program that is named after it? */
bool vbt_is_loader(const char *path);

/* NULL, or why an executable cannot be traced, as a sentence that begins with its path, for the
 * caller to free. A file that can be run but not read is assumed to be traceable. */
char *vbt_untraceable(const char *path);

#endif
