/* See call_children.h.
 *
 * A trace lists call paths about as they were entered, and so does the tree. The children of calls
 * with near numbers are kept near each other, so that the table, which is much larger than the
 * caches of a processor, is gone through in order: a line for the children of a few calls. If it is
 * full, they go to some line near it, then to one less near, and at last to any. As nothing is ever
 * removed, a child that is not in the first line with room is in none.
 *
 * Calls that are looked for lie anywhere in memory: a byte of each one's hash, beside its slot,
 * says of nearly all others that they need not be looked at. */
#include "call_children.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* The table has this many slots for each child. Those that are not used, because there are fewer
 * children than expected, are no memory: lines are used one after another. */
#define FULL 1.3

enum {
    LINE = 16,     /* slots: 64 bytes */
    NEAR_BITS = 6, /* so many times as many lines are near with each attempt, as a power of two */
    ATTEMPTS = 4,  /* then lines anywhere, */
    FAR = 64,      /* and after so many, of which none is expected to be needed, one after another */
    LEAST_LINES = 64
};

void vbt_call_children_begin(struct vbt_call_children *c, const struct vbt_call_tree *tree, size_t expected) {
    *c = (struct vbt_call_children){.tree = tree, .lines = LEAST_LINES + (size_t)(FULL * (double)expected) / LINE};
    c->first = vbt_grow(NULL, &c->first_capacity, 1, sizeof *c->first);
    c->first[0] = 0;
    c->slots = vbt_new(LINE * c->lines, sizeof *c->slots);
    c->tags = vbt_new(LINE * c->lines, sizeof *c->tags);
}

void vbt_call_children_free(struct vbt_call_children *c) {
    free(c->first);
    free(c->slots);
    free(c->tags);
}

/* hash: of the child. */
static size_t line_of(const struct vbt_call_children *c, uint32_t parent, uint64_t hash, unsigned attempt) {
    static const uint64_t odd[] = {0, UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0x165667b19e3779f9)};
    _Static_assert(sizeof odd / sizeof *odd == ATTEMPTS, "one for each attempt");
    size_t home = (size_t)((double)parent * (FULL / LINE));
    if (attempt == 0)
        return home % c->lines;
    if (attempt < ATTEMPTS)
        return (home + (hash * odd[attempt] >> (64 - NEAR_BITS * attempt))) % c->lines;
    if (attempt < FAR) /* lines next to each other are full together */
        return (hash + attempt * (hash >> 32)) % c->lines;
    return (hash % c->lines + attempt) % c->lines;
}

/* The slot of a child, or a free one where it belongs, which gets its tag. */
static uint32_t *slot_of(const struct vbt_call_children *c, uint32_t parent, uint32_t place) {
    const struct { uint32_t parent, place; } key = {parent, place};
    uint64_t hash = XXH64(&key, sizeof key, vbt_hash_key());
    uint8_t tag = (uint8_t)(hash >> 32);
    for (unsigned attempt = 0;; attempt++) {
        size_t line = LINE * line_of(c, parent, hash, attempt);
        for (size_t i = line; i < line + LINE; i++) {
            if (c->slots[i] == 0) {
                c->tags[i] = tag;
                return &c->slots[i];
            }
            const struct vbt_call *call = &c->tree->calls[c->slots[i]];
            if (c->tags[i] == tag && call->parent == parent && call->place == place)
                return &c->slots[i];
        }
    }
}

/* Makes room for one more child in the table. */
static void make_room(struct vbt_call_children *c) {
    if (FULL * (double)(c->used + 1) < (double)(LINE * c->lines))
        return;
    free(c->slots);
    free(c->tags);
    c->lines *= 2;
    c->slots = vbt_new(LINE * c->lines, sizeof *c->slots);
    c->tags = vbt_new(LINE * c->lines, sizeof *c->tags);
    for (uint32_t i = 1; i < c->tree->count; i++) {
        const struct vbt_call *call = &c->tree->calls[i];
        if (c->first[call->parent] != i)
            *slot_of(c, call->parent, call->place) = i;
    }
}

uint32_t *vbt_call_children_find(struct vbt_call_children *c, uint32_t parent, uint32_t place) {
    uint32_t first = c->first[parent];
    if (first == 0 || c->tree->calls[first].place == place)
        return &c->first[parent];
    make_room(c);
    uint32_t *slot = slot_of(c, parent, place);
    c->used += *slot == 0;
    return slot;
}

void vbt_call_children_add(struct vbt_call_children *c) {
    size_t count = c->tree->count;
    c->first = vbt_grow(c->first, &c->first_capacity, count, sizeof *c->first);
    c->first[count - 1] = 0;
}

uint32_t vbt_call_children_put(struct vbt_call_children *c, struct vbt_call_tree *tree, struct vbt_call call) {
    uint32_t *child = vbt_call_children_find(c, call.parent, call.place), number = *child;
    if (number != 0)
        return number;
    *child = number = (uint32_t)tree->count;
    tree->calls = vbt_grow(tree->calls, &tree->capacity, tree->count + 1, sizeof *tree->calls);
    call.counts = 0;
    call.depth = (tree->calls[call.parent].depth + 1) & VBT_CALL_DEPTH;
    tree->calls[tree->count++] = call;
    vbt_call_children_add(c);
    return number;
}
