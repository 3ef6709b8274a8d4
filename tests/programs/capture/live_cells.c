/* Live blocks of one size. Arguments: the size, how many. Prints how many KiB the library takes,
 * before and after they were made, and after they are freed. */
#include "tests/programs/library_memory.h"

#pragma weak mallctl
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size);

/* jemalloc gives up what is free. */
static void give_up(void) {
    if (mallctl == NULL)
        return;
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* of all arenas */
}

int main(int count, char **arguments) {
    if (count != 3)
        return 2;
    size_t size = (size_t)atol(arguments[1]);
    long number = atol(arguments[2]);
    void **blocks = malloc((size_t)number * sizeof *blocks);
    for (long i = 0; blocks != NULL && i < number; i++)
        blocks[i] = NULL;
    long before = library_kib();
    for (long i = 0; i < number; i++)
        if ((blocks[i] = malloc(size)) == NULL) // as many as asked for
            return 1;
    long with = library_kib();
    for (long i = 0; i < number; i++)
        free(blocks[i]);
    give_up();
    printf("%ld %ld %ld\n", before, with, library_kib());
    return 0;
}
