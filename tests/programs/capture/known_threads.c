/* Threads with known costs, each separately.
 *
 *     known_threads named      three threads with names; main frees some of what they allocated
 *     known_threads renamed    short threads that are renamed after they allocated, in every way
 *     known_threads later N    N threads, one after another; the i-th allocates i blocks
 *     known_threads many N     N threads, a few at a time, ten blocks each; prints the resident set
 *                              after a tenth of them and at the end */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 32, UNIT = 1000, AT_ONCE = 4, EACH = 10 };

#define APART __attribute__((noinline, noclone)) static

/* Allocates, all in the same place. */
APART void work(void **blocks, int count) {
    for (int i = 0; i < count; i++)
        blocks[i] = malloc(BLOCK);
}

APART void keep(void **blocks, int count) {
    for (int i = 0; i < count; i++)
        blocks[i] = malloc(BLOCK);
}

APART void only_gamma(void **blocks, int count) {
    for (int i = 0; i < count; i++)
        blocks[i] = malloc(BLOCK);
}

APART void end(void **blocks, int count) {
    for (int i = 0; i < count; i++)
        free(blocks[i]);
}

struct worker {
    const char *name;
    int number;
    pthread_t thread;
    void *work[3 * UNIT], *keep[3 * UNIT], *only[UNIT];
};

/* The thread frees the first half of its work; of what it keeps nothing. */
static void *run_named(void *argument) {
    struct worker *w = argument;
    pthread_setname_np(pthread_self(), w->name);
    work(w->work, w->number * UNIT);
    end(w->work, w->number * UNIT / 2);
    keep(w->keep, 10 * w->number);
    if (strcmp(w->name, "gamma") == 0)
        only_gamma(w->only, UNIT);
    return NULL;
}

/* Renames itself after its first event, or is renamed by main, and is gone before any tick. */
static pthread_barrier_t begun, renamed;

static void *run_renamed(void *argument) {
    struct worker *w = argument;
    work(w->work, 1);
    switch (w->number) {
    case 1:
        prctl(PR_SET_NAME, "prctl, and cut off");
        break;
    case 2:
        syscall(SYS_prctl, PR_SET_NAME, "syscall");
        break;
    case 3:
        pthread_setname_np(pthread_self(), "first of two");
        pthread_setname_np(pthread_self(), "itself");
        pthread_setname_np(pthread_self(), "too long for the kernel");
        break;
    default:
        pthread_barrier_wait(&begun);
        pthread_barrier_wait(&renamed);
    }
    return NULL;
}

static void rename_all(void) {
    static struct worker workers[] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    pthread_barrier_init(&begun, NULL, 2);
    pthread_barrier_init(&renamed, NULL, 2);
    for (int i = 0; i < 4; i++) {
        pthread_create(&workers[i].thread, NULL, run_renamed, &workers[i]);
        if (i == 3) {
            pthread_barrier_wait(&begun);
            pthread_setname_np(workers[i].thread, "by another");
            pthread_barrier_wait(&renamed);
        }
        pthread_join(workers[i].thread, NULL);
    }
}

/* Main frees the next quarter of every thread's work, and one tenth of what only gamma has. */
static void named(void) {
    static struct worker workers[] = {
        {.name = "alpha", .number = 1}, {.name = "beta", .number = 2}, {.name = "gamma", .number = 3}};
    for (int i = 0; i < 3; i++) {
        pthread_create(&workers[i].thread, NULL, run_named, &workers[i]);
        pthread_join(workers[i].thread, NULL);
    }
    for (int i = 0; i < 3; i++)
        end(workers[i].work + workers[i].number * UNIT / 2, workers[i].number * UNIT / 4);
    end(workers[2].only, UNIT / 10);
}

static void *run_counted(void *argument) {
    int count = *(int *)argument;
    void **blocks = calloc((size_t)count, sizeof *blocks);
    work(blocks, count);
    end(blocks, count);
    free(blocks);
    return NULL;
}

static long resident_kib(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        exit(1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE) / 1024;
}

int main(int argc, char **argv) {
    int count = argc > 2 ? atoi(argv[2]) : 0;
    pthread_t threads[AT_ONCE];
    if (argc < 2)
        return 2;
    if (strcmp(argv[1], "named") == 0)
        named();
    if (strcmp(argv[1], "renamed") == 0)
        rename_all();
    for (int i = 1; strcmp(argv[1], "later") == 0 && i <= count; i++) {
        if (pthread_create(&threads[0], NULL, run_counted, &i) != 0)
            return 1;
        pthread_join(threads[0], NULL);
    }
    for (int i = 0; strcmp(argv[1], "many") == 0 && i < count; i += AT_ONCE) {
        static int each = EACH;
        for (int k = 0; k < AT_ONCE; k++)
            if (pthread_create(&threads[k], NULL, run_counted, &each) != 0)
                return 1;
        for (int k = 0; k < AT_ONCE; k++)
            pthread_join(threads[k], NULL);
        if (i == count / 10 || i == count - AT_ONCE)
            printf("%ld\n", resident_kib());
    }
    return 0;
}
