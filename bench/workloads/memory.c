/* Takes one thing in different numbers, so that what tracing it costs in memory is a slope:
 *
 *     memory paths PREFIXES CHAIN SIZES TIMES
 *                                   64 call paths under each of up to 4,096 prefixes, with CHAIN
 *                                   calls between the two; each path has TIMES blocks of each of
 *                                   SIZES sizes, one after the other
 *     memory blocks COUNT SIZE      live blocks, from one call path
 *     memory threads COUNT          threads that live at once, each with a block
 *     memory modules COUNT FOLDER   libraries FOLDER/0.so and so on, each with a call path */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;
static volatile size_t bytes = 24; /* of the block of a path */
static volatile int calls;         /* what follows a call, so that it is no jump */

#define ONE                                                                                                                        \
    kept = malloc(bytes);                                                                                                          \
    free(kept);
#define EIGHT ONE ONE ONE ONE ONE ONE ONE ONE

static __attribute__((noinline)) void paths(void) { EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT }

static __attribute__((noinline, noclone)) void chain(int length) {
    if (length == 0)
        paths();
    else
        chain(length - 1);
    calls++;
}

/* Three levels of sixteen calls: the prefix says which one on each. */
static __attribute__((noinline, noclone)) void fan(unsigned prefix, int level, int length) {
    if (level == 3) {
        chain(length);
        calls++;
        return;
    }
#define CALL(digit)                                                                                                                \
    case digit:                                                                                                                    \
        fan(prefix / 16, level + 1, length);                                                                                       \
        calls += digit;                                                                                                            \
        break;
    switch (prefix % 16) {
        CALL(0)
        CALL(1)
        CALL(2)
        CALL(3)
        CALL(4)
        CALL(5)
        CALL(6)
        CALL(7)
        CALL(8)
        CALL(9)
        CALL(10)
        CALL(11)
        CALL(12)
        CALL(13)
        CALL(14)
        CALL(15)
    }
}

static int blocks(int count, size_t size) {
    for (int i = 0; i < count; i++) {
        char *block = malloc(size);
        if (block == NULL)
            return 1;
        *block = 1;
        kept = block;
    }
    return 0;
}

static pthread_barrier_t together;

static void *thread(void *unused) {
    kept = malloc(24);
    pthread_barrier_wait(&together);
    return unused;
}

static int threads(unsigned count) {
    pthread_t made;
    pthread_barrier_init(&together, NULL, count + 1);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&made, NULL, thread, NULL) != 0 || pthread_detach(made) != 0)
            return 1;
    pthread_barrier_wait(&together);
    return 0;
}

static int modules(int count, const char *folder) {
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%d.so", folder, i);
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        void (*allocate)(void) = library == NULL ? NULL : (void (*)(void))dlsym(library, "allocate");
        if (allocate == NULL)
            return fprintf(stderr, "memory: %s\n", dlerror()), 1;
        allocate();
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 2;
    int count = atoi(argv[2]);
    if (strcmp(argv[1], "paths") == 0 && argc == 6) {
        for (int turn = 0, turns = atoi(argv[4]) * atoi(argv[5]); turn < turns; turn++) {
            bytes = (size_t)24 << turn % atoi(argv[4]);
            for (int prefix = 0; prefix < count; prefix++)
                fan((unsigned)prefix, 0, atoi(argv[3]));
        }
        return 0;
    }
    if (strcmp(argv[1], "blocks") == 0 && argc == 4)
        return blocks(count, strtoul(argv[3], NULL, 10));
    if (strcmp(argv[1], "threads") == 0)
        return threads((unsigned)count);
    if (strcmp(argv[1], "modules") == 0 && argc == 4)
        return modules(count, argv[3]);
    return 2;
}
