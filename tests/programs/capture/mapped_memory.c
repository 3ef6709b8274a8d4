/* Mapped memory, with the expected counts at the end of each line that maps: mapped_memory
 * traps|threads|fork|clones|resident. P is a page.
 *
 * The program checks the calls' results, and that errno is as the kernel left it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SHARED = MAP_SHARED | MAP_ANONYMOUS,
    PRIVATE = MAP_PRIVATE | MAP_ANONYMOUS,
    OVER = PRIVATE | MAP_FIXED,
    RW = PROT_READ | PROT_WRITE
};

static size_t P;

#define MUST(holds) ((holds) ? (void)0 : fail(#holds, __LINE__))

static void fail(const char *what, int line) {
    fprintf(stderr, "mapped_memory.c:%d: %s (%s)\n", line, what, strerror(errno));
    exit(1);
}

/* The call must fail with this error number, and nothing else may have set errno. */
#define MUST_FAIL(call, failed, number) (errno = EDOM, MUST((call) == (failed) && errno == (number)))

/* The call must succeed and leave errno alone. */
#define MUST_DO(call) (errno = EDOM, MUST((call) == 0 && errno == EDOM))

static void parts(void) {
    char *a = mmap(NULL, 10 * P + 1, RW, PRIVATE, -1, 0); //= allocs 1; frees 1; bytes 11 * P; freed 11 * P
    MUST_DO(munmap(a + 4 * P, 3 * P));
    MUST_DO(munmap(a, 1)); /* a page */
    MUST_DO(munmap(a, 11 * P));
    char *b = mmap(NULL, 8 * P, RW, PRIVATE, -1, 0); //= allocs 1; bytes 8 * P; freed 3 * P
    MUST_DO(munmap(b + 7 * P, P));
    MUST_DO(munmap(b + 2 * P, 2 * P));
    b[0] = b[4 * P] = 1;
    void *c = mmap64(NULL, P, PROT_READ, SHARED, -1, 0); //= allocs 1; frees 1; bytes P; freed P; temporary 1
    MUST_DO(munmap(c, P));
}

/* One call ends three mappings and crosses two holes. */
static void spanning(void) {
    char *all = mmap(NULL, 20 * P, PROT_NONE, PRIVATE, -1, 0); //= allocs 1; frees 1; bytes 20 * P; freed 20 * P
    MUST_DO(munmap(all, 20 * P));
    MUST(mmap(all, 4 * P, RW, OVER, -1, 0) == all);                   //= allocs 1; bytes 4 * P; freed 2 * P
    MUST(mmap(all + 6 * P, 2 * P, RW, OVER, -1, 0) == all + 6 * P);   //= allocs 1; frees 1; bytes 2 * P; freed 2 * P
    MUST(mmap(all + 10 * P, 4 * P, RW, OVER, -1, 0) == all + 10 * P); //= allocs 1; bytes 4 * P; freed 1 * P
    MUST_DO(munmap(all + 2 * P, 9 * P));
}

static void over(void) {
    char *a = mmap(NULL, 10 * P, RW, PRIVATE, -1, 0);                  //= allocs 1; bytes 10 * P; freed 7 * P
    MUST(mmap(a + 2 * P, 3 * P, PROT_READ, OVER, -1, 0) == a + 2 * P); //= allocs 1; frees 1; bytes 3 * P; freed 3 * P
    MUST(mmap(a + 2 * P, 7 * P, PROT_READ, OVER, -1, 0) == a + 2 * P); //= allocs 1; bytes 7 * P
    a[9 * P] = 1;
}

static void refused(void) {
    char *a = mmap(NULL, 10 * P, RW, PRIVATE, -1, 0); //= allocs 1; bytes 10 * P
    MUST_FAIL(munmap(a + 1, P), -1, EINVAL);
    MUST_FAIL(munmap(a, 0), -1, EINVAL);
    MUST_FAIL(munmap(a, SIZE_MAX), -1, EINVAL);
    MUST_FAIL(mmap(a, 0, RW, OVER, -1, 0), MAP_FAILED, EINVAL);
    MUST_FAIL(mmap(a, 2 * P, RW, MAP_PRIVATE | MAP_FIXED, -1, 0), MAP_FAILED, EBADF);
    MUST_FAIL(mmap(a, 2 * P, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0), MAP_FAILED, EEXIST);
    MUST_FAIL(mmap(NULL, (size_t)1 << 46, RW, PRIVATE, -1, 0), MAP_FAILED, ENOMEM);
    MUST_FAIL(mremap(a, 10 * P, (size_t)1 << 46, MREMAP_MAYMOVE), MAP_FAILED, ENOMEM);
    MUST_FAIL(mremap(a, 10 * P, 10 * P, MREMAP_MAYMOVE | MREMAP_FIXED, a + 5 * P), MAP_FAILED, EINVAL);
    a[0] = a[10 * P - 1] = 1;
}

static void moved(void) {
    char *a = mmap(NULL, 4 * P, RW, SHARED, -1, 0); //= allocs 1; frees 1; bytes 4 * P; freed 4 * P
    a[0] = 'a';
    char *more = mremap(a, 4 * P, 6 * P, MREMAP_MAYMOVE); //= allocs 1; frees 1; bytes 6 * P; freed 6 * P
    char *less = mremap(more, 6 * P, 2 * P, 0);           //= allocs 1; bytes 2 * P
    char *twin = mremap(less, 0, 2 * P, MREMAP_MAYMOVE);  //= allocs 1; frees 1; bytes 2 * P; freed 2 * P
    MUST(less[0] == 'a' && twin[0] == 'a' && less != twin);
    char *place = mmap(NULL, 6 * P, PROT_NONE, PRIVATE, -1, 0);                              //= allocs 1; bytes 6 * P; freed 2 * P
    MUST(mremap(twin, 2 * P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, place + P) == place + P); //= allocs 1; bytes 2 * P
    char *kept = mmap(NULL, 3 * P, RW, PRIVATE, -1, 0);                                      //= allocs 1; bytes 3 * P
    kept[0] = 'k';
    char *fresh = mremap(kept, 3 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL); //= allocs 1; bytes 3 * P
    MUST(fresh[0] == 'k' && kept[0] == 0);
}

/* Whole pages: counted when the break crosses a page boundary. */
static void the_break(void) {
    sbrk((intptr_t)(P - (uintptr_t)sbrk(0) % P) % (intptr_t)P); //= none
    char *start = sbrk((intptr_t)(3 * P));                      //= allocs 1; bytes 3 * P; freed P
    MUST(sbrk(1) == start + 3 * P);                             //= allocs 1; frees 1; bytes P; freed P
    MUST(sbrk(100) == start + 3 * P + 1);
    MUST_DO(brk(start + 2 * P));
    MUST_DO(brk(start + 2 * P + 5)); //= allocs 1; frees 1; bytes P; freed P
    MUST(sbrk(-5) == start + 2 * P + 5);
    MUST_FAIL(brk((void *)INTPTR_MAX), -1, ENOMEM);
    MUST(sbrk(0) == start + 2 * P);
}

static void files(void) {
    int file = memfd_create("maps", 0);
    MUST(ftruncate(file, (off_t)(4 * P)) == 0);
    char *a = mmap(NULL, 4 * P, RW, MAP_SHARED, file, 0);            //= allocs 1; bytes 4 * P; freed P
    char *b = mmap(NULL, 5, PROT_READ, MAP_PRIVATE, file, (off_t)P); //= allocs 1; bytes P
    a[P] = 'x';
    MUST(b[0] == 'x');
    MUST_DO(munmap(a, P));
    close(file);
}

/* Mapped without the library's knowledge. */
static void strangers(void) {
    char *a = (char *)syscall(SYS_mmap, NULL, 4 * P, RW, PRIVATE, -1, 0);
    MUST_DO(munmap(a, P));
    char *b = mmap(a + P, P, RW, OVER, -1, 0); //= allocs 1; frees 1; bytes P; freed P
    MUST_DO(munmap(b, 3 * P));
    /* Unmapped without its knowledge, which it notices when something else is mapped there. */
    char *c = mmap(NULL, 2 * P, RW, PRIVATE, -1, 0); //= allocs 1; frees 1; bytes 2 * P; freed 2 * P
    MUST(syscall(SYS_munmap, c, 2 * P) == 0);
    MUST(mmap(c, 2 * P, RW, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == c); //= allocs 1; bytes 2 * P
}

enum { THREADS = 8, ROUNDS = 4000, SLOTS = 16, MOST = 9 };

static char *shared; /* a page for each thread, and one more */

static uint32_t next_random(uint32_t *seed) { return (*seed = *seed * 1664525 + 1013904223) >> 8; }

/* Each thread maps and unmaps its own, at addresses that the kernel reuses among all of them. */
static void *hammer(void *argument) {
    uint32_t seed = (uint32_t)(uintptr_t)argument;
    munmap(shared + (uintptr_t)argument * P, P);
    char *slot[SLOTS] = {0};
    size_t pages[SLOTS] = {0};
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t s = next_random(&seed) % SLOTS;
        if (slot[s] != NULL) {
            size_t cut = next_random(&seed) % pages[s];
            if (cut > 0)
                munmap(slot[s] + cut * P, (pages[s] - cut) * P);
            munmap(slot[s], (cut > 0 ? cut : pages[s]) * P);
        }
        pages[s] = 1 + next_random(&seed) % MOST;
        slot[s] = mmap(NULL, pages[s] * P, PROT_NONE, PRIVATE, -1, 0); // the hammer
        MUST(slot[s] != MAP_FAILED);
        if (next_random(&seed) % 4 == 0) {
            size_t larger = pages[s] + 1 + next_random(&seed) % MOST;
            slot[s] = mremap(slot[s], pages[s] * P, larger * P, MREMAP_MAYMOVE); // and the mover
            MUST(slot[s] != MAP_FAILED);
            pages[s] = larger;
        }
    }
    for (int s = 0; s < SLOTS; s++)
        if (slot[s] != NULL)
            munmap(slot[s], pages[s] * P);
    return NULL;
}

static void threads(void) {
    pthread_t id[THREADS];
    shared = mmap(NULL, (THREADS + 1) * P, RW, PRIVATE, -1, 0); // mapped by one, unmapped by all
    for (uintptr_t i = 0; i < THREADS; i++)
        MUST(pthread_create(&id[i], NULL, hammer, (void *)(i + 1)) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
}

static void forked(void) {
    char *a = mmap(NULL, 8 * P, RW, PRIVATE, -1, 0); //= allocs 1; bytes 8 * P; freed P
    MUST_DO(munmap(a, P));
    int status;
    pid_t child = fork();
    if (child == 0) {
        MUST_DO(munmap(a + P, 7 * P));
        char *b = mmap(NULL, 2 * P, RW, PRIVATE, -1, 0); // of the child
        b[0] = 1;
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
}

static _Atomic int done;

static void *map_without_end(void *unused) {
    (void)unused;
    while (!done) {
        char *a = mmap(NULL, 3 * P, RW, PRIVATE, -1, 0); // while others fork
        MUST_DO(munmap(a + P, 2 * P));
        MUST_DO(munmap(a, P));
    }
    return NULL;
}

/* Forks without fork handlers, while other threads map. */
static void clones(void) {
    enum { THREADS = 4, CHILDREN = 10 };
    pthread_t others[THREADS];
    char *a = mmap(NULL, 8 * P, RW, PRIVATE, -1, 0); //= allocs 1; bytes 8 * P
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&others[i], NULL, map_without_end, NULL) == 0);
    for (int i = 0; i < CHILDREN; i++) {
        int status;
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            MUST_DO(munmap(a + P, 7 * P));
            char *b = mmap(NULL, 2 * P, RW, PRIVATE, -1, 0); // of a clone
            MUST_DO(munmap(b, P));
            _exit(0);
        }
        MUST(waitpid(child, &status, 0) == child && status == 0);
    }
    done = 1;
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(others[i], NULL) == 0);
}

/* 64 MiB are mapped and written, and half of a block of 32 MiB, which is a lower bound of the
 * resident set. */
static void resident(void) {
    enum { MAPPED = 64 << 20, ASKED = 32 << 20 };
    char *a = mmap(NULL, MAPPED, RW, PRIVATE, -1, 0), *b = malloc(ASKED);
    MUST(a != MAP_FAILED && b != NULL);
    memset(a, 1, MAPPED);
    memset(b, 1, ASKED / 2);
    int file = open("/proc/self/exe", O_RDONLY);
    MUST(mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0) != MAP_FAILED);
}

static pthread_barrier_t all_done;

/* Allocates a lot in a thread of its own, and frees all of it. None ends before all are done: the
 * arena of a thread that has ended would be used again. */
static void *fill_arena(void *unused) {
    enum { BLOCKS = 4000, BLOCK = 1000 };
    static __thread char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        memset(blocks[i], 1, BLOCK);
    }
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    pthread_barrier_wait(&all_done);
    return unused;
}

static void arenas(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_done, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fill_arena, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(int count, char **arguments) {
    const char *which = count > 1 ? arguments[1] : "";
    P = (size_t)sysconf(_SC_PAGESIZE);
    if (strcmp(which, "traps") == 0) {
        parts();
        spanning();
        over();
        refused();
        moved();
        the_break();
        files();
        strangers();
    } else if (strcmp(which, "threads") == 0) {
        threads();
    } else if (strcmp(which, "fork") == 0) {
        forked();
    } else if (strcmp(which, "clones") == 0) {
        clones();
    } else if (strcmp(which, "arenas") == 0) {
        arenas();
    } else if (strcmp(which, "resident") == 0) {
        resident();
    } else {
        return 2;
    }
    return 0;
}
