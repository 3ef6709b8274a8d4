/* See proc.h. */
#include "proc.h"

#include "memory.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { FILES = 8, PATH = 32 };

static VBT_CHANGED_BY_FORK struct {
    int owner; /* whose descriptors these are */
    int count;
    long files[FILES];
    char paths[FILES][PATH];
} kept;

bool vbt_proc_is_kept(void) { return kept.count != 0 && kept.owner == (int)vbt_sys(SYS_getpid); }

void vbt_proc_keep(const char *path) {
    if (!vbt_proc_is_kept())
        kept.count = 0;
    if (kept.count == FILES || strlen(path) >= PATH)
        return;
    kept.files[kept.count] = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    strcpy(kept.paths[kept.count], path);
    kept.owner = (int)vbt_sys(SYS_getpid);
    kept.count++;
}

void vbt_proc_release(void) {
    for (int i = 0; vbt_proc_is_kept() && i < kept.count; i++)
        if (!vbt_sys_failed(kept.files[i]))
            vbt_sys(SYS_close, kept.files[i]);
    kept.count = 0;
}

long vbt_proc_open(const char *path) {
    if (!vbt_proc_is_kept())
        return vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    for (int i = 0; i < kept.count; i++) {
        if (strcmp(path, kept.paths[i]) != 0 || vbt_sys_failed(kept.files[i]))
            continue;
        vbt_sys(SYS_lseek, kept.files[i], 0, SEEK_SET);
        return vbt_sys(SYS_fcntl, kept.files[i], F_DUPFD_CLOEXEC, 0);
    }
    return -ENOENT;
}

static VBT_CHANGED_BY_FORK char *room; /* mapped when first needed */

void vbt_proc_after_fork(void) {
    room = NULL;
    kept.count = 0;
}

const char *vbt_proc_text(const char *path, size_t *size) {
    enum { TEXT = 2 * 1024 * 1024 };
    size_t length = 0;
    if (size != NULL)
        *size = 0;
    if (room == NULL && (room = vbt_map_for_helper(TEXT)) == NULL)
        return "";
    long fd = vbt_proc_open(path), got;
    if (!vbt_sys_failed(fd)) {
        while (length < TEXT - 1 && (got = vbt_sys(SYS_read, fd, room + length, TEXT - 1 - length)) > 0)
            length += (size_t)got;
        vbt_sys(SYS_close, fd);
    }
    room[length] = '\0';
    if (size != NULL)
        *size = length;
    return room;
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
