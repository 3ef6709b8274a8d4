/* call_paths DEPTH: a block from each of 2^DEPTH call paths, which stay. Two calls in each function
 * make twice as many paths on each level. */
#include <stdlib.h>

static void *volatile kept;
static volatile int calls; /* what follows a call, so that it is no jump */

static __attribute__((noinline)) void descend(int depth) {
    if (depth == 0) {
        kept = malloc(16);
        return;
    }
    descend(depth - 1);
    calls++;
    descend(depth - 1);
    calls++;
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    descend(atoi(arguments[1]));
    return 0;
}
