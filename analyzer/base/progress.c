/* See progress.h. */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Work that is done before FIRST nanoseconds shows no bar. */
enum { FIRST = 200 * 1000 * 1000, PAUSE = 50 * 1000 * 1000, WIDTH = 40 };

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void vbt_progress_begin(struct vbt_progress *progress, const char *what) {
    const char *terminal = getenv("TERM");
    bool shown = isatty(STDERR_FILENO) && terminal != NULL && strcmp(terminal, "dumb") != 0;
    *progress = (struct vbt_progress){.what = what, .shown = shown, .next = now() + FIRST};
}

void vbt_progress_at(struct vbt_progress *progress, size_t done, size_t all) {
    if (progress == NULL || !progress->shown || all == 0)
        return;
    int64_t time = now();
    if (time < progress->next)
        return;
    progress->next = time + PAUSE;
    progress->drawn = true;
    int filled = (int)(WIDTH * done / all);
    fprintf(stderr, "\r%s [%.*s%*s] %3d %%", progress->what, filled, "########################################", WIDTH - filled, "",
            (int)(100 * done / all));
    fflush(stderr);
}

void vbt_progress_end(struct vbt_progress *progress) {
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
