/* Runs a command and writes its resource usage to a file: user and system time in µs, wall time in
 * ns until it ended, greatest resident set in KiB, and the wait status. Included are its children,
 * those that outlive it as well: what a tool leaves to another process costs no less.
 *
 *     launch RESULT-FILE [NAME=VALUE …] -- COMMAND [ARGUMENT …]
 *
 * Python cannot do this itself: a forked process inherits the resident set of its parent as its own
 * maximum, and an interpreter that runs benchmarks is larger than `python3 -c pass`. This program
 * is smaller than anything it measures. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t microseconds(struct timeval t) { return (int64_t)t.tv_sec * 1000000 + t.tv_usec; }

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    _exit(127);
}

/* Waits for all other children, of whatever kind, and adds what they used. */
static void wait_for_others(struct rusage *sum) {
    struct rusage used;
    while (wait4(-1, NULL, __WALL, &used) > 0 || errno == EINTR) {
        timeradd(&sum->ru_utime, &used.ru_utime, &sum->ru_utime);
        timeradd(&sum->ru_stime, &used.ru_stime, &sum->ru_stime);
        sum->ru_maxrss = used.ru_maxrss > sum->ru_maxrss ? used.ru_maxrss : sum->ru_maxrss;
    }
}

int main(int argc, char **argv) {
    int at = 2;
    while (at < argc && strcmp(argv[at], "--") != 0)
        at++;
    if (at + 1 >= argc) {
        fputs("launch: expected RESULT-FILE [NAME=VALUE ...] -- COMMAND [ARGUMENT ...]\n", stderr);
        return 2;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) /* orphans become children of this process */
        fail("prctl");
    int64_t start = now();
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        for (int i = 2; i < at; i++)
            putenv(argv[i]);
        execvp(argv[at + 1], argv + at + 1);
        fail(argv[at + 1]);
    }
    int status;
    struct rusage used;
    if (wait4(child, &status, 0, &used) != child)
        fail("wait4");
    int64_t wall = now() - start;
    wait_for_others(&used);
    FILE *result = fopen(argv[1], "w");
    if (result == NULL)
        fail(argv[1]);
    fprintf(result, "%lld %lld %lld %ld %d\n", (long long)microseconds(used.ru_utime), (long long)microseconds(used.ru_stime),
            (long long)wall, used.ru_maxrss, status);
    return fclose(result) == 0 ? 0 : 1;
}
