/* Recording is stopped and started: pauses WAY. The lines' marks are explained in heap_calls.c. */
#include <vbtrace.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000 };

static void *before[N], *during[N], *after[N];

/* An interval begins and ends here, if recording is on. */
static double clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec;
}

static void fill(void *blocks[], size_t size) {
    for (int i = 0; i < N; i++)
        blocks[i] = malloc(size);
}

static void *free_hundred(void *unused) {
    for (int i = 300; i < 400; i++)
        free(before[i]); // in a thread that begins meanwhile
    return unused;
}

static void *map(void) { return mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void stopped(void) {
    pthread_t thread;
    void *mapped = map(); // one that is freed
    for (int i = 0; i < N; i++)
        before[i] = malloc(10); // N before
    vbtrace_begin("broken", 1);
    clock_now();
    vbtrace_stop();
    vbtrace_stop(); /* a second stop does nothing */
    vbtrace_begin("unseen", 1);
    fill(during, 20); // none of these is recorded
    munmap(mapped, 1 << 20);
    mapped = map();
    for (int i = 0; i < 300; i++)
        free(before[i]);
    pthread_create(&thread, NULL, free_hundred, NULL);
    pthread_join(thread, NULL);
    for (int i = 400; i < 500; i++)
        before[i] = realloc(before[i], 15); // ends the old block, and records no new one
    clock_now();
    vbtrace_end("unseen");
    vbtrace_start();
    munmap(mapped, 1 << 20);
    clock_now();
    vbtrace_end("broken");
    for (int i = 0; i < N; i++)
        free(during[i]); // not known
    for (int i = 500; i < 600; i++)
        before[i] = realloc(before[i], 30); // 100 after
    for (int i = 400; i < 500; i++)
        free(before[i]); // not known either
    vbtrace_begin("whole", 1);
    for (int i = 0; i < N; i++)
        after[i] = malloc(40); // N after
    vbtrace_end("whole");
}

/* The child of a stopped process is stopped, too. */
static int forked(void) {
    for (int i = 0; i < N; i++)
        before[i] = malloc(10); // N before the fork
    vbtrace_stop();
    fill(during, 20);
    pid_t child = fork();
    if (child == 0) {
        fill(during, 30);
        for (int i = 0; i < 100; i++)
            free(before[i]);
        vbtrace_start();
        for (int i = 0; i < N; i++)
            after[i] = malloc(40); // N in the child
        exit(7);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}

static int64_t nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * 1000 * 1000 + now.tv_nsec;
}

/* By the clock: allocates in each tenth of a second, for a second. Prints when it began, and the
 * times before and after each allocation. */
static void by_the_clock(void) {
    enum { TENTHS = 10 };
    int64_t begun = nanoseconds(), moments[TENTHS][2];
    for (int i = 0; i < TENTHS; i++) {
        moments[i][0] = nanoseconds();
        during[i] = malloc(100); // one a tenth
        moments[i][1] = nanoseconds();
        nanosleep(&(struct timespec){0, 100 * 1000 * 1000}, NULL);
    }
    printf("[%" PRId64, begun);
    for (int i = 0; i < TENTHS; i++)
        printf(", [%" PRId64 ", %" PRId64 "]", moments[i][0], moments[i][1]);
    puts("]");
}

static void until_start(void) {
    fill(before, 10);
    vbtrace_start();
    for (int i = 0; i < N; i++)
        after[i] = malloc(40); // N since the start
    for (int i = 0; i < N; i++)
        free(before[i]);
}

int main(int count, char **arguments) {
    const char *way = count > 1 ? arguments[1] : "";
    if (strcmp(way, "stop") == 0)
        stopped();
    else if (strcmp(way, "fork") == 0)
        return forked();
    else if (strcmp(way, "clock") == 0)
        by_the_clock();
    else if (strcmp(way, "until-start") == 0)
        until_start();
    return 0;
}
