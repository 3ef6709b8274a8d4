/* What a process does to become a daemon, or to enter a namespace or a new root. */
#include "hook.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Makes standard input, output and error /dev/null, if that is the null device. */
static int close_standard_files(void) {
    enum { NULL_MAJOR = 1, NULL_MINOR = 3 };
    struct stat status;
    int fd = open(_PATH_DEVNULL, O_RDWR);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(NULL_MAJOR, NULL_MINOR)) {
        close(fd);
        errno = ENODEV;
        return -1;
    }
    for (int standard = STDIN_FILENO; standard <= STDERR_FILENO; standard++)
        dup2(fd, standard);
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

/* As libc's, which ends the parent by an internal _exit that no hook sees. */
VBT_EXPORT int daemon(int nochdir, int noclose) {
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child > 0)
        _exit(0);
    if (setsid() == -1)
        return -1;
    if (!nochdir && chdir("/") != 0) {
        /* as in libc, not an error */
    }
    return noclose ? 0 : close_standard_files();
}

/* For some namespaces, the kernel refuses these two calls to a process that shares its memory with
 * another. */
static bool wants_memory_alone(int result) { return result != 0 && (errno == EINVAL || errno == EUSERS); }

VBT_EXPORT int unshare(int flags) {
    vbt_real_find();
    vbt_lifecycle_before_leaving(false);
    int result = vbt_real.unshare(flags);
    if (wants_memory_alone(result)) {
        vbt_lifecycle_alone();
        result = vbt_real.unshare(flags);
        vbt_lifecycle_not_alone();
    }
    if (result == 0)
        vbt_lifecycle_left();
    return result;
}

VBT_EXPORT int setns(int fd, int kind) {
    vbt_real_find();
    vbt_lifecycle_before_leaving(false);
    int result = vbt_real.setns(fd, kind);
    if (wants_memory_alone(result)) {
        vbt_lifecycle_alone();
        result = vbt_real.setns(fd, kind);
        vbt_lifecycle_not_alone();
    }
    if (result == 0)
        vbt_lifecycle_left();
    return result;
}

VBT_EXPORT int chroot(const char *path) {
    vbt_real_find();
    vbt_lifecycle_before_leaving(false);
    int result = vbt_real.chroot(path);
    if (result == 0)
        vbt_lifecycle_left();
    return result;
}
