// Thread-local objects: their destructors run while their threads end, and the main thread's before
// those of static objects. They allocate, and free their own and others' blocks. The lines' marks
// are explained in heap_calls.c.
#include <cstdlib>
#include <pthread.h>

enum { THREADS = 20, N = 50 };

static pthread_key_t key;

// Constructed first, so destroyed last.
struct Last {
    void *left[N];
    ~Last() {
        for (auto &block : left)
            free(block); //= none
        if (pthread_getspecific(key) != nullptr)
            pthread_setspecific(key, malloc(30)); //= allocs THREADS; frees THREADS; bytes 30 * THREADS
    }
};

struct First {
    void *blocks[N];
    First();
    ~First();
};

static thread_local Last last;
static thread_local First first;

First::First() {
    for (auto &block : blocks)
        block = malloc(10); //= allocs N * (THREADS + 1); frees N * (THREADS + 1); bytes 10 * N * (THREADS + 1)
}

First::~First() {
    for (int i = 0; i < N; i++) {
        free(blocks[i]);                    //= none
        last.left[i] = malloc(20);          //= allocs N * (THREADS + 1); frees N * (THREADS + 1); bytes 20 * N * (THREADS + 1)
        void *volatile shortly = malloc(5); //= allocs N * (THREADS + 1); frees N * (THREADS + 1); temporary N * (THREADS + 1)
        free(shortly);                      //= none
    }
}

// Destroyed after the main thread's objects.
struct Static {
    void *block;
    Static() {
        block = malloc(40); //= allocs 1; frees 1; bytes 40
    }
    ~Static() { free(block); }
};

static Static at_the_end;

static void of_key(void *value) {
    if (value != &key)
        free(value); //= none
}

static void *work(void *unused) {
    pthread_setspecific(key, &key);
    last.left[0] = first.blocks[0] == nullptr ? &first : nullptr; // both are constructed here
    return unused;
}

int main() {
    pthread_t threads[THREADS];
    pthread_key_create(&key, of_key);
    for (auto &thread : threads)
        pthread_create(&thread, nullptr, work, nullptr);
    for (auto &thread : threads)
        pthread_join(thread, nullptr);
    work(nullptr);
    pthread_setspecific(key, nullptr);
    return 0;
}
