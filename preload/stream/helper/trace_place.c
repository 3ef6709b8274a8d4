/* See trace_place.h. */
#include "trace_place.h"

#include "preload/base/sys.h"
#include "preload/shared/destination.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static VBT_CHANGED_BY_FORK struct {
    bool moved;
    uint64_t device, inode; /* of the folder */
} place;

/* False if it cannot be found. */
static bool folder_of(const char *path, struct stat *out) {
    static char folder[2 * VBT_PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return false;
    vbt_format(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    return !vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, folder, out, 0));
}

void vbt_trace_place_moves(const char *path) {
    struct stat folder = {0};
    if (place.moved)
        return;
    folder_of(path, &folder);
    place.device = folder.st_dev;
    place.inode = folder.st_ino;
    place.moved = true;
}

bool vbt_trace_place_in_reach(const char *path) {
    struct stat folder;
    return !place.moved || (folder_of(path, &folder) && folder.st_dev == place.device && folder.st_ino == place.inode);
}

void vbt_trace_place_open(struct vbt_chunk_writer *writer, const char *part, const char *path) {
    bool in_reach = vbt_trace_place_in_reach(path);
    int error = in_reach ? vbt_destination_check(path) : 0;
    if (error == 0) {
        vbt_chunk_writer_open(writer, in_reach ? part : NULL);
    } else {
        writer->fd = -1;
        writer->error = error;
    }
}

void vbt_trace_place_fill(struct vbt_chunk_writer *from, struct vbt_chunk_writer *trace) {
    int64_t offset = 0;
    from->error = trace->fd < 0 ? ENOENT : 0;
    if (from->error == 0)
        vbt_sys(SYS_lseek, trace->fd, 0, SEEK_SET);
    while (from->error == 0 && offset < (int64_t)from->file_size) {
        long sent = vbt_sys(SYS_sendfile, trace->fd, from->fd, &offset, from->file_size - (uint64_t)offset);
        if (vbt_sys_failed(sent) || sent == 0)
            from->error = sent == 0 ? EIO : (int)-sent;
    }
    if (from->error != 0)
        return;
    vbt_sys(SYS_ftruncate, trace->fd, from->file_size);
    vbt_chunk_writer_close(from);
    from->fd = trace->fd;
    trace->fd = -1;
}

bool vbt_trace_place_find(int fd, char *path, int size) {
    struct stat open, there;
    char link[64];
    if (vbt_sys_failed(vbt_sys(SYS_fstat, fd, &open)) || !vbt_trace_place_in_reach(path) ||
        (!vbt_sys_failed(vbt_sys(SYS_newfstatat, AT_FDCWD, path, &there, 0)) && open.st_ino == there.st_ino &&
         open.st_dev == there.st_dev))
        return true;
    vbt_format(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = open.st_nlink > 0 ? vbt_sys(SYS_readlinkat, AT_FDCWD, link, path, size - 1) : 0;
    if (length <= 0)
        return false;
    path[length] = '\0';
    return true;
}

void vbt_trace_place_after_fork(void) { place.moved = false; }
