/* See native_shapes.h. Compiled several times, as SHAPES. */
#include "native_shapes.h"

#include <alloca.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Each shape is a separate function with its own frame, and without tail calls. */
#define SHAPE __attribute__((noinline, noclone)) static
#define KEEP(...) __asm__ volatile("" : : __VA_ARGS__ : "memory")

SHAPE void recurse(int depth, int every, looker look) {
    if (depth % every == 0)
        look();
    if (depth > 0)
        recurse(depth - 1, every, look);
    if (depth % every == 0)
        look();
    KEEP("r"(depth));
}

struct wanderer {
    uint64_t seed;
    int steps, depth;
    looker look;
};

static uint64_t next(struct wanderer *w) {
    w->seed = w->seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return w->seed >> 33;
}

static void go_on(struct wanderer *w);

SHAPE void plain(struct wanderer *w) {
    go_on(w);
    KEEP("r"(w));
}

SHAPE void with_array(struct wanderer *w) {
    char array[200];
    memset(array, (int)w->depth, sizeof array);
    KEEP("r"(array));
    go_on(w);
    KEEP("r"(array));
}

SHAPE void with_large_array(struct wanderer *w) {
    volatile char array[9000];
    array[0] = 1;
    go_on(w);
    KEEP("r"(array));
}

SHAPE void with_alloca(struct wanderer *w) {
    char *block = alloca(16 + next(w) % 300);
    KEEP("r"(block));
    go_on(w);
    KEEP("r"(block));
}

SHAPE void realigned(struct wanderer *w) {
    char block[64] __attribute__((aligned(64)));
    KEEP("r"(block));
    go_on(w);
    KEEP("r"(block));
}

SHAPE void realigned_with_alloca(struct wanderer *w) {
    char block[64] __attribute__((aligned(128)));
    char *more = alloca(16 + next(w) % 300);
    KEEP("r"(block), "r"(more));
    go_on(w);
    KEEP("r"(block), "r"(more));
}

SHAPE void with_frame_pointer(struct wanderer *w) {
    void *frame = __builtin_frame_address(0);
    KEEP("r"(frame));
    go_on(w);
    KEEP("r"(frame));
}

SHAPE uint64_t with_many_registers(struct wanderer *w, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f,
                                   uint64_t g) {
    go_on(w);
    a += b * c;
    go_on(w);
    return a ^ b ^ c ^ d ^ e ^ f ^ g;
}

static struct wanderer *wanderer; /* qsort has no argument for it; one thread at a time uses it */

SHAPE int compare(const void *a, const void *b) {
    go_on(wanderer);
    return *(const char *)a - *(const char *)b;
}

SHAPE void in_qsort(struct wanderer *w) {
    char letters[] = "stack";
    wanderer = w;
    qsort(letters, sizeof letters - 1, 1, compare);
    KEEP("r"(letters));
}

SHAPE void last_call(struct wanderer *w) { plain(w); }

static void go_on(struct wanderer *w) {
    static void (*const shapes[])(struct wanderer *) = {
        plain, with_array, with_large_array, with_alloca, realigned, realigned_with_alloca, with_frame_pointer, in_qsort, last_call,
    };
    if (w->steps <= 0)
        return;
    uint64_t choice = next(w);
    if (choice % 4 == 0) {
        w->steps--;
        w->look();
    }
    if (w->depth <= 0)
        return;
    w->depth--;
    choice /= 4;
    uint64_t count = sizeof shapes / sizeof shapes[0];
    if (choice % (count + 1) == count)
        KEEP("r"(with_many_registers(w, choice, 2, 3, 4, 5, 6, 7)));
    else
        shapes[choice % (count + 1)](w);
    w->depth++;
}

static void wander(uint64_t seed, int steps, int depth, looker look) {
    struct wanderer w = {seed, steps, depth, look};
    while (w.steps > 0)
        go_on(&w);
}

SHAPE void dive_and_jump(int depth, jmp_buf target, looker look) {
    if (depth < 0)
        return;
    char block[48];
    KEEP("r"(block));
    if (depth % 5 == 0)
        look();
    if (depth == 0)
        longjmp(target, 1);
    dive_and_jump(depth - 1, target, look);
    KEEP("r"(block));
}

static void jump(int times, looker look) {
    for (volatile int i = 0; i < times; i++) {
        jmp_buf target;
        if (setjmp(target) == 0)
            dive_and_jump(i % 40, target, look);
        look();
    }
}

/* Two frames of this can have the same frame pointer and return address slot but different
 * callers. */
SHAPE void looks_realigned(looker look) {
    char block[64] __attribute__((aligned(256)));
    KEEP("r"(block));
    look();
    KEEP("r"(block));
}

SHAPE void moved_by(size_t bytes, looker look) {
    char *block = alloca(bytes);
    KEEP("r"(block));
    looks_realigned(look);
    KEEP("r"(block));
}

static void realign(int times, looker look) {
    for (int i = 0; i < times; i++)
        moved_by((size_t)(16 + 16 * (i * 7 % 32)), look);
}

const struct shapes SHAPES = {recurse, wander, jump, realign};
