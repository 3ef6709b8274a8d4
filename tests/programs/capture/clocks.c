/* Clock readings and marked sections in C. The numbers in the comments are what the test expects
 * between the readings. */
#define _GNU_SOURCE
#include "vbtrace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

enum { N = 1000, TURNS = 5, THREADS = 4 };

static __thread void *kept[N];

static void allocate(int count, size_t size) {
    for (int i = 0; i < count; i++)
        kept[i] = malloc(size);
}

static void release(int count) {
    for (int i = 0; i < count; i++)
        free(kept[i]);
}

static void with_clock_gettime(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); // clock_gettime begins
    allocate(100, 10);
    clock_gettime(CLOCK_REALTIME, &now); // clock_gettime ends
    release(100);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); // clock_gettime again
}

static void with_gettimeofday(void) {
    struct timeval now;
    gettimeofday(&now, NULL); // gettimeofday begins
    allocate(200, 10);
    gettimeofday(&now, NULL); // gettimeofday ends
    release(200);
}

static void with_time(void) {
    time_t now = time(NULL); // time begins
    allocate(300, 10);
    time(&now); // time ends
    release(300);
}

static void with_clock(void) {
    clock_t volatile now = clock(); // clock begins
    allocate(400, 10);
    now = clock(); // clock ends
    (void)now;
    release(400);
}

static void with_times(void) {
    struct tms now;
    times(&now); // times begins
    allocate(500, 10);
    times(&now); // times ends
    release(500);
}

static void with_timespec_get(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC); // timespec_get begins
    allocate(600, 10);
    timespec_get(&now, TIME_UTC); // timespec_get ends
    release(600);
}

static void with_getrusage(void) {
    struct rusage now;
    getrusage(RUSAGE_SELF, &now); // getrusage begins
    allocate(700, 10);
    getrusage(RUSAGE_SELF, &now); // getrusage ends
    release(700);
}

/* The same two lines, with more each time: 10, 20, ... 50 blocks, of which half are freed in
 * between. */
static void repeated(void) {
    struct timespec now;
    for (int turn = 1; turn <= TURNS; turn++) {
        clock_gettime(CLOCK_MONOTONIC, &now); // repeated begins
        allocate(10 * turn, 100);
        release(5 * turn);
        clock_gettime(CLOCK_MONOTONIC, &now); // repeated ends
    }
}

static void sections(void) {
    vbtrace_begin("outer", 10);
    allocate(100, 8);
    for (int i = 0; i < 3; i++) {
        vbtrace_begin("inner", 5);
        allocate(10, 16);
        release(10);
        vbtrace_end("inner");
    }
    vbtrace_end("outer"); // 130 allocations, 30 frees

    vbtrace_begin("left open", 0);
    vbtrace_begin("closed by the outer", 0);
    allocate(7, 8);
    vbtrace_end("left open"); // ends both

    vbtrace_end("never begun");
    vbtrace_begin("empty", 1);
    vbtrace_end("empty");
}

static void recursive(int depth) {
    vbtrace_begin("recursive", 1);
    allocate(1, 8); // each level sees its own and all below: 5 + 4 + 3 + 2 + 1
    if (depth > 1)
        recursive(depth - 1);
    vbtrace_end("recursive");
}

static void *in_thread(void *unused) {
    vbtrace_begin("in a thread", N);
    allocate(N, 32);
    release(N);
    vbtrace_end("in a thread");
    vbtrace_begin("left by a thread", 0);
    return unused;
}

static void threads(void) {
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, in_thread, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

int main(void) {
    with_clock_gettime();
    with_gettimeofday();
    with_time();
    with_clock();
    with_times();
    with_timespec_get();
    with_getrusage();
    repeated();
    sections();
    recursive(5);
    threads();
    return 0;
}
