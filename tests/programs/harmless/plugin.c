/* A library with one function, which allocates BLOCKS times: compiled twice, with different numbers
 * and names. */
#include <stdlib.h>

void work(void);

static void *volatile sink;

void NAME(void);
void NAME(void) {
    for (int i = 0; i < BLOCKS; i++)
        sink = malloc(10);
}

void work(void) { NAME(); }
