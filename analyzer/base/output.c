/* See output.h. */
#include "output.h"

#include "message.h"
#include "units.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 120, LEAST_WIDTH = 40, MOST_WIDTH = 1000, BUFFER = 1 << 16 };

/* fd: where the report goes, or -1 for a file. */
static unsigned terminal_width(int fd, bool *is_limited) {
    const char *columns = getenv("COLUMNS");
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    struct winsize size;
    if (width <= 0 && fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    *is_limited = width > 0;
    if (width <= 0)
        width = DEFAULT_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : (unsigned)width;
}

static bool wants_colour(int fd) {
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(fd) && terminal != NULL && strcmp(terminal, "dumb") != 0 && (no_colour == NULL || no_colour[0] == '\0');
}

/* 0, or errno. */
static int write_all(int fd, const char *text, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

static uint64_t allowed = UINT64_MAX;

void vbt_output_allow(uint64_t bytes) { allowed = bytes; }

void vbt_output_check(uint64_t bytes) {
    if (bytes > allowed)
        _exit(
            vbt_fail("the report is larger than %s, which no valid trace of this size needs; --limit and --filter make it smaller",
                     vbt_bytes((int64_t)allowed).text));
}

static void check_rehearsed(uint64_t bytes) {
    if (bytes > allowed)
        _exit(vbt_fail("the report would be larger than %s; --limit, --min and --filter make it smaller",
                       vbt_bytes((int64_t)allowed).text));
}

bool vbt_output_fits(uint64_t least, uint64_t most) {
    check_rehearsed(least);
    return most <= allowed;
}

static uint64_t rehearsed;

static ssize_t count_bytes(void *cookie, const char *text, size_t size) {
    (void)cookie;
    (void)text;
    rehearsed += size;
    check_rehearsed(rehearsed);
    return (ssize_t)size;
}

FILE *vbt_output_rehearse(void) {
    rehearsed = 0;
    FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = count_bytes});
    if (stream == NULL)
        exit(vbt_fail("out of memory"));
    setvbuf(stream, NULL, _IOFBF, BUFFER);
    return stream;
}

void vbt_output_rehearsed(FILE *stream) { fclose(stream); }

/* Called by the stream when its buffer is full, and at the end. The file is created when there is
 * something to write: a command that fails before that leaves an older file alone. */
static ssize_t write_buffer(void *cookie, const char *text, size_t size) {
    struct vbt_output *output = cookie;
    output->size += size;
    vbt_output_check(output->size);
    if (output->fd < 0 && output->error == 0) {
        output->fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        output->error = output->fd < 0 ? errno : 0;
    }
    if (output->error == 0)
        output->error = write_all(output->fd, text, size);
    if (output->error == EPIPE && output->fd == STDOUT_FILENO)
        _exit(0); /* the reader is gone; stop */
    return (ssize_t)size;
}

static void begin(struct vbt_output *output, const char *path, int fd) {
    bool colour = wants_colour(fd);
    bool is_limited;
    unsigned width = terminal_width(fd, &is_limited);
    *output = (struct vbt_output){.path = path,
                                  .width = width,
                                  .is_limited = is_limited,
                                  .bold = colour ? "\033[1m" : "",
                                  .normal = colour ? "\033[0m" : "",
                                  .fd = fd};
    output->stream = fopencookie(output, "w", (cookie_io_functions_t){.write = write_buffer});
    if (output->stream == NULL)
        exit(vbt_fail("out of memory"));
    setvbuf(output->stream, NULL, _IOFBF, BUFFER);
    signal(SIGPIPE, SIG_IGN); /* so that a closed pipe is reported as EPIPE */
}

void vbt_output_begin(struct vbt_output *output, const char *path) { begin(output, path, path == NULL ? STDOUT_FILENO : -1); }

void vbt_output_begin_beside(struct vbt_output *output) { begin(output, NULL, STDERR_FILENO); }

int vbt_output_finish(struct vbt_output *output) {
    fclose(output->stream);
    write_buffer(output, NULL, 0); /* so that an empty report creates its file, too */
    if (output->path != NULL && output->fd >= 0 && close(output->fd) != 0 && output->error == 0)
        output->error = errno;
    if (output->error != 0 && output->fd != STDERR_FILENO)
        return vbt_fail("%s: cannot be written: %s", output->path != NULL ? output->path : "standard output",
                        strerror(output->error));
    return 0;
}
