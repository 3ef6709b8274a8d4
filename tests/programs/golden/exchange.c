/* Three threads that hand over what they make: who allocates, who frees, what stays. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 2000 };

static char *messages[MESSAGES];
static pthread_barrier_t made;

static char *make_message(int number) {
    char *message = malloc(4096);
    snprintf(message, 4096, "message %d", number);
    return message;
}

static void *produce(void *nothing) {
    pthread_setname_np(pthread_self(), "producer");
    for (int i = 0; i < MESSAGES; i++)
        messages[i] = make_message(i);
    pthread_barrier_wait(&made);
    return nothing;
}

static void *consume(void *nothing) {
    pthread_setname_np(pthread_self(), "consumer");
    pthread_barrier_wait(&made);
    for (int i = 0; i < MESSAGES; i++)
        if (i % 10 != 0)
            free(messages[i]);
    return nothing;
}

static void *compute(void *nothing) {
    pthread_setname_np(pthread_self(), "compute");
    pthread_barrier_wait(&made);
    for (int i = 0; i < 10000; i++) {
        char *copy = strdup("a word to look at");
        copy[0] = 'A';
        free(copy);
    }
    return nothing;
}

int main(void) {
    static void *(*const work[])(void *) = {produce, consume, compute};
    pthread_t threads[3];
    pthread_barrier_init(&made, NULL, 3);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, work[i], NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    puts("done");
}
