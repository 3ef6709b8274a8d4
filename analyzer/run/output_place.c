/* See output_place.h. */
#include "output_place.h"

#include "analyzer/base/allocate.h"
#include "preload/shared/destination.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Returns 0, or the errno of creating a file there. Permissions alone would not tell: root has them
 * on a read-only disk, too. */
static int try_folder(const char *folder) {
    char *path = vbt_text("%s/vbtrace.%d.part", folder, (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int error = fd >= 0 ? 0 : errno;
    if (fd >= 0) {
        close(fd);
        unlink(path);
    }
    free(path);
    return error == EEXIST ? 0 : error;
}

char *vbt_output_place_check_folder(const char *folder) {
    int error = try_folder(folder);
    return error != 0 ? vbt_text("%s: a trace cannot be written there: %s", folder, strerror(error)) : NULL;
}

char *vbt_output_place_quote(const char *path) {
    char *out = vbt_new(2 * strlen(path) + 1, 1), *end = out;
    for (; *path != '\0'; *end++ = *path++)
        if (*path == '%')
            *end++ = '%';
    return out;
}

/* Replaces each "%%" by a percent sign. False if there are letters such as %p, which only the
 * library can replace. */
static bool unquote(char *path) {
    char *end = path;
    for (const char *at = path; *at != '\0'; *end++ = *at++)
        if (*at == '%' && *++at != '%')
            return false;
    *end = '\0';
    return true;
}

static const char *kind_of(mode_t mode) { return S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device"; }

/* Is the file, by whatever name (/dev/stdout), one of the program's standard streams? */
static bool is_standard(const struct stat *file) {
    struct stat status;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &status) == 0 && status.st_dev == file->st_dev && status.st_ino == file->st_ino)
            return true;
    return false;
}

/* Checks what already has this name. Follows links; `path` has room for `size` bytes. */
static char *check_name(char *path, size_t size) {
    struct stat status;
    bool there = stat(path, &status) == 0, is_circle = !there && errno == ELOOP;
    if (there && !S_ISREG(status.st_mode))
        return vbt_text("%s: is %s: expected a file", path, kind_of(status.st_mode));
    if (there && is_standard(&status))
        return vbt_text("%s: is the program's own input or output: expected another file", path);
    if (vbt_destination_follow(path, (int)size))
        return NULL;
    return vbt_text("%s: is a symbolic link %s: expected a file", path, is_circle ? "in a circle" : "of another user");
}

char *vbt_output_place_check_file(char **output) {
    size_t size = strlen(*output) + PATH_MAX;
    char *path = strcpy(vbt_new(size, 1), *output), *problem = NULL;
    if (unquote(path)) {
        problem = check_name(path, size);
        free(*output);
        *output = vbt_output_place_quote(path);
    }
    free(path);
    if (problem != NULL)
        return problem;
    const char *slash = strrchr(*output, '/');
    char *folder = slash == NULL ? vbt_text(".") : vbt_copy(*output, slash == *output ? 1 : (size_t)(slash - *output));
    int error = unquote(folder) ? try_folder(folder) : 0;
    if (error == ENOENT && access(folder, F_OK) != 0)
        problem = vbt_text("%s: there is no folder %s", *output, folder);
    else if (error != 0)
        problem = vbt_text("%s: a trace cannot be written there: %s", *output, strerror(error));
    free(folder);
    return problem;
}
