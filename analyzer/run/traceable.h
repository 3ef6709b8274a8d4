/* Whether a library can be preloaded into a program, and vbtrace do its work there. */
#ifndef VBT_TRACEABLE_H
#define VBT_TRACEABLE_H

/* NULL, or why an executable cannot be traced, as a sentence that begins with its path; the caller frees it. A file that may be run
 * and not read is taken to be one that can. */
char *vbt_untraceable(const char *path);

#endif
