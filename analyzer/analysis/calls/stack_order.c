/* See stack_order.h.
 *
 * By doubling (Manber and Myers): once stacks are ordered by their first h frames, they are ordered
 * by 2h when those alike are ordered by where the stack stands that goes on after h frames, and
 * that is known. Where two neighbours become different, what they have in common is h and what
 * these two have in common, a minimum over what was found before. */
#include "stack_order.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

/* Stacks whose first frames are alike: calls[begin] to calls[end - 1]. */
struct alike {
    uint32_t begin, end;
};

struct ordering {
    struct vbt_stack_order *order;
    uint32_t *rank; /* by call: 1 + the first position of those alike; 0: no frame */
    uint32_t *next; /* by call: the call h frames further out, 0 if there is none */
    struct alike *alike;
    size_t alike_count;
    uint64_t *keys; /* rank of the next << 32 | call */
};

static void set_common(struct vbt_stack_order *order, size_t at, uint32_t frames) {
    at += order->count;
    for (order->common[at] = frames; at > 1 && order->common[at / 2] > frames; at /= 2)
        order->common[at / 2] = frames;
}

uint32_t vbt_stack_order_common(const struct vbt_stack_order *order, uint32_t before, uint32_t after) {
    uint32_t least = UINT32_MAX;
    for (size_t low = before + 1 + order->count, high = after + 1 + order->count; low < high; low /= 2, high /= 2) {
        if (low % 2 == 1 && order->common[low++] < least)
            least = order->common[low - 1];
        if (high % 2 == 1 && order->common[--high] < least)
            least = order->common[high];
    }
    return least;
}

static int by_key(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Puts calls[begin] to calls[end - 1] into the order of their keys, and notes where new groups of
 * those alike begin. */
static void split(struct ordering *o, struct alike all, uint32_t frames) {
    struct vbt_stack_order *order = o->order;
    size_t count = all.end - all.begin;
    for (size_t i = 0; i < count; i++) {
        uint32_t call = order->calls[all.begin + i];
        o->keys[i] = (uint64_t)o->rank[o->next[call]] << 32 | call;
    }
    qsort(o->keys, count, sizeof *o->keys, by_key);
    for (size_t i = 0; i < count; i++) {
        uint32_t rank = (uint32_t)(o->keys[i] >> 32), before = i > 0 ? (uint32_t)(o->keys[i - 1] >> 32) : rank;
        order->calls[all.begin + i] = (uint32_t)o->keys[i];
        if (rank != before)
            set_common(order, all.begin + i, frames + (before > 0 ? vbt_stack_order_common(order, before - 1, rank - 1) : 0));
    }
}

static bool begins_group(const struct vbt_stack_order *order, size_t at) { return order->common[order->count + at] != UINT32_MAX; }

/* Gives those alike between two positions their rank, and keeps the groups that are to be split
 * further. They are at most as many as before, and one for every two calls. */
static size_t rank_again(struct ordering *o, struct alike all, struct alike *kept) {
    size_t count = 0;
    for (uint32_t begin = all.begin, end; begin < all.end; begin = end) {
        for (end = begin + 1; end < all.end && !begins_group(o->order, end); end++)
            ;
        for (uint32_t i = begin; i < end; i++)
            o->rank[o->order->calls[i]] = begin + 1;
        if (end - begin > 1)
            kept[count++] = (struct alike){begin, end};
    }
    return count;
}

/* Orders the calls by their own frame. */
static void begin(struct ordering *o, const struct vbt_call_tree *tree) {
    struct vbt_stack_order *order = o->order;
    size_t *at = vbt_new(tree->place_count + 1, sizeof *at);
    for (uint32_t i = 1; i < tree->count; i++)
        at[tree->calls[i].group ? 0 : tree->calls[i].place + 1]++;
    at[0] = 0;
    for (size_t i = 1; i <= tree->place_count; i++)
        at[i] += at[i - 1];
    order->count = at[tree->place_count];
    order->calls = vbt_new(order->count, sizeof *order->calls);
    order->common = vbt_new(2 * order->count + 2, sizeof *order->common);
    for (size_t i = 0; i < 2 * order->count + 2; i++)
        order->common[i] = UINT32_MAX;
    for (size_t i = 0; i < tree->place_count; i++)
        if (at[i] < at[i + 1])
            set_common(order, at[i], 0);
    for (uint32_t i = 1; i < tree->count; i++) {
        if (tree->calls[i].group)
            continue;
        order->calls[at[tree->calls[i].place]++] = i;
        uint32_t parent = tree->calls[i].parent;
        o->next[i] = tree->calls[parent].group ? 0 : parent;
    }
    free(at);
}

void vbt_stack_order_build(struct vbt_stack_order *order, const struct vbt_call_tree *tree) {
    *order = (struct vbt_stack_order){.position = vbt_new(tree->count, sizeof *order->position)};
    struct ordering o = {
        .order = order, .rank = vbt_new(tree->count, sizeof *o.rank), .next = vbt_new(tree->count, sizeof *o.next)};
    begin(&o, tree);
    o.keys = vbt_new(order->count, sizeof *o.keys);
    struct alike *more = vbt_new(order->count / 2 + 1, sizeof *more);
    o.alike = vbt_new(order->count / 2 + 1, sizeof *o.alike);
    o.alike_count = rank_again(&o, (struct alike){0, (uint32_t)order->count}, o.alike);
    for (uint32_t frames = 1; o.alike_count > 0; frames *= 2) {
        bool longer = false;
        for (size_t i = 0; i < o.alike_count; i++)
            split(&o, o.alike[i], frames);
        size_t count = 0;
        for (size_t i = 0; i < o.alike_count; i++)
            count += rank_again(&o, o.alike[i], more + count);
        struct alike *last = o.alike;
        o.alike = more;
        o.alike_count = count;
        more = last;
        for (uint32_t i = (uint32_t)tree->count; i-- > 1;) { /* from the last: the next of a call comes before it */
            o.next[i] = o.next[o.next[i]];
            longer = longer || o.next[i] != 0;
        }
        if (!longer)
            break;
    }
    for (uint32_t i = 0; i < order->count; i++)
        order->position[order->calls[i]] = i;
    free(o.rank);
    free(o.next);
    free(o.keys);
    free(o.alike);
    free(more);
}

void vbt_stack_order_free(struct vbt_stack_order *order) {
    free(order->calls);
    free(order->position);
    free(order->common);
    *order = (struct vbt_stack_order){0};
}
