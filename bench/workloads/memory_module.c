/* A library that is loaded often, under many names: see memory.c. */
#include <stdlib.h>

void *volatile kept;

void allocate(void) {
    kept = malloc(24);
    free(kept);
}
