/* Holds more and fewer blocks, step by step, each a section, and says how many at which time. After
 * each step it waits until its trace, the only argument, has been written twice: whatever the trace
 * said last before the time that is printed, all of the step is in it. Between the end of a section
 * and the beginning of the next, the trace is written, too. */
#include "vbtrace.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { STEPS = 6, SIZE = 100, MOST = 1000 };

static void *held[MOST], *tiny;

static void pause_for(long ms) {
    const struct timespec time = {0, ms * 1000000};
    nanosleep(&time, NULL);
}

/* Waits until the file differs from what it was; so that it is written, something has to happen. */
static void wait_for_write(const char *path) {
    struct stat before = {0}, now;
    stat(path, &before);
    do {
        free(tiny);
        tiny = malloc(1);
        pause_for(5);
    } while (stat(path, &now) != 0 || (now.st_size == before.st_size && now.st_ino == before.st_ino));
}

int main(int count, char **arguments) {
    static const int wanted[STEPS] = {100, 700, 300, 1000, 0, 50};
    int live = 0, allocs = 0;
    if (count != 2)
        return 2;
    for (int step = 0; step < STEPS; step++) {
        vbtrace_begin("step", 0);
        for (; live < wanted[step]; live++, allocs++)
            held[live] = malloc(SIZE); // held
        while (live > wanted[step])
            free(held[--live]);
        for (int i = 0; i < 2; i++)
            wait_for_write(arguments[1]);
        pause_for(20);
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        printf("%lld %d %d\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec, allocs, live);
        pause_for(20);
        vbtrace_end("step");
        for (int i = 0; i < 2; i++)
            wait_for_write(arguments[1]);
    }
    return 0;
}
