/* Allocates once on each of 4096 call paths, several times: two calls, twelve levels deep; or as
 * deep as is given. */
#include <stdlib.h>
#include <time.h>

enum { DEPTH = 12, ROUNDS = 3 };

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

int main(int count, char **arguments) {
    int deep = count > 1 ? atoi(arguments[1]) : DEPTH;
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned path = 0; path < 1U << deep; path++)
            descend(deep, path);
        nanosleep(&(struct timespec){0, 50 * 1000 * 1000}, NULL);
    }
    return 0;
}
