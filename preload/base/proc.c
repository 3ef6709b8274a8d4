/* See proc.h. */
#include "proc.h"

#include "memory.h"
#include "sys.h"

#include <fcntl.h>
#include <string.h>

const char *vbt_proc_text(const char *path, size_t *size) {
    enum { TEXT = 2 * 1024 * 1024 };
    static char *text; /* mapped when first needed */
    size_t length = 0;
    if (size != NULL)
        *size = 0;
    if (text == NULL && (text = vbt_map(TEXT)) == NULL)
        return "";
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), got;
    if (!vbt_sys_failed(fd)) {
        while (length < TEXT - 1 && (got = vbt_sys(SYS_read, fd, text + length, TEXT - 1 - length)) > 0)
            length += (size_t)got;
        vbt_sys(SYS_close, fd);
    }
    text[length] = '\0';
    if (size != NULL)
        *size = length;
    return text;
}

uint64_t vbt_number_after_blank(const char **at) {
    uint64_t number = 0;
    *at = strchrnul(*at, ' ');
    for (*at += **at == ' '; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (uint64_t)(**at - '0');
    return number;
}

uint64_t vbt_hexadecimal(const char **at) {
    uint64_t value = 0;
    for (;; ++*at) {
        unsigned digit = **at >= 'a' ? (unsigned)(**at - 'a') + 10 : (unsigned)(**at - '0');
        if (digit > 15)
            return value;
        value = value << 4 | digit;
    }
}

int64_t vbt_proc_second_of(long fd) {
    char text[128];
    long size = vbt_sys_failed(fd) ? 0 : vbt_sys(SYS_pread64, fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = '\0';
    const char *at = text;
    return (int64_t)vbt_number_after_blank(&at);
}

int64_t vbt_proc_second(const char *path) {
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    int64_t number = vbt_proc_second_of(fd);
    if (!vbt_sys_failed(fd))
        vbt_sys(SYS_close, fd);
    return number;
}
