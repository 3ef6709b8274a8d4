/* Everything at once: stress SECONDS. 64 threads allocate, resize and free, map and unmap, hand
 * blocks to each other, and fork; children go on with the inherited blocks, with a thread of their
 * own. Prints the process's own requests as JSON.
 *
 * Every block is filled with a mark and checked before it is freed, which detects a block given to
 * two threads. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 64, SLOTS = 64, COMMON = 256, STEPS_A_FORK = 20000, CHILD_STEPS = 500 };

struct block {
    size_t size;
    unsigned char bytes[];
};

struct counts {
    uint64_t allocs, frees, allocated, maps, unmaps, mapped;
};

static _Atomic(struct block *) common[COMMON]; /* handed from thread to thread */
static size_t page;
static _Atomic uint64_t forks;
static _Atomic int stop;

static void fail(const char *what) {
    fprintf(stderr, "stress: %s\n", what);
    abort();
}

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Mostly small, sometimes large. */
static size_t random_size(uint64_t *seed) {
    uint64_t r = next_random(seed);
    return sizeof(struct block) + 1 + (r >> 8) % (r % 64 == 0 ? 300000 : r % 8 == 0 ? 5000 : 200);
}

static unsigned char mark_of(const struct block *block) { return (unsigned char)((uintptr_t)block >> 4 ^ block->size); }

static struct block *filled(struct block *block, size_t size) {
    if (block == NULL)
        fail("no memory");
    block->size = size;
    block->bytes[0] = block->bytes[size - sizeof *block - 1] = mark_of(block);
    return block;
}

static void look_at(const struct block *block) {
    unsigned char mark = mark_of(block);
    if (block->bytes[0] != mark || block->bytes[block->size - sizeof *block - 1] != mark)
        fail("a block was overwritten");
}

static struct block *allocate(uint64_t *seed, struct counts *counts) {
    size_t size = random_size(seed);
    void *block = NULL;
    switch (next_random(seed) % 8) {
    case 0:
        block = calloc(1, size);
        break;
    case 1:
        block = memalign(64, size);
        break;
    case 2:
        if (posix_memalign(&block, 256, size) != 0)
            fail("posix_memalign");
        break;
    default:
        block = malloc(size);
    }
    counts->allocs++;
    counts->allocated += size;
    return filled(block, size);
}

static void release(struct block *block, struct counts *counts) {
    if (block == NULL)
        return;
    look_at(block);
    free(block);
    counts->frees++;
}

static struct block *resize(struct block *block, uint64_t *seed, struct counts *counts) {
    size_t size = random_size(seed);
    if (block == NULL)
        return NULL;
    look_at(block);
    counts->allocs++;
    counts->frees++;
    counts->allocated += size;
    return filled(realloc(block, size), size);
}

/* Its own mappings, unmapped in parts and moved. */
static void map_some(uint64_t *seed, struct counts *counts) {
    size_t pages = 3 + next_random(seed) % 30, more = pages + 1 + next_random(seed) % 8;
    char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        fail("mmap");
    memory[0] = 1;
    if (next_random(seed) % 2 == 0) {
        memory = mremap(memory, pages * page, more * page, MREMAP_MAYMOVE);
        if (memory == MAP_FAILED || memory[0] != 1)
            fail("mremap");
        counts->maps++;
        counts->unmaps++;
        counts->mapped += more * page;
        munmap(memory + pages * page, (more - pages) * page);
    }
    munmap(memory + page, page); /* it belongs to another thread from now on */
    munmap(memory, page);
    munmap(memory + 2 * page, (pages - 2) * page);
    counts->maps++;
    counts->unmaps++;
    counts->mapped += pages * page;
}

struct thread {
    pthread_t id;
    uint64_t seed;
    struct counts counts;
    struct block *slots[SLOTS];
};

static void step(struct thread *self) {
    uint64_t r = next_random(&self->seed);
    struct block **slot = &self->slots[r % SLOTS];
    switch (r >> 8 & 15) {
    case 0:
        *slot = resize(*slot, &self->seed, &self->counts);
        break;
    case 1:
        *slot = atomic_exchange(&common[r >> 16 & (COMMON - 1)], *slot);
        break;
    case 2:
        if ((r >> 16) % 16 == 0)
            map_some(&self->seed, &self->counts);
        break;
    default:
        release(*slot, &self->counts);
        *slot = allocate(&self->seed, &self->counts);
    }
}

static void *in_child(void *argument) {
    for (int i = 0; i < CHILD_STEPS; i++)
        step(argument);
    return NULL;
}

/* The child goes on with the blocks of the forking thread, in two threads. */
static void fork_one(struct thread *self) {
    static struct thread other;
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        other.seed = self->seed ^ 1;
        if (pthread_create(&other.id, NULL, in_child, &other) != 0)
            fail("pthread_create in a child");
        in_child(self);
        pthread_join(other.id, NULL);
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) {
        fprintf(stderr, "stress: status %#x of child %d\n", (unsigned)status, (int)child);
        fail("a child failed");
    }
    atomic_fetch_add(&forks, 1);
}

static void *run(void *argument) {
    struct thread *self = argument;
    for (uint64_t i = self->seed % STEPS_A_FORK; !atomic_load_explicit(&stop, memory_order_relaxed); i++) {
        step(self);
        if (i % STEPS_A_FORK == STEPS_A_FORK - 1)
            fork_one(self);
    }
    for (int i = 0; i < SLOTS; i++)
        release(self->slots[i], &self->counts);
    return NULL;
}

int main(int count, char **arguments) {
    static struct thread threads[THREADS];
    struct counts all = {0};
    page = (size_t)sysconf(_SC_PAGESIZE);
    double seconds = count > 1 ? atof(arguments[1]) : 1;
    for (uint64_t i = 0; i < THREADS; i++) {
        threads[i].seed = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
        if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
            fail("pthread_create");
    }
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        const uint64_t *part = (const uint64_t *)&threads[i].counts;
        for (size_t k = 0; k < sizeof all / sizeof *part; k++)
            ((uint64_t *)&all)[k] += part[k];
    }
    for (int i = 0; i < COMMON; i++)
        release(common[i], &all);
    printf("{\"allocs\": %lu, \"frees\": %lu, \"allocated_bytes\": %lu, \"maps\": %lu, \"unmaps\": %lu, \"mapped_bytes\": %lu, "
           "\"forks\": %lu, \"pid\": %d}\n",
           (unsigned long)all.allocs, (unsigned long)all.frees, (unsigned long)all.allocated, (unsigned long)all.maps,
           (unsigned long)all.unmaps, (unsigned long)all.mapped, (unsigned long)atomic_load(&forks), (int)getpid());
    return 0;
}
