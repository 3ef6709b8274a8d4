/* Code that a tracer does not expect: traps_code WHICH. The program checks its own behaviour; the
 * trace must have the counts in the comments. */
#define _GNU_SOURCE
#include "tests/programs/choice.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { N = 1000, JUMP = 777 };

static void *kept[N];

/* Functions with names of the library's internals and of its static libraries, as any program may
 * have them; the library must not call these. */
#define MINE(name)                                                                                                                 \
    __attribute__((visibility("default"))) void *name(void);                                                                       \
    void *name(void) { _exit(99); }
MINE(ZSTD_compress2)
MINE(ZSTD_trace_compress_begin)
MINE(ZSTD_trace_compress_end)
MINE(ZSTD_initStaticCCtx)
MINE(XXH64)
MINE(vbt_ledger_alloc)
MINE(vbt_lock)
MINE(vbt_map)
MINE(unw_step)

__attribute__((visibility("default"))) char *getenv(const char *name);
char *getenv(const char *name) {
    (void)name;
    _exit(98); /* like bash's, which looks in its own tables */
}

static int own_symbols(void) {
    for (int i = 0; i < N; i++)
        kept[i] = malloc(10); // N among symbols of the program's own
    return 0;
}

/* Machine code without a symbol or unwind information: calls malloc(24) and returns the result. */
static int generated_code(void) {
    unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    void *(*function)(size_t) = malloc;
#if defined __x86_64__
    static const unsigned char text[] = {0x48, 0x83, 0xec, 0x28,                   /* sub $40, %rsp */
                                         0xbf, 24,   0,    0,    0,                /* mov $24, %edi */
                                         0x48, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0, /* movabs $function, %rax */
                                         0xff, 0xd0,                               /* call *%rax */
                                         0x48, 0x83, 0xc4, 0x28,                   /* add $40, %rsp */
                                         0xc3};
    memcpy(code, text, sizeof text);
    memcpy(code + 11, &function, sizeof function);
#elif defined __aarch64__
    static const unsigned text[] = {0xa9be7bfd /* stp x29, x30, [sp, #-32]! */,
                                    0x910003fd /* mov x29, sp */,
                                    0xd2800300 /* mov x0, #24 */,
                                    0x580000a9 /* ldr x9, 20 bytes on */,
                                    0xd63f0120 /* blr x9 */,
                                    0xa8c27bfd /* ldp x29, x30, [sp], #32 */,
                                    0xd65f03c0 /* ret */,
                                    0xd503201f /* nop */};
    memcpy(code, text, sizeof text);
    memcpy(code + 32, &function, sizeof function);
    __builtin___clear_cache((char *)code, (char *)code + 40);
#endif
    void *(*generated)(void);
    memcpy(&generated, &code, sizeof generated);
    for (int i = 0; i < N; i++)
        kept[i] = generated();
    for (int i = 0; i < N; i++)
        free(kept[i]);
    return munmap(code, 4096);
}

static sigjmp_buf back;

static __attribute__((noinline)) int deep(int depth) {
    kept[depth] = malloc(30); // N on the way down
    if (depth + 1 == N)
        siglongjmp(back, 1);
    return deep(depth + 1) + 1;
}

/* Leaves a thousand frames at once, again and again. */
static int long_jump(void) {
    for (volatile int turn = 0; turn < 10; turn = turn + 1) {
        if (sigsetjmp(back, 0) == 0)
            deep(0);
        for (int i = 0; i < N; i++)
            free(kept[i]);
    }
    return 0;
}

static void jump_out(int number) {
    (void)number;
    siglongjmp(back, 1);
}

/* A signal arrives within malloc, and its handler never returns there. */
static int jump_out_of_malloc(void) {
    signal(SIGUSR2, jump_out);
    for (volatile int i = 0; i < N; i = i + 1) {
        if (sigsetjmp(back, 1) == 0)
            kept[i] = malloc(JUMP); // never
        else
            kept[i] = malloc(10); // N after a jump out of malloc
    }
    return 0;
}

/* For an allocator whose calloc calls malloc by name. */
static int callocs(void) {
    for (int i = 0; i < N; i++)
        kept[i] = calloc(2, 8); // N by calloc
    return 0;
}

static volatile long in_handler;

static void handler(int number) {
    void *volatile block = malloc(12); // in the handler
    (void)number;
    in_handler = in_handler + (block != NULL);
}

/* Allocates in handlers at any moment, also while the library updates its counters. Prints how
 * often. */
static int handlers(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 300 * N; i++) {
        void *volatile block = malloc(24); // 300 * N outside the handler
        free(block);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("%ld\n", in_handler);
    return 0;
}

/* Blocks whose allocation the library has not seen. */
static int strangers(void) {
    void *(*hidden)(size_t);
    *(void **)&hidden = dlsym(RTLD_DEFAULT, "__libc_malloc");
    for (int i = 0; i < N; i++)
        kept[i] = hidden(40);
    for (int i = 0; i < N; i++)
        free(kept[i]);
    return 0;
}

/* Calls a given library, loaded with RTLD_DEEPBIND. */
static int deep_binding(void) {
    void *library = dlopen(given[0], RTLD_NOW | RTLD_DEEPBIND);
    void (*work)(void) = NULL;
    if (library == NULL)
        return 1;
    *(void **)&work = dlsym(library, "work");
    work();
    return dlclose(library);
}

static int in_c11_thread(void *unused) {
    (void)unused;
    for (int i = 0; i < N; i++)
        free(malloc(14)); // N in a thread of C11
    return 0;
}

static atomic_int called;

static void in_timer_thread(union sigval value) {
    (void)value;
    free(malloc(15)); // 1 in a timer's thread
    called = 1;
}

/* Threads created by others through pthread_create: C11 threads, and timers. */
static int other_threads(void) {
    thrd_t thread;
    if (thrd_create(&thread, in_c11_thread, NULL) != thrd_success || thrd_join(thread, NULL) != thrd_success)
        return 1;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = in_timer_thread};
    struct itimerspec soon = {.it_value = {0, 1000000}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &soon, NULL) != 0)
        return 2;
    while (!called)
        usleep(1000);
    return timer_delete(timer);
}

static void *resize(void *unused) {
    void *mine[10] = {NULL};
    for (int i = 0; i < 20 * N; i++) {
        void **one = &mine[i % 10];
        *one = realloc(*one, (size_t)(1 + i * 7919 % 3000)); // 80 * N in four threads
    }
    for (int i = 0; i < 10; i++)
        free(mine[i]);
    return unused;
}

/* A block that one thread's realloc frees is given to another thread at once. */
static int resizing(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, resize, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static atomic_int stop;

static void *load_and_unload(void *unused) {
    for (int i = 0; i < 100; i++) {
        void *library = dlopen(given[0], RTLD_NOW);
        void (*work)(void) = NULL;
        if (library == NULL)
            _exit(97);
        *(void **)&work = dlsym(library, "work");
        work();
        dlclose(library);
    }
    atomic_fetch_add(&stop, 1);
    return unused;
}

static void *walk_and_allocate(void *unused) {
    void *frames[20];
    while (stop < 2) {
        free(malloc(50));
        if (backtrace(frames, 20) < 2) /* locks the loader */
            _exit(96);
    }
    return unused;
}

/* Two threads load and unload a given library, two walk their stacks. */
static int loader(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i < 2 ? load_and_unload : walk_and_allocate, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static const struct choice traps[] = {
    {"own-symbols", own_symbols},
    {"generated-code", generated_code},
    {"long-jump", long_jump},
    {"jump-out-of-malloc", jump_out_of_malloc},
    {"callocs", callocs},
    {"handlers", handlers},
    {"strangers", strangers},
    {"deep-binding", deep_binding},
    {"other-threads", other_threads},
    {"resizing", resizing},
    {"loader", loader},
    {NULL, NULL},
};

int main(int count, char **arguments) {
    (void)count;
    return run_choice(traps, arguments);
}
