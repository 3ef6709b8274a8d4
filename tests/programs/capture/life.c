/* Allocations before main, after main, and while threads and the process end. The lines' marks are
 * explained in heap_calls.c. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *early, *late[4];
static pthread_key_t key;
static pthread_t thread;

__attribute__((constructor)) static void before_main(void) {
    early = malloc(111); //= allocs 1; frees 1; bytes 111
}

__attribute__((destructor)) static void after_main(void) {
    late[0] = malloc(222); //= allocs 1; bytes 222
    free(early);           //= none
}

static void at_exit(void) {
    late[1] = malloc(333); //= allocs 1; frees 1; bytes 333
    free(late[1]);
}

/* Runs when the thread's key values are destroyed; sets a value again, so that it runs twice. */
static void destroy(void *value) {
    static int times;
    free(value); //= none
    if (times++ == 0)
        pthread_setspecific(key, malloc(44)); //= allocs 1; frees 1; bytes 44
}

static void *work(void *unused) {
    pthread_setspecific(key, malloc(55)); //= allocs 1; frees 1; bytes 55
    return unused;
}

int main(void) {
    atexit(at_exit);
    pthread_key_create(&key, destroy);
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    late[2] = calloc(1, 66); //= allocs 1; bytes 66
    return 0;
}
