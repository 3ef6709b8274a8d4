/* Allocates a lot, frees all but a few blocks, and trims: prints how many KiB are resident then. In
 * the end, the blocks that were kept are freed, and a few more come and go. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCKS = 2000000, BLOCK = 100, KEPT_EVERY = 100000 };

static void *block[BLOCKS];

static long resident_kib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

static void fill(void) {
    for (int i = 0; i < BLOCKS; i++)
        if (block[i] == NULL)
            memset(block[i] = malloc(BLOCK), 1, BLOCK); // BLOCKS, and once more without the kept ones
}

static void empty(int kept_every) {
    for (int i = 0; i < BLOCKS; i++)
        if (i % kept_every != kept_every - 1) {
            free(block[i]);
            block[i] = NULL;
        }
}

int main(void) {
    for (int round = 0; round < 2; round++) {
        fill();
        empty(KEPT_EVERY);
        malloc_trim(0);
    }
    printf("%ld\n", resident_kib());
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    return 0;
}
