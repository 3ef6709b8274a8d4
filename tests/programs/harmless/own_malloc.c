/* A program that defines malloc, like one with a statically linked allocator. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static char room[1 << 20] __attribute__((aligned(16)));
static size_t used;

void *malloc(size_t size) {
    void *block = room + used;
    used += (size + 15) & ~(size_t)15;
    return used < sizeof room ? block : NULL;
}

void free(void *block) { (void)block; }

void *calloc(size_t count, size_t size) { return memset(malloc(count * size), 0, count * size); }

void *realloc(void *block, size_t size) {
    void *fresh = malloc(size);
    return block != NULL ? memcpy(fresh, block, size) : fresh;
}

int main(void) {
    for (int i = 0; i < 100; i++)
        free(malloc(10));
    return puts("works") < 0;
}
