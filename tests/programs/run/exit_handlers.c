/* A library (-DLIBRARY) whose constructor registers a hundred handlers of exit, more than libc has
 * room for without allocating. The first of them, which run last, allocate and free. A program that
 * ends by exit, or with an argument, by quick_exit. */
#define _GNU_SOURCE
#include <stdlib.h>

#if defined LIBRARY

enum { HANDLERS = 100, SIZE = 12345 };

static void *volatile kept;

/* What is in `kept` was allocated in the constructor. */
static void free_and_allocate(void) {
    free(kept);
    kept = malloc(SIZE + 1); // at the end
    free(kept);
}

static void at_exit(int status, void *unused) {
    (void)status, (void)unused;
    free_and_allocate();
}

static void nothing(void) {}

__attribute__((constructor)) static void begin(void) {
    on_exit(at_exit, NULL); /* belongs to no library */
    at_quick_exit(free_and_allocate);
    for (int i = 0; i < HANDLERS; i++) {
        atexit(nothing);
        at_quick_exit(nothing);
    }
    kept = malloc(SIZE); // at the start
}

#else

int main(int argc, char **argv) {
    (void)argv;
    argc == 1 ? exit(3) : quick_exit(3);
}

#endif
