/* Prints errno after every call that vbtrace interposes, when it succeeds and when it fails. Traced
 * and untraced must print the same. */
#include "vbtrace.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static volatile size_t beyond = PTRDIFF_MAX, small = 40;

/* Runs an expression three times, since the first call of a kind takes other paths through vbtrace
 * than the next ones. */
#define TRY(expression)                                                                                                            \
    for (int turn = 0; turn < 3; turn++) {                                                                                         \
        errno = 77;                                                                                                                \
        int good = (expression);                                                                                                   \
        int after = errno;                                                                                                         \
        printf("%s: %s, errno %d\n", #expression, good ? "good" : "failed", after);                                                \
    }

static int marked(void) {
    vbtrace_begin("section", 1);
    vbtrace_end("section");
    vbtrace_end("never begun");
    return 1;
}

int main(void) {
    static void *block, *other;
    struct timespec spec;
    struct timeval now;
    struct tms ticks;
    struct rusage usage;
    TRY((block = malloc(small)) != NULL)
    TRY((free(block), block = NULL, 1))
    TRY((free(NULL), 1))
    TRY((block = calloc(small, 2)) != NULL)
    TRY((block = realloc(block, 2 * small)) != NULL)
    TRY((block = realloc(block, 100 * small)) != NULL)
    TRY((block = reallocarray(block, small, 3)) != NULL)
    TRY(realloc(block, beyond) != NULL)
    TRY(reallocarray(block, SIZE_MAX / 2, small) != NULL)
    TRY(malloc(beyond) != NULL)
    TRY(calloc(SIZE_MAX / 2, small) != NULL)
    TRY(posix_memalign(&other, 64, small) == 0)
    TRY(posix_memalign(&other, 5, small) == 0)
    TRY(posix_memalign(&other, 64, beyond) == 0)
    TRY((other = aligned_alloc(64, 64)) != NULL)
    TRY(aligned_alloc(64, beyond) != NULL)
    TRY((other = memalign(64, small)) != NULL)
    TRY((other = valloc(small)) != NULL)
    TRY((other = pvalloc(small)) != NULL)
    TRY((other = strdup("text")) != NULL)
    TRY((free(other), other = NULL, 1))
    TRY(clock_gettime(CLOCK_MONOTONIC, &spec) == 0)
    TRY(clock_gettime(12345, &spec) == 0)
    TRY(gettimeofday(&now, NULL) == 0)
    TRY(time(NULL) > 0)
    TRY(clock() >= 0)
    TRY(times(&ticks) != (clock_t)-1)
    TRY(timespec_get(&spec, TIME_UTC) == TIME_UTC)
    TRY(timespec_get(&spec, 99) != 0)
    TRY(getrusage(RUSAGE_SELF, &usage) == 0)
    TRY(getrusage((__rusage_who_t)99, &usage) == 0)
    TRY(marked())
    TRY(execl("/nowhere/to/be/found", "x", (char *)NULL) == 0)
    TRY(execv("/nowhere/to/be/found", (char *[]){"x", NULL}) == 0)
    TRY(execvp("nowhere-to-be-found", (char *[]){"x", NULL}) == 0)
    TRY((block = malloc(small)) != NULL)
    return 0;
}
