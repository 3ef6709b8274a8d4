/* See ranges.h. */
#include "ranges.h"

/* xorshift64*: priorities only need to differ from each other. */
static uint32_t random_priority(struct vbt_ranges *ranges) {
    uint64_t x = ranges->seed != 0 ? ranges->seed : UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    ranges->seed = x;
    return (uint32_t)(x * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static void give_back(struct vbt_ranges *ranges, uint32_t id) {
    *vbt_range_at(ranges, id) = (struct vbt_range){.left = ranges->spare};
    ranges->spare = id;
    ranges->spares++;
}

bool vbt_ranges_reserve(struct vbt_ranges *ranges, uint32_t count) {
    while (ranges->spares < count) {
        uint32_t id = vbt_vector_add(&ranges->items, sizeof(struct vbt_range));
        if (id == 0 && ranges->items.count == 1) /* the first is unused */
            id = vbt_vector_add(&ranges->items, sizeof(struct vbt_range));
        if (id == 0)
            return false;
        give_back(ranges, id);
    }
    return true;
}

static uint32_t new_range(struct vbt_ranges *ranges, uintptr_t start, uintptr_t end, uint32_t owner) {
    uint32_t id = ranges->spare;
    struct vbt_range *range = vbt_range_at(ranges, id);
    ranges->spare = range->left;
    ranges->spares--;
    *range = (struct vbt_range){.start = start, .end = end, .owner = owner, .priority = random_priority(ranges)};
    return id;
}

/* All of *low that start at `at` or above become *high. */
static void split(struct vbt_ranges *ranges, uint32_t *low, uint32_t *high, uintptr_t at) {
    uint32_t id = *low;
    while (id != 0) {
        struct vbt_range *range = vbt_range_at(ranges, id);
        uint32_t **to = range->start < at ? &low : &high;
        **to = id;
        *to = range->start < at ? &range->right : &range->left;
        id = **to;
    }
    *low = *high = 0;
}

/* All of a are below all of b. */
static uint32_t merge(struct vbt_ranges *ranges, uint32_t a, uint32_t b) {
    uint32_t root, *to = &root;
    while (a != 0 && b != 0) {
        struct vbt_range *low = vbt_range_at(ranges, a), *high = vbt_range_at(ranges, b);
        if (low->priority > high->priority) {
            *to = a;
            to = &low->right;
            a = *to;
        } else {
            *to = b;
            to = &high->left;
            b = *to;
        }
    }
    *to = a != 0 ? a : b;
    return root;
}

/* As split; a range that extends across `at` is cut in two. */
static void cut(struct vbt_ranges *ranges, uint32_t *low, uint32_t *high, uintptr_t at) {
    split(ranges, low, high, at);
    if (*low == 0)
        return;
    struct vbt_range *last = vbt_range_at(ranges, *low);
    while (last->right != 0)
        last = vbt_range_at(ranges, last->right);
    if (last->end <= at)
        return;
    *high = merge(ranges, new_range(ranges, at, last->end, last->owner), *high);
    last->end = at;
}

uint32_t vbt_ranges_take(struct vbt_ranges *ranges, uintptr_t start, uintptr_t end) {
    uint32_t taken, above;
    cut(ranges, &ranges->root, &taken, start);
    cut(ranges, &taken, &above, end);
    ranges->root = merge(ranges, ranges->root, above);
    return taken;
}

void vbt_ranges_insert(struct vbt_ranges *ranges, uintptr_t start, uintptr_t end, uint32_t owner) {
    uint32_t above, id = new_range(ranges, start, end, owner);
    split(ranges, &ranges->root, &above, start);
    ranges->root = merge(ranges, merge(ranges, ranges->root, id), above);
}

uint32_t vbt_ranges_join(struct vbt_ranges *ranges, uint32_t a, uint32_t b) {
    if (a == 0 || b == 0)
        return a + b;
    return vbt_range_at(ranges, a)->start < vbt_range_at(ranges, b)->start ? merge(ranges, a, b) : merge(ranges, b, a);
}

/* Rotates the root to the right until nothing is to its left. */
bool vbt_ranges_pop(struct vbt_ranges *ranges, uint32_t *tree, struct vbt_range *out) {
    if (*tree == 0)
        return false;
    struct vbt_range *root = vbt_range_at(ranges, *tree);
    while (root->left != 0) {
        uint32_t id = root->left;
        struct vbt_range *left = vbt_range_at(ranges, id);
        root->left = left->right;
        left->right = *tree;
        *tree = id;
        root = left;
    }
    *out = *root;
    give_back(ranges, *tree);
    *tree = out->right;
    return true;
}

const struct vbt_range *vbt_ranges_find(const struct vbt_ranges *ranges, uintptr_t address) {
    const struct vbt_range *found = NULL;
    for (uint32_t id = ranges->root; id != 0;) {
        const struct vbt_range *range = vbt_range_at(ranges, id);
        if (range->end > address)
            found = range;
        id = range->end > address ? range->left : range->right;
    }
    return found;
}
