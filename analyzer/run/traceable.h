/* Whether a library can be preloaded into a program, and vbtrace do its work there. */
#ifndef VBT_TRACEABLE_H
#define VBT_TRACEABLE_H

#include <stdbool.h>
#include <sys/types.h>

/* NULL, or why an executable cannot be traced, as a sentence that begins with its path; the caller frees it. A file that may be run
 * and not read is taken to be one that can. */
char *vbt_untraceable(const char *path);

/* Would the kernel run a file of this mode and owner with other rights than those of the user? Then the loader preloads nothing. */
bool vbt_changes_rights(mode_t mode, uid_t owner, gid_t group, uid_t user, gid_t user_group);

#endif
