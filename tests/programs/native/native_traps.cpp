// Call stacks that are hard to walk: each trap allocates under functions with known names.
//
// native_traps TRAP [LIBRARY LIBRARY]: the test lists the stacks and how often each occurs.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

// Functions with their own frame, and without tail calls.
#define APART extern "C" __attribute__((noinline, noclone))
#define KEEP(...) __asm__ volatile("" : : __VA_ARGS__ : "memory")

enum { TIMES = 100 };

static char **given; // the arguments after the trap's name

// Every allocation of a trap is made here, with a size that nothing else requests.
APART void take() {
    static thread_local char *block;
    block = (char *)malloc(4711);
    KEEP("r"(block));
    free(block);
}

// ---- the same few stacks in turn, each several times in a row ----

APART void twice() {
    for (volatile int i = 0; i < 2; i++)
        take();
}

APART void thrice() {
    for (volatile int i = 0; i < 3; i++)
        take();
    KEEP();
}

APART void turns() {
    for (int i = 0; i < TIMES; i++) {
        twice();
        thrice();
    }
}

// ---- exceptions ----

struct Guard {
    ~Guard();
};

APART void in_destructor() {
    take();
    KEEP();
}

Guard::~Guard() { in_destructor(); }

APART void throws(int depth) {
    Guard guard;
    take();
    if (depth == 0)
        throw std::runtime_error("known");
    throws(depth - 1);
    KEEP("r"(&guard));
}

APART void rethrows(int depth) {
    try {
        throws(depth);
    } catch (const std::exception &) {
        take();
        throw;
    }
}

// Throws through 4 frames, each with something to destroy; catches, throws again, catches.
APART void exceptions() {
    for (int i = 0; i < TIMES; i++) {
        try {
            rethrows(3);
        } catch (const std::runtime_error &error) {
            take();
            KEEP("r"(error.what()));
        }
    }
}

// ---- long jumps ----

static jmp_buf target;

APART void jumps(int depth) {
    char frame[64];
    KEEP("r"(frame));
    if (depth > 0)
        jumps(depth - 1);
    take();
    if (depth == 0)
        longjmp(target, 1);
    KEEP("r"(frame));
}

APART void long_jumps() {
    for (volatile int i = 0; i < TIMES; i++) {
        if (setjmp(target) == 0)
            jumps(i % 7);
        take();
    }
}

// ---- frames without a fixed size or place ----

APART void with_alloca(int i) {
    char *block = (char *)alloca(16 + 24 * (i * 37 % 50));
    KEEP("r"(block));
    take();
    KEEP("r"(block));
}

APART void realigned(int i) {
    char block[64] __attribute__((aligned(128)));
    KEEP("r"(block));
    with_alloca(i);
    KEEP("r"(block));
}

APART void odd_frames() {
    for (int i = 0; i < TIMES; i++) {
        char *moved = (char *)alloca(16 * (i % 11));
        KEEP("r"(moved));
        realigned(i);
    }
}

// ---- called by the C library ----

APART int compares(const void *left, const void *right) {
    take();
    KEEP();
    return *(const int *)left - *(const int *)right;
}

APART void callbacks() {
    int numbers[] = {5, 3, 8, 1}; // merge sort makes five comparisons
    for (int i = 0; i < TIMES; i++) {
        int copy[4];
        memcpy(copy, numbers, sizeof copy);
        qsort(copy, 4, sizeof *copy, compares);
        KEEP("r"(copy));
    }
}

// ---- coroutines ----

static ucontext_t outside, inside;

APART void in_coroutine(int depth) {
    if (depth > 0)
        in_coroutine(depth - 1);
    else
        take();
    KEEP("r"(depth));
}

APART void coroutine() {
    for (int i = 0;; i++) {
        in_coroutine(3);
        swapcontext(&inside, &outside);
    }
}

// Each coroutine runs twice; its stack reuses the address of the one before, every second time with
// a part unmapped.
APART void coroutines() {
    enum { LARGE = 1 << 18, SMALL = 1 << 16 };
    for (int i = 0; i < TIMES; i++) {
        char *memory = (char *)mmap(nullptr, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            abort();
        size_t size = i % 2 ? SMALL : LARGE;
        if (size != LARGE)
            munmap(memory + size, LARGE - size);
        getcontext(&inside);
        inside.uc_stack.ss_sp = memory;
        inside.uc_stack.ss_size = size;
        inside.uc_link = nullptr;
        makecontext(&inside, coroutine, 0);
        swapcontext(&outside, &inside);
        take();
        swapcontext(&outside, &inside);
        munmap(memory, size);
        take();
    }
}

// ---- signals ----

APART void handles(int number) {
    take();
    KEEP("r"(number));
}

APART void raises(int depth) {
    char frame[200];
    KEEP("r"(frame));
    if (depth > 0)
        raises(depth - 1);
    else
        raise(SIGUSR1);
    KEEP("r"(frame));
}

APART void signals() {
    static char alternate[1 << 17];
    stack_t there = {};
    there.ss_sp = alternate;
    there.ss_size = sizeof alternate;
    if (sigaltstack(&there, nullptr) != 0)
        abort();
    struct sigaction action = {};
    action.sa_handler = handles;
    for (int on_stack = 0; on_stack < 2; on_stack++) {
        action.sa_flags = on_stack ? SA_ONSTACK : 0;
        sigaction(SIGUSR1, &action, nullptr);
        for (int i = 0; i < TIMES; i++)
            raises(2);
    }
}

// ---- threads ----

APART void *in_thread(void *argument) {
    for (int i = 0; i < TIMES; i++) {
        realigned(i);
        in_coroutine(i % 5);
    }
    return argument;
}

APART void threads() {
    pthread_t all[4];
    for (auto &thread : all)
        if (pthread_create(&thread, nullptr, in_thread, nullptr) != 0)
            abort();
    for (auto thread : all)
        pthread_join(thread, nullptr);
}

// ---- libraries that come and go ----

APART void libraries() {
    for (int i = 0; i < TIMES; i++) {
        void *library = dlopen(given[i % 2], RTLD_NOW);
        if (library == nullptr)
            abort();
        void (*visit)(void (*)());
        void *symbol = dlsym(library, "visit");
        memcpy(&visit, &symbol, sizeof visit);
        visit(take);
        dlclose(library);
    }
}

// ---- deep recursion ----

APART void recurses(int depth) {
    if (depth > 1)
        recurses(depth - 1);
    else
        take();
    KEEP("r"(depth));
}

APART void recursion() {
    for (int i = 0; i < TIMES; i++)
        recurses(2048);
}

// ---- code without unwind information ----

APART void called_by_generated_code() {
    take();
    KEEP();
}

// Calls its argument.
APART void generated_code() {
#if defined __x86_64__
    static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7, 0x48, 0x83, 0xc4, 0x08, 0xc3};
    // sub $8, %rsp; call *%rdi; add $8, %rsp; ret
#elif defined __aarch64__
    static const uint32_t code[] = {0xa9bf7bfd, 0xd63f0000, 0xa8c17bfd, 0xd65f03c0};
    // stp x29, x30, [sp, #-16]!; blr x0; ldp x29, x30, [sp], #16; ret
#endif
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        abort();
    memcpy(page, code, sizeof code);
    __builtin___clear_cache((char *)page, (char *)page + sizeof code);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0)
        abort();
    void (*call)(void (*)());
    memcpy(&call, &page, sizeof call);
    for (int i = 0; i < TIMES; i++)
        call(called_by_generated_code);
    take();
    KEEP();
}

static const struct {
    const char *name;
    void (*run)();
} traps[] = {
    {"turns", turns},
    {"exceptions", exceptions},
    {"long_jumps", long_jumps},
    {"odd_frames", odd_frames},
    {"callbacks", callbacks},
    {"coroutines", coroutines},
    {"signals", signals},
    {"threads", threads},
    {"libraries", libraries},
    {"recursion", recursion},
    {"generated_code", generated_code},
};

int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    given = argv + 2;
    for (const auto &trap : traps)
        if (strcmp(argv[1], trap.name) == 0)
            return trap.run(), 0;
    return 2;
}
