/* Every function of the malloc family, with known counts. The requests of each line are given at
 * its end and compared with the trace, as in ground_truth_objects.py; a free is counted at the line
 * that allocated the block. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 1000 };

static void *kept[N];
static volatile size_t beyond = PTRDIFF_MAX; /* more than the machine has */
static volatile size_t none = 0;

static void check(int holds, int line) {
    if (!holds) {
        fprintf(stderr, "line %d: not as the C library does it\n", line);
        abort();
    }
}
#define CHECK(condition) check(condition, __LINE__)

static void free_all(void) {
    for (int i = 0; i < N; i++) {
        free(kept[i]); //= none
        kept[i] = NULL;
    }
}

static void simple_calls(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc((size_t)i); //= allocs N; frees N; bytes N * (N - 1) // 2 -- 0 bytes is a block, too
    free_all();
    for (int i = 0; i < N; i++)
        kept[i] = calloc(3, 7); //= allocs N; frees N; bytes 21 * N
    for (int i = 0; i < N; i++)
        CHECK(((char *)kept[i])[20] == 0);
    free_all();
    for (int i = 0; i < N; i++)
        free(NULL); //= none
    for (int i = 0; i < N; i++)
        CHECK(malloc(beyond) == NULL && errno == ENOMEM); //= none
    for (int i = 0; i < N; i++)
        CHECK(calloc(SIZE_MAX / 2, none + 3) == NULL && errno == ENOMEM); //= none -- the product overflows
    for (int i = 0; i < N; i++)
        kept[i] = malloc(8); //= allocs N; bytes 8 * N -- kept until the end
}

static void resizing(void) {
    static char *block[N];
    for (int i = 0; i < N; i++)
        block[i] = realloc(NULL, 10); //= allocs N; frees N; bytes 10 * N
    for (int i = 0; i < N; i++)
        memcpy(block[i], "123456789", 10);
    for (int i = 0; i < N; i++)
        block[i] = realloc(block[i], 100000); //= allocs N; frees N; bytes 100000 * N
    for (int i = 0; i < N; i++)
        block[i] = realloc(block[i], 20); //= allocs N; frees N; bytes 20 * N
    for (int i = 0; i < N; i++)
        CHECK(realloc(block[i], beyond) == NULL && errno == ENOMEM); //= none -- the block stays
    for (int i = 0; i < N; i++)
        CHECK(strcmp(block[i], "123456789") == 0);
    for (int i = 0; i < N; i++)
        block[i] = reallocarray(block[i], 5, 6); //= allocs N; frees N; bytes 30 * N
    for (int i = 0; i < N; i++)
        CHECK(reallocarray(block[i], SIZE_MAX / 2, none + 3) == NULL && errno == ENOMEM); //= none
    for (int i = 0; i < N; i++)
        CHECK(strcmp(block[i], "123456789") == 0);
    for (int i = 0; i < N; i++)
        CHECK(realloc(block[i], none) == NULL); //= none -- a free
    for (int i = 0; i < N; i++)
        block[i] = reallocarray(NULL, 2, 3); //= allocs N; frees N // 2; bytes 6 * N
    for (int i = 0; i < N; i += 2)
        free(block[i]); //= none
}

static void aligned(void) {
    static void *block[N];
    for (int i = 0; i < N; i++)
        CHECK(posix_memalign(&block[i], 256, 100) == 0); //= allocs N; frees N; bytes 100 * N
    for (int i = 0; i < N; i++) {
        CHECK((uintptr_t)block[i] % 256 == 0);
        free(block[i]); //= none
    }
    for (int i = 0; i < N; i++)
        CHECK(posix_memalign(&block[i], 3, 100) == EINVAL); //= none
    for (int i = 0; i < N; i++)
        CHECK(posix_memalign(&block[i], 64, beyond) == ENOMEM); //= none
    for (int i = 0; i < N; i++)
        block[i] = aligned_alloc(64, 128); //= allocs N; frees N; bytes 128 * N
    for (int i = 0; i < N; i++)
        free(block[i]);
    for (int i = 0; i < N; i++)
        block[i] = memalign(128, 50); //= allocs N; frees N; bytes 50 * N
    for (int i = 0; i < N; i++) {
        CHECK((uintptr_t)block[i] % 128 == 0 && malloc_usable_size(block[i]) >= 50);
        free(block[i]);
    }
    for (int i = 0; i < 10; i++)
        block[i] = valloc(100); //= allocs 10; frees 10; bytes 1000
    for (int i = 0; i < 10; i++)
        free(block[i]);
    for (int i = 0; i < 10; i++)
        block[i] = pvalloc(100); //= allocs 10; bytes 10 * PVALLOC
    for (int i = 0; i < N; i++)
        block[i] = aligned_alloc(64, 64); //= allocs N; frees N; bytes 64 * N
    for (int i = 0; i < N; i++)
        block[i] = realloc(block[i], 200); //= allocs N; bytes 200 * N
}

static void temporaries(void) {
    for (int i = 0; i < N; i++) {
        void *volatile block = malloc(16); //= allocs N; frees N; temporary N
        free(block);
    }
    for (int i = 0; i < N; i++) {
        void *volatile block = malloc(16); //= allocs N; frees N; temporary 0
        void *volatile next = malloc(16);  //= allocs N; frees N; temporary N -- the latest when it is freed
        free(next);
        free(block);
    }
}

int main(void) {
    simple_calls();
    resizing();
    aligned();
    temporaries();
    errno = 0;
    return 0;
}
