/* See destination.h. A rename replaces whatever is there, so that is checked just before. */
#include "destination.h"

#include "options.h"
#include "say.h"
#include "preload/base/glibc.h"
#include "preload/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_CHAIN = 40 }; /* the kernel's own limit */

enum step { FOLLOWED, NO_LINK, NOT_TO_BE_FOLLOWED };

/* Follows one link: the one whose owner is checked is the one that is read, even if another file
 * takes its name meanwhile. */
static enum step follow_one(char *path, int size) {
    static char content[VBT_PATH_MAX];
    struct stat link = {0};
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    if (vbt_sys_failed(fd))
        return NO_LINK;
    bool is_link = !vbt_sys_failed(vbt_sys(SYS_fstat, fd, &link)) && S_ISLNK(link.st_mode);
    long length = is_link ? vbt_sys(SYS_readlinkat, fd, "", content, sizeof content - 1) : 0;
    vbt_sys(SYS_close, fd);
    if (!is_link)
        return NO_LINK;
    if (length <= 0 || (link.st_uid != 0 && link.st_uid != (uid_t)vbt_sys(SYS_geteuid)))
        return NOT_TO_BE_FOLLOWED;
    content[length] = '\0';
    const char *slash = strrchr(path, '/');
    int folder = content[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - path);
    if (folder + length >= size)
        return NOT_TO_BE_FOLLOWED;
    memcpy(path + folder, content, (size_t)length + 1);
    return FOLLOWED;
}

bool vbt_destination_follow(char *path, int size) {
    static char given[2 * VBT_PATH_MAX];
    enum step step = FOLLOWED;
    vbt_format(given, sizeof given, "%s", path);
    for (int i = 0; i < LONGEST_CHAIN && step == FOLLOWED; i++)
        step = follow_one(path, size);
    if (step != NO_LINK)
        vbt_format(path, size, "%s", given);
    return step == NO_LINK;
}

int vbt_destination_check(const char *path) {
    struct stat there;
    if (vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, path, &there, AT_SYMLINK_NOFOLLOW)) || S_ISREG(there.st_mode))
        return 0;
    return S_ISDIR(there.st_mode) ? EISDIR : VBT_NO_FILE;
}

int vbt_destination_replace(const char *file, const char *path) {
    int error = vbt_destination_check(path);
    long result = error == 0 ? vbt_sys(SYS_renameat2, AT_FDCWD, file, AT_FDCWD, path, 0) : 0;
    return vbt_sys_failed(result) ? (int)-result : error;
}

const char *vbt_destination_error(int error) { return error == VBT_NO_FILE ? "it is not a regular file" : vbt_error_text(error); }
