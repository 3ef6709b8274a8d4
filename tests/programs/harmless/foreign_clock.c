/* A library that stands before libc's clock, as libfaketime does, and needs on the way what only a
 * thread of libc's making has. HOW: which. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, THREAD_LOCAL, HEAP, SPECIFIC, RECURSIVE, FORMATTED };

static __thread int calls; /* through __tls_get_addr: this is position-independent code */
static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

__attribute__((constructor)) static void begin(void) { pthread_key_create(&key, NULL); }

static void use(int how) {
    char text[64];
    if (how == THREAD_LOCAL) {
        calls++;
    } else if (how == HEAP) {
        free(malloc(100));
    } else if (how == SPECIFIC) {
        pthread_setspecific(key, &key);
    } else if (how == RECURSIVE) {
        pthread_mutex_lock(&mutex);
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        pthread_mutex_unlock(&mutex);
    } else if (how == FORMATTED) {
        snprintf(text, sizeof text, "%f", 1.5);
    }
}

int clock_gettime(clockid_t id, struct timespec *now) {
    use(HOW);
    return (int)syscall(SYS_clock_gettime, id, now);
}
