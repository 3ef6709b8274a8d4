/* call_paths DEPTH LONGER BLOCKS: 2^DEPTH call paths with BLOCKS blocks each, which stay. Two calls
 * in each function make twice as many paths on each level; LONGER more calls lead to the blocks,
 * and each block is allocated on a line of its own, up to 18. So for each 2 + LONGER paths that
 * only lead to others there are BLOCKS at which something is counted. */
#include <stdlib.h>

static void *volatile kept;
static volatile int calls; /* what follows a call, so that it is no jump */
static int longer, blocks;

static __attribute__((noinline)) void allocate(int left) {
    if (left > 0) {
        allocate(left - 1);
        calls++;
        return;
    }
    if (blocks > 0)
        kept = malloc(16);
    if (blocks > 1)
        kept = malloc(16);
    if (blocks > 2)
        kept = malloc(16);
    if (blocks > 3)
        kept = malloc(16);
    if (blocks > 4)
        kept = malloc(16);
    if (blocks > 5)
        kept = malloc(16);
    if (blocks > 6)
        kept = malloc(16);
    if (blocks > 7)
        kept = malloc(16);
    if (blocks > 8)
        kept = malloc(16);
    if (blocks > 9)
        kept = malloc(16);
    if (blocks > 10)
        kept = malloc(16);
    if (blocks > 11)
        kept = malloc(16);
    if (blocks > 12)
        kept = malloc(16);
    if (blocks > 13)
        kept = malloc(16);
    if (blocks > 14)
        kept = malloc(16);
    if (blocks > 15)
        kept = malloc(16);
    if (blocks > 16)
        kept = malloc(16);
    if (blocks > 17)
        kept = malloc(16);
}

static __attribute__((noinline)) void descend(int depth) {
    if (depth > 1)
        descend(depth - 1);
    else
        allocate(longer);
    calls++;
    if (depth > 1)
        descend(depth - 1);
    else
        allocate(longer);
    calls++;
}

int main(int count, char **arguments) {
    if (count != 4)
        return 2;
    longer = atoi(arguments[2]);
    blocks = atoi(arguments[3]);
    descend(atoi(arguments[1]));
    return 0;
}
