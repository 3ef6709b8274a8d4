/* See stack_sort.h. By frames, the innermost first: stacks with the same frames so far are put into
 * the order of their next one. */
#include "stack_sort.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

/* The calls of stacks are all over memory: they are asked for so many stacks before. */
enum { AHEAD = 16 };

struct element {
    uint64_t value; /* of the measure */
    uint32_t call;  /* where the stack ends */
    uint32_t place; /* of its next frame; 0: there is none */
    uint32_t outer; /* the call of the frame after that */
} __attribute__((packed, aligned(4)));

/* Elements with so many frames in common. */
struct same_frames {
    uint32_t begin, end, frames;
};

struct sorting {
    const struct vbt_call_tree *tree;
    struct vbt_stack *stacks; /* `common` is set in place */
    struct element *elements, *other;
    size_t other_capacity;
    uint32_t *room; /* by place: where its next element goes; all 0 in between */
    struct same_frames *todo;
    size_t todo_count, todo_capacity;
};

static void set_next(const struct vbt_call_tree *tree, struct element *element, uint32_t next) {
    const struct vbt_call *call = &tree->calls[next];
    bool is_frame = next != 0 && !call->group;
    element->outer = is_frame ? call->parent : 0;
    element->place = is_frame ? call->place : 0;
}

static int by_place(const void *left, const void *right) {
    const struct element *a = left, *b = right;
    return a->place < b->place ? -1 : a->place > b->place;
}

/* From how many elements there are of each place, where the first of each goes. */
static void find_room(struct sorting *s) {
    uint32_t begin = 0;
    for (size_t i = 0; i < s->tree->place_count; i++) {
        uint32_t here = s->room[i];
        s->room[i] = begin;
        begin += here;
    }
}

/* Makes the elements, in the order of their places. */
static void make_elements(struct sorting *s, const uint64_t *values, size_t count) {
    struct element element;
    for (size_t i = 0; i < count; i++) {
        set_next(s->tree, &element, s->stacks[i].call);
        s->room[element.place]++;
    }
    find_room(s);
    for (size_t i = 0; i < count; i++) {
        element.call = s->stacks[i].call;
        element.value = values[i];
        set_next(s->tree, &element, element.call);
        s->elements[s->room[element.place]++] = element;
    }
    memset(s->room, 0, s->tree->place_count * sizeof *s->room);
}

/* Puts elements into the order of their places. */
static void sort_elements(struct sorting *s, struct element *elements, size_t count) {
    if (count < s->tree->place_count / 4) {
        qsort(elements, count, sizeof *elements, by_place);
        return;
    }
    s->other = vbt_grow(s->other, &s->other_capacity, count, sizeof *s->other);
    for (size_t i = 0; i < count; i++)
        s->room[elements[i].place]++;
    find_room(s);
    for (size_t i = 0; i < count; i++)
        s->other[s->room[elements[i].place]++] = elements[i];
    memcpy(elements, s->other, count * sizeof *elements);
    memset(s->room, 0, s->tree->place_count * sizeof *s->room);
}

static bool is_enough(const struct sorting *s, struct same_frames all, int64_t least) {
    uint64_t sum = 0;
    if (least == INT64_MIN)
        return true;
    for (uint32_t i = all.begin; i < all.end; i++)
        sum += s->elements[i].value;
    return (int64_t)sum >= least;
}

/* Finds, among elements in the order of their places, those that have these in common, too. */
static void split(struct sorting *s, struct same_frames all) {
    for (uint32_t begin = all.begin, end; begin < all.end; begin = end) {
        uint32_t place = s->elements[begin].place;
        for (end = begin + 1; end < all.end && s->elements[end].place == place; end++)
            s->stacks[end].common = all.frames + (place != 0);
        if (begin > all.begin)
            s->stacks[begin].common = all.frames;
        if (end - begin < 2 || place == 0)
            continue;
        for (uint32_t i = begin; i < end; i++) {
            if (i + AHEAD < end)
                __builtin_prefetch(&s->tree->calls[s->elements[i + AHEAD].outer]);
            set_next(s->tree, &s->elements[i], s->elements[i].outer);
        }
        s->todo = vbt_grow(s->todo, &s->todo_capacity, s->todo_count + 1, sizeof *s->todo);
        s->todo[s->todo_count++] = (struct same_frames){begin, end, all.frames + 1};
    }
}

bool vbt_stack_sort(const struct vbt_call_tree *tree, struct vbt_stack *stacks, uint64_t *values, size_t count, int64_t least,
                    uint64_t *steps) {
    struct sorting s = {.tree = tree,
                        .stacks = stacks,
                        .elements = vbt_new(count, sizeof *s.elements),
                        .room = vbt_new(tree->place_count, sizeof *s.room)};
    make_elements(&s, values, count);
    if (count > 0)
        stacks[0].common = 0;
    split(&s, (struct same_frames){0, (uint32_t)count, 0});
    bool enough = true;
    while (s.todo_count > 0 && enough) {
        struct same_frames all = s.todo[--s.todo_count];
        enough = all.end - all.begin <= *steps;
        *steps -= enough ? all.end - all.begin : 0;
        if (enough && is_enough(&s, all, least)) {
            sort_elements(&s, s.elements + all.begin, all.end - all.begin);
            split(&s, all);
        }
    }
    for (size_t i = 0; i < count; i++) {
        stacks[i].call = s.elements[i].call;
        values[i] = s.elements[i].value;
    }
    free(s.elements);
    free(s.other);
    free(s.room);
    free(s.todo);
    return enough;
}
