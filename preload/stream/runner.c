/* See runner.h. The file is in memory, open only in vbtrace and reached through /proc: no
 * descriptor has to stay open in the program. In another namespace, the same path may be any
 * file. */
#include "runner.h"

#include "preload/base/proc.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/shared/run_names.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static struct {
    char path[64]; /* "": there is none */
    uint64_t device, inode;
} runner;

/* A descriptor of the file; minus an error number if it is not the runner's. */
static long open_file(int flags) {
    struct stat there;
    if (runner.path[0] == '\0' || vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, runner.path, &there, 0)) ||
        there.st_dev != runner.device || there.st_ino != runner.inode || there.st_nlink != 0)
        return -ENOENT;
    return vbt_sys(SYS_openat, AT_FDCWD, runner.path, flags | O_CLOEXEC, 0);
}

/* Shows vbtrace that this process, and what it forks, belongs to it. */
static void map_file(void) {
    enum { PAGE = 4096 };
    long fd = open_file(O_RDONLY);
    if (vbt_sys_failed(fd))
        return;
    vbt_sys(SYS_mmap, 0, PAGE, PROT_NONE, MAP_SHARED, fd, 0);
    vbt_sys(SYS_close, fd);
}

void vbt_runner_init(void) {
    const char *value = vbt_variable(VBT_RUNNER_VARIABLE), *at = value;
    if (value == NULL)
        return;
    runner.device = vbt_number_after_blank(&at);
    runner.inode = vbt_number_after_blank(&at);
    vbt_format(runner.path, sizeof runner.path, "%.*s", (int)strcspn(value, " "), value);
    map_file();
}

bool vbt_runner_send(const char *line) {
    long size = (long)strlen(line) + 1, fd = open_file(O_WRONLY | O_APPEND);
    if (vbt_sys_failed(fd))
        return false;
    bool sent = vbt_sys(SYS_write, fd, line, size) == size;
    vbt_sys(SYS_close, fd);
    return sent;
}
