/* A heap of small blocks that are freed, and then advice for its addresses, which stay mapped, as
 * allocators give it: given_up ADVICE ..., numbers. Prints how many KiB the library takes: before
 * the blocks, with them, after them; then a line for each advice, with its result and errno. In
 * the end, blocks are made there again. */
#include "tests/programs/library_memory.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

enum { SIZE = 200, COUNT = 200 * 1000, MARGIN = 64 * 1024 };

static char *blocks[COUNT];

static int make(void) {
    for (int i = 0; i < COUNT; i++)
        if ((blocks[i] = malloc(SIZE)) == NULL) // COUNT, twice
            return 1;
    return 0;
}

static void free_all(void) {
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IONBF, 0);
    long before = library_kib();
    if (make() != 0)
        return 1;
    /* Without what malloc notes at the ends of free memory, and in blocks that it keeps at hand. */
    uintptr_t low = ((uintptr_t)blocks[0] + MARGIN) & ~(uintptr_t)4095;
    uintptr_t high = ((uintptr_t)blocks[COUNT - 1] - MARGIN) & ~(uintptr_t)4095;
    void *last = malloc(SIZE); /* the heap does not shrink */
    long with = library_kib();
    free_all();
    printf("%ld %ld %ld\n", before, with, library_kib());
    for (int i = 1; i < count; i++) {
        errno = 77;
        int result = madvise((void *)low, high - low, atoi(arguments[i])), error = errno;
        printf("%ld %d %d\n", library_kib(), result, error);
    }
    if (make() != 0)
        return 1;
    free_all();
    free(last);
    return 0;
}
