/* See proc.h. */
#include "proc.h"

#include "sys.h"

#include <fcntl.h>
#include <string.h>

uint64_t vbt_number_behind_blank(const char **at) {
    uint64_t number = 0;
    *at = strchrnul(*at, ' ');
    for (*at += **at == ' '; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint64_t)(**at - '0');
    return number;
}

int64_t vbt_proc_second_of(long fd) {
    char text[128];
    long size = vbt_sys_failed(fd) ? 0 : vbt_sys(SYS_pread64, fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    const char *at = text;
    return (int64_t)vbt_number_behind_blank(&at);
}

int64_t vbt_proc_second(const char *path) {
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    int64_t number = vbt_proc_second_of(fd);
    if (!vbt_sys_failed(fd))
        vbt_sys(SYS_close, fd);
    return number;
}
