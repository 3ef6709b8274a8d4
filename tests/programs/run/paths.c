/* Allocates once on each of 4096 call paths, several times: two calls, twelve levels deep. */
#include <stdlib.h>
#include <time.h>

enum { DEPTH = 12, PATHS = 1 << DEPTH, ROUNDS = 3 };

static void *volatile kept;

static void descend(int depth, unsigned path) {
    if (depth == 0) {
        kept = malloc(32); // each path
        return;
    }
    if (path & 1)
        descend(depth - 1, path >> 1);
    else
        descend(depth - 1, path >> 1);
}

int main(void) {
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned path = 0; path < PATHS; path++)
            descend(DEPTH, path);
        nanosleep(&(struct timespec){0, 50 * 1000 * 1000}, NULL);
    }
    return 0;
}
