/* A native program: blocks of many sizes, allocated, grown and freed in random order. Arguments:
 * turns, seed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 4096

static void *slots[SLOTS];
static uint64_t state;

static uint64_t random_number(void) { /* xorshift64 */
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Mostly small: 16 to 271 bytes; one in 64 up to 16 KiB. */
static size_t random_size(uint64_t number) { return 16 + (number % 64 == 0 ? number / 64 % 16384 : number / 64 % 256); }

static void turn(void) {
    uint64_t number = random_number();
    void **slot = &slots[number % SLOTS];
    size_t size = random_size(number / SLOTS);
    void *block;
    if (number >> 61 == 0) { /* one in eight grows or shrinks */
        block = realloc(*slot, size);
    } else {
        free(*slot);
        block = number >> 61 == 1 ? calloc(1, size) : malloc(size);
    }
    if (block == NULL) {
        perror("malloc_mix");
        exit(1);
    }
    *(char *)block = 1;
    *slot = block;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fputs("malloc_mix: expected turns and seed\n", stderr);
        return 2;
    }
    state = 0x9e3779b97f4a7c15u ^ strtoull(argv[2], NULL, 10);
    for (uint64_t left = strtoull(argv[1], NULL, 10); left > 0; left--)
        turn();
    for (size_t i = 0; i < SLOTS; i++)
        free(slots[i]);
    return 0;
}
