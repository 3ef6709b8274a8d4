/* What commonly breaks allocation tracers: traps WHICH. The program checks its own behaviour; the
 * trace must have the counts in the comments. */
#define _GNU_SOURCE
#include "tests/programs/choice.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { N = 1000 };

static void *volatile sink;

static void *on_small_stack(void *unused) {
    for (int i = 0; i < N; i++) {
        sink = malloc(24); // N on a small stack
        free(sink);
    }
    return unused;
}

static int small_stack(void) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) != 0)
        return 1;
    if (pthread_create(&thread, &attributes, on_small_stack, NULL) != 0)
        return 2;
    return pthread_join(thread, NULL);
}

static volatile int handled;
static pthread_t main_thread;
static volatile int in_other_thread;

static void handler(int number) {
    (void)number;
    handled = handled + 1;
    in_other_thread |= !pthread_equal(pthread_self(), main_thread);
}

/* Signals to the process reach only the program's thread, although a helper is running. */
static int signals(void) {
    main_thread = pthread_self();
    signal(SIGUSR1, handler);
    signal(SIGALRM, handler);
    struct itimerval often = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 100; i++) {
        int before = handled;
        kill(getpid(), SIGUSR1);
        if (handled == before)
            return 1; /* a signal sent to oneself is handled before kill returns, if no other thread can take it */
        for (int j = 0; j < N; j++) {
            sink = malloc(24); // 100 * N between signals
            free(sink);
        }
    }
    return in_other_thread;
}

static ucontext_t here, there;

static void on_another_stack(void) {
    for (int i = 0; i < N; i++)
        sink = malloc(40); // N in a fibre
}

static int fibre(void) {
    static char stack[64 * 1024];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, on_another_stack, 0);
    return swapcontext(&here, &there);
}

static void in_handler(int number) {
    (void)number;
    sink = malloc(48); // 1 in a handler on another stack
}

static int alternate_stack(void) {
    static char stack[16 * 1024];
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = in_handler, .sa_flags = SA_ONSTACK};
    if (sigaltstack(&other, NULL) != 0 || sigaction(SIGUSR2, &action, NULL) != 0)
        return 1;
    return raise(SIGUSR2);
}

/* Two libraries, given by their paths, that take turns at the same addresses: each has its own
 * counts. */
static int libraries(void) {
    for (int turn = 0; turn < 20; turn++) {
        void *library = dlopen(given[turn % 2], RTLD_NOW);
        void (*work)(void) = NULL;
        if (library == NULL)
            return 1;
        *(void **)&work = dlsym(library, "work");
        work();
        dlclose(library);
    }
    return 0;
}

/* Blocks are not changed: size, alignment, contents. */
static int contents(void) {
    for (size_t size = 1; size < 5000; size += 7) {
        unsigned char *block = malloc(size);
        size_t usable = malloc_usable_size(block);
        if (usable < size || (uintptr_t)block % 16 != 0)
            return 1;
        memset(block, 0xA5, usable); /* all usable bytes */
        unsigned char *next = malloc(size);
        for (size_t i = 0; i < usable; i++)
            if (block[i] != 0xA5)
                return 2;
        block = realloc(block, 2 * usable);
        for (size_t i = 0; i < usable; i++)
            if (block[i] != 0xA5)
                return 3;
        printf("%zu %zu\n", size, usable);
        free(next);
        free(block);
    }
    return 0;
}

static const struct choice traps[] = {
    {"small-stack", small_stack}, {"signals", signals},   {"fibre", fibre}, {"alternate-stack", alternate_stack},
    {"libraries", libraries},     {"contents", contents}, {NULL, NULL},
};

int main(int count, char **arguments) {
    (void)count;
    return run_choice(traps, arguments);
}
