/* See runner.h. The file is in memory, open only in vbtrace and reached through /proc: no
 * descriptor has to stay open in the program. In another namespace, the same path may be any
 * file. */
#include "runner.h"

#include "preload/base/proc.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/shared/run_names.h"
#include "preload/shared/say.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

static struct {
    char path[64]; /* "": there is none */
    uint64_t device, inode;
} runner;

void vbt_runner_init(void) {
    const char *value = vbt_variable(VBT_RUNNER_VARIABLE), *at = value;
    if (value == NULL)
        return;
    runner.device = vbt_number_after_blank(&at);
    runner.inode = vbt_number_after_blank(&at);
    vbt_format(runner.path, sizeof runner.path, "%.*s", (int)strcspn(value, " "), value);
}

bool vbt_runner_send(const char *line) {
    struct stat there;
    long size = (long)strlen(line) + 1;
    if (runner.path[0] == '\0' || vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, runner.path, &there, 0)) ||
        there.st_dev != runner.device || there.st_ino != runner.inode || there.st_nlink != 0)
        return false;
    long fd = vbt_sys(SYS_openat, AT_FDCWD, runner.path, O_WRONLY | O_APPEND | O_CLOEXEC, 0);
    if (vbt_sys_failed(fd))
        return false;
    bool sent = vbt_sys(SYS_write, fd, line, size) == size;
    vbt_sys(SYS_close, fd);
    return sent;
}
