/* Blocks that one thread allocates and another frees; and a thousand short threads. The lines'
 * marks are explained in heap_calls.c. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { PAIRS = 4, BLOCKS = 20000, SLOTS = 256, SHORT = 1000 };

struct pipe {
    _Atomic(void *) slots[SLOTS];
};

static void *produce(void *argument) {
    struct pipe *pipe = argument;
    for (int i = 0; i < BLOCKS; i++) {
        void *block = malloc(32); //= allocs PAIRS * BLOCKS; frees PAIRS * BLOCKS; bytes 32 * PAIRS * BLOCKS
        void *empty = NULL;
        while (!atomic_compare_exchange_weak(&pipe->slots[i % SLOTS], &empty, block))
            empty = NULL, sched_yield();
    }
    return NULL;
}

static void *consume(void *argument) {
    struct pipe *pipe = argument;
    for (int i = 0; i < BLOCKS; i++) {
        void *block;
        while ((block = atomic_exchange(&pipe->slots[i % SLOTS], NULL)) == NULL)
            sched_yield();
        free(block); //= none
    }
    return NULL;
}

static void *resize(void *argument) {
    struct pipe *pipe = argument;
    for (int i = 0; i < BLOCKS; i++) {
        void *block = realloc(NULL, 8); //= allocs PAIRS * BLOCKS; frees PAIRS * BLOCKS; bytes 8 * PAIRS * BLOCKS
        block = realloc(block, 1000);   //= allocs PAIRS * BLOCKS; frees PAIRS * BLOCKS; bytes 1000 * PAIRS * BLOCKS
        free(block);
    }
    return pipe;
}

static void *brief(void *argument) {
    void **kept = argument;
    void *volatile temporary = malloc(100); //= allocs SHORT; frees SHORT; bytes 100 * SHORT
    *kept = malloc(24);                     //= allocs SHORT; bytes 24 * SHORT -- kept after the thread has ended
    free(temporary);
    return NULL;
}

int main(void) {
    static struct pipe pipes[PAIRS];
    static void *kept[SHORT];
    pthread_t threads[3 * PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        pthread_create(&threads[3 * i], NULL, produce, &pipes[i]);
        pthread_create(&threads[3 * i + 1], NULL, consume, &pipes[i]);
        pthread_create(&threads[3 * i + 2], NULL, resize, &pipes[i]);
    }
    for (int i = 0; i < 3 * PAIRS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHORT; i += 2) {
        pthread_create(&threads[0], NULL, brief, &kept[i]);
        pthread_create(&threads[1], NULL, brief, &kept[i + 1]);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
    }
    return 0;
}
