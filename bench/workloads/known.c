/* A known answer: n blocks of 40 bytes that are freed at once, then n that stay, each kind from its
 * own line. Argument: n. */
#include <stdio.h>
#include <stdlib.h>

enum { BYTES = 40 };

/* Not inlined, so that malloc returns to the calling line: tools look up the return address. */
__attribute__((noinline)) static void *use(void *block) {
    *(void *volatile *)block = NULL;
    return block;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fputs("known: expected the number of blocks\n", stderr);
        return 2;
    }
    unsigned long long n = strtoull(argv[1], NULL, 10);
    void **last = NULL;
    for (unsigned long long i = 0; i < n; i++) {
        void *block = use(malloc(BYTES)); // dies
        free(block);
    }
    for (unsigned long long i = 0; i < n; i++) {
        void **block = use(malloc(BYTES)); // stays
        *block = last;
        last = block;
    }
    use(&last);
    return 0;
}
