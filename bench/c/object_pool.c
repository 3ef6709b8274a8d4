/* n objects of 32 bytes, all live at once: each by malloc, from chunks of 256, from one block.
 *
 * expect each_by_malloc: allocs n + 1; bytes 32 * n + 8 * n
 * expect chunks: allocs n // 256 + 1; bytes 32 * n + 8 * n + 8 * (n // 256)
 * expect one_block: allocs 2; bytes 32 * n + 8 * n */
#include "measure.h"

enum { CHUNK = 256 };

struct object {
    long fields[4];
};

struct chunk {
    struct chunk *next;
    struct object objects[CHUNK];
};

static void *allocated(size_t size) {
    void *block = malloc(size);
    if (block == NULL) {
        perror("malloc");
        exit(1);
    }
    return block;
}

/* The work done with the objects, wherever they come from. */
static void use(struct object **objects, size_t n) {
    for (size_t i = 0; i < n; i++)
        objects[i]->fields[0] = (long)i;
    used(objects);
}

static void each_by_malloc(size_t n) {
    struct object **objects = allocated(n * sizeof *objects);
    for (size_t i = 0; i < n; i++)
        objects[i] = allocated(sizeof *objects[i]);
    use(objects, n);
    for (size_t i = 0; i < n; i++)
        free(objects[i]);
    free(objects);
}

static void chunks(size_t n) {
    struct object **objects = allocated(n * sizeof *objects);
    struct chunk *all = NULL;
    for (size_t i = 0; i < n; i++) {
        if (i % CHUNK == 0) {
            struct chunk *chunk = allocated(sizeof *chunk);
            chunk->next = all;
            all = chunk;
        }
        objects[i] = &all->objects[i % CHUNK];
    }
    use(objects, n);
    while (all != NULL) {
        struct chunk *next = all->next;
        free(all);
        all = next;
    }
    free(objects);
}

static void one_block(size_t n) {
    struct object **objects = allocated(n * sizeof *objects), *block = allocated(n * sizeof *block);
    for (size_t i = 0; i < n; i++)
        objects[i] = &block[i];
    use(objects, n);
    free(block);
    free(objects);
}

int main(int argc, char **argv) {
    static const struct variant variants[] = {
        {"each_by_malloc", each_by_malloc}, {"chunks", chunks}, {"one_block", one_block}, {NULL, NULL}};
    return measure(argc, argv, variants);
}
