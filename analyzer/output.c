/* See output.h. */
#include "output.h"

#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DEFAULT_WIDTH = 120, LEAST_WIDTH = 40, MOST_WIDTH = 1000 };

static unsigned terminal_width(bool standard_output) {
    const char *columns = getenv("COLUMNS");
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    struct winsize size;
    if (width <= 0 && standard_output && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0)
        width = DEFAULT_WIDTH;
    return width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : (unsigned)width;
}

static bool wants_colour(void) {
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0 &&
           (no_colour == NULL || no_colour[0] == '\0');
}

void vbt_output_begin(struct vbt_output *output, const char *path) {
    bool colour = path == NULL && wants_colour();
    *output = (struct vbt_output){
        .path = path, .width = terminal_width(path == NULL), .bold = colour ? "\033[1m" : "", .normal = colour ? "\033[0m" : ""};
    output->stream = open_memstream(&output->text, &output->size);
    if (output->stream == NULL)
        exit(vbt_fail("out of memory"));
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

int vbt_output_finish(struct vbt_output *output) {
    if (fclose(output->stream) != 0)
        return vbt_fail("out of memory");
    int error = 0;
    if (output->path == NULL) {
        signal(SIGPIPE, SIG_IGN); /* to be told by EPIPE instead */
        error = write_all(STDOUT_FILENO, output->text, output->size);
        if (error == EPIPE)
            error = 0;
    } else {
        int fd = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        error = fd < 0 ? errno : write_all(fd, output->text, output->size);
        if (fd >= 0 && close(fd) != 0 && error == 0)
            error = errno;
    }
    free(output->text);
    if (error != 0)
        return vbt_fail("%s: cannot be written: %s", output->path != NULL ? output->path : "standard output", strerror(error));
    return 0;
}
