/* Calls that give up rights: the helper, a separate process, gives up the same before the call
 * returns. (Or regains what it may have, as the program does.) */
#include "hook.h"

#include <sys/types.h>

/* Each may be called in the child of a vfork, which is not the process that the helper belongs to:
 * vbt_lifecycle_gave_up_rights checks that. */
#define CALL_REAL(call)                                                                                                            \
    vbt_real_find();                                                                                                               \
    int result = vbt_real.call;                                                                                                    \
    vbt_lifecycle_gave_up_rights();                                                                                                \
    return result

VBT_EXPORT int setuid(uid_t user) { CALL_REAL(setuid(user)); }

VBT_EXPORT int seteuid(uid_t user) { CALL_REAL(seteuid(user)); }

VBT_EXPORT int setreuid(uid_t real, uid_t effective) { CALL_REAL(setreuid(real, effective)); }

VBT_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved) { CALL_REAL(setresuid(real, effective, saved)); }

VBT_EXPORT int setgid(gid_t group) { CALL_REAL(setgid(group)); }

VBT_EXPORT int setegid(gid_t group) { CALL_REAL(setegid(group)); }

VBT_EXPORT int setregid(gid_t real, gid_t effective) { CALL_REAL(setregid(real, effective)); }

VBT_EXPORT int setresgid(gid_t real, gid_t effective, gid_t saved) { CALL_REAL(setresgid(real, effective, saved)); }

VBT_EXPORT int setgroups(size_t count, const gid_t *groups) { CALL_REAL(setgroups(count, groups)); }

VBT_EXPORT int initgroups(const char *user, gid_t group) { CALL_REAL(initgroups(user, group)); }

VBT_EXPORT int setfsuid(uid_t user) { CALL_REAL(setfsuid(user)); }

VBT_EXPORT int setfsgid(gid_t group) { CALL_REAL(setfsgid(group)); }

VBT_EXPORT int capset(void *header, const void *data) { CALL_REAL(capset(header, data)); }
