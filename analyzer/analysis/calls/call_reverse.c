/* See call_reverse.h.
 *
 * The stacks are put in order (stack_sort.h, stack_order.h), so that those that share a call of the
 * reversed tree are neighbours: what a call holds is the difference of two sums, and whether its
 * children are wanted is known before they are made. */
#include "call_reverse.h"

#include "stack_order.h"
#include "stack_sort.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"

#include <stdlib.h>
#include <string.h>

/* The calls of stacks are all over memory: they are asked for so many stacks before. */
enum { AHEAD = 16 };

/* How many frames are looked at before the stacks are taken for those of deep recursion. */
enum { STEPS_A_STACK = 64, LEAST_STEPS = 1 << 22 };

/* Levels of the reversed tree on the way to a stack, up to `last`, that all hold the stacks from
 * that one to before `end`. */
struct levels {
    uint32_t last, end;
};

struct reversing {
    const struct vbt_call_tree *from;
    struct vbt_call_tree to;
    enum vbt_measure measure;
    int64_t least;
    struct vbt_stack *stacks;
    size_t count;
    uint64_t *before; /* of the measure, in all stacks before this one */
    uint32_t *jump;   /* by call: a call further out, for ancestor_of */
    struct levels *runs;
    size_t run_capacity;
    uint32_t *path; /* by level: the call of the reversed tree */
    size_t path_capacity;
    uint32_t levels; /* deeper ones are not made */
    uint32_t *first; /* by call of the reversed tree: the smallest call where one of its stacks ends */
    size_t first_capacity;
};

static int64_t plus(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* The most calls in a reversed tree made of `count`: reversed stacks repeat callers. */
static size_t most_calls(size_t count) { return 4 * count + (1 << 20); }

/* How many frames a stack has. */
static uint32_t length_of(const struct reversing *r, const struct vbt_stack *stack) {
    const struct vbt_call *call = &r->from->calls[stack->call];
    return call->group ? 0 : call->depth - (stack->group != 0 ? 1U : 0U);
}

/* Gives each call a jump to one further out, such that few lead anywhere. */
static void make_jumps(struct reversing *r) {
    const struct vbt_call *calls = r->from->calls;
    r->jump = vbt_new(r->from->count, sizeof *r->jump);
    for (uint32_t i = 1; i < r->from->count; i++) {
        uint32_t parent = calls[i].parent, once = r->jump[parent], twice = r->jump[once];
        bool alike = calls[parent].depth - calls[once].depth == calls[once].depth - calls[twice].depth;
        r->jump[i] = alike ? twice : parent;
    }
}

/* The call so many frames further out. */
static uint32_t ancestor_of(const struct reversing *r, uint32_t call, uint32_t frames) {
    const struct vbt_call *calls = r->from->calls;
    uint32_t depth = calls[call].depth - frames;
    while (calls[call].depth > depth)
        call = calls[r->jump[call]].depth >= depth ? r->jump[call] : calls[call].parent;
    return call;
}

static bool has_counts(const struct vbt_call_tree *tree, uint32_t call) {
    static const struct vbt_measures nothing;
    if (tree->calls[call].counts == 0)
        return false;
    const struct vbt_measures self = vbt_call_self(tree, call);
    return memcmp(&self, &nothing, sizeof nothing) != 0;
}

static int by_group(const void *left, const void *right) {
    const struct vbt_stack *a = left, *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->call < b->call ? -1 : 1;
}

/* Lists the stacks that have any counts, group by group. */
static void list_stacks(struct reversing *r) {
    const struct vbt_call_tree *from = r->from;
    uint32_t *group = vbt_new(from->count, sizeof *group);
    r->stacks = vbt_new(from->counted, sizeof *r->stacks);
    for (uint32_t i = 1; i < from->count; i++) {
        group[i] = from->calls[i].group ? i : group[from->calls[i].parent];
        if (has_counts(from, i))
            r->stacks[r->count++] = (struct vbt_stack){.call = i, .group = group[i]};
    }
    free(group);
    if (r->count > 0 && r->stacks[0].group != 0)
        qsort(r->stacks, r->count, sizeof *r->stacks, by_group);
}

struct ordered_stack {
    uint64_t key; /* group << 32 | position */
    uint32_t call;
};

static int by_key(const void *left, const void *right) {
    const struct ordered_stack *a = left, *b = right;
    return a->key < b->key ? -1 : a->key > b->key;
}

/* The same for all groups in bounded time, however deep the stacks are. */
static void order_groups(struct reversing *r, uint64_t *values) {
    struct vbt_stack_order order;
    vbt_stack_order_build(&order, r->from);
    struct ordered_stack *listed = vbt_new(r->count, sizeof *listed);
    for (size_t i = 0; i < r->count; i++) {
        uint32_t call = r->stacks[i].call, position = r->from->calls[call].group ? 0 : order.position[call] + 1;
        listed[i] = (struct ordered_stack){(uint64_t)r->stacks[i].group << 32 | position, call};
    }
    qsort(listed, r->count, sizeof *listed, by_key);
    for (size_t i = 0; i < r->count; i++) {
        struct vbt_stack *stack = &r->stacks[i];
        *stack = (struct vbt_stack){.call = listed[i].call, .group = (uint32_t)(listed[i].key >> 32)};
        if (i > 0 && stack[-1].group == stack->group && (uint32_t)listed[i - 1].key > 0)
            stack->common = vbt_stack_order_common(&order, (uint32_t)listed[i - 1].key - 1, (uint32_t)listed[i].key - 1);
        values[i] = (uint64_t)vbt_call_self_of(r->from, stack->call, r->measure);
    }
    free(listed);
    vbt_stack_order_free(&order);
}

/* The end of the stacks of a group. */
static uint32_t end_of_group(const struct reversing *r, uint32_t begin) {
    uint32_t end = begin + 1;
    while (end < r->count && r->stacks[end].group == r->stacks[begin].group)
        end++;
    return end;
}

/* Puts the stacks of each group into order, and sums them up. */
static void order_stacks(struct reversing *r) {
    uint64_t steps = STEPS_A_STACK * r->count + LEAST_STEPS;
    bool done = true;
    uint64_t *values = (r->before = vbt_new(r->count + 1, sizeof *r->before)) + 1;
    for (size_t i = 0; i < r->count; i++)
        values[i] = (uint64_t)vbt_call_self_of(r->from, r->stacks[i].call, r->measure);
    for (uint32_t begin = 0, end; begin < r->count && done; begin = end) {
        end = end_of_group(r, begin);
        done = vbt_stack_sort(r->from, r->stacks + begin, values + begin, end - begin, r->least, &steps);
    }
    if (!done)
        order_groups(r, values);
    for (size_t i = 0; i < r->count; i++)
        r->before[i + 1] += r->before[i];
}

/* Finds for each stack the next that has less in common with the one before. */
static void find_less(struct reversing *r) {
    for (size_t i = r->count; i-- > 0;) {
        uint32_t at = (uint32_t)i + 1;
        while (at < r->count && r->stacks[at].group == r->stacks[i].group && r->stacks[at].common >= r->stacks[i].common)
            at = r->stacks[at].less;
        r->stacks[i].less = at;
    }
}

/* Finds which stacks share the levels of this one that the stack before it has not. Returns how
 * many runs of levels there are, the last being the first levels. */
static size_t find_runs(struct reversing *r, uint32_t at) {
    const struct vbt_stack *stack = &r->stacks[at];
    uint32_t last = length_of(r, stack), end = at + 1;
    size_t count = 0;
    while (last > stack->common) {
        bool same = end < r->count && r->stacks[end].group == stack->group;
        uint32_t common = same ? r->stacks[end].common : 0;
        if (common < last) {
            r->runs = vbt_grow(r->runs, &r->run_capacity, count + 1, sizeof *r->runs);
            r->runs[count++] = (struct levels){last, end};
            last = common;
        }
        end = same ? r->stacks[end].less : end;
    }
    return count;
}

static int64_t between(const struct reversing *r, uint32_t begin, uint32_t end) {
    return (int64_t)(r->before[end] - r->before[begin]);
}

/* Is what a group holds, or the whole tree, enough for its stacks to be shown? */
static bool is_enough(const struct reversing *r, uint32_t begin, uint32_t end) {
    bool grouped = r->stacks[begin].group != 0;
    return (grouped ? between(r, begin, end) : r->from->totals[r->measure]) >= r->least;
}

/* Limits the levels so that the tree has not too many calls. */
static void limit_levels(struct reversing *r) {
    size_t most = most_calls(r->from->count), sum = r->to.count;
    uint32_t deepest = 0;
    for (size_t i = 0; i < r->count; i++)
        deepest = length_of(r, &r->stacks[i]) > deepest ? length_of(r, &r->stacks[i]) : deepest;
    int64_t *more = vbt_new((size_t)deepest + 2, sizeof *more); /* by level: how many more calls than on the one before */
    for (uint32_t begin = 0, end; begin < r->count; begin = end) {
        end = end_of_group(r, begin);
        for (uint32_t at = begin; at < end && is_enough(r, begin, end);) {
            uint32_t level = r->stacks[at].common, next = at + 1;
            for (size_t i = find_runs(r, at); i-- > 0;) {
                bool few = between(r, at, r->runs[i].end) < r->least;
                more[level + 1]++;
                level = few ? level + 1 : r->runs[i].last;
                more[level + 1]--;
                if (!few)
                    continue;
                next = r->runs[i].end;
                break;
            }
            at = next;
        }
    }
    int64_t on_level = 0;
    r->levels = UINT32_MAX;
    for (uint32_t level = 1; level <= deepest && r->levels == UINT32_MAX; level++) {
        on_level += more[level];
        sum += (size_t)on_level;
        if (sum > most)
            r->levels = level > 1 ? level - 1 : 1;
    }
    free(more);
    if (r->levels != UINT32_MAX)
        vbt_warn("the tree has more than %s calls: callers of some stacks are omitted", vbt_count((int64_t)most).text);
}

static uint32_t new_call(struct reversing *r, struct vbt_call call, uint32_t first) {
    struct vbt_call_tree *to = &r->to;
    to->calls = vbt_grow(to->calls, &to->capacity, to->count + 1, sizeof *to->calls);
    to->calls[to->count] = call;
    r->first = vbt_grow(r->first, &r->first_capacity, to->count + 1, sizeof *r->first);
    r->first[to->count] = first;
    return (uint32_t)to->count++;
}

/* Counts the stacks from one to before another at a call. */
static void count_stacks(struct reversing *r, uint32_t call, uint32_t begin, uint32_t end) {
    struct vbt_call_tree *to = &r->to;
    uint32_t *row = &to->calls[call].counts;
    struct vbt_measures sum = vbt_measures_of(&to->counts, *row);
    for (uint32_t at = begin; at < end; at++) {
        if (at + AHEAD < end)
            __builtin_prefetch(&r->from->calls[r->stacks[at + AHEAD].call]);
        const struct vbt_measures more = vbt_call_self(r->from, r->stacks[at].call);
        for (int i = 0; i < VBT_MEASURES; i++)
            sum.of[i] = plus(sum.of[i], more.of[i]);
        if (r->stacks[at].call < r->first[call])
            r->first[call] = r->stacks[at].call;
    }
    to->counted += *row == 0;
    *row = vbt_measures_put(&to->counts, *row, &sum);
}

/* Makes the calls of one stack that the stack before it has not; path[0] is the group or the root.
 * Returns the next stack that is not yet in the tree. */
static uint32_t add_stack(struct reversing *r, uint32_t at) {
    const struct vbt_stack *stack = &r->stacks[at];
    uint32_t level = stack->common, end = length_of(r, stack);
    if (end == 0 || level >= end) {
        count_stacks(r, r->path[end], at, at + 1);
        return at + 1;
    }
    uint32_t frame = ancestor_of(r, stack->call, level);
    r->path = vbt_grow(r->path, &r->path_capacity, (size_t)end + 1, sizeof *r->path);
    for (size_t i = find_runs(r, at); i-- > 0;) {
        const struct levels run = r->runs[i];
        bool few = between(r, at, run.end) < r->least;
        for (; level < run.last; frame = r->from->calls[frame].parent) {
            uint32_t parent = r->path[level++];
            uint32_t call = new_call(r,
                                     (struct vbt_call){.parent = parent,
                                                       .place = r->from->calls[frame].place,
                                                       .depth = (r->to.calls[parent].depth + 1) & VBT_CALL_DEPTH,
                                                       .whole = few},
                                     stack->call);
            r->path[level] = call;
            if (few || level == r->levels) {
                count_stacks(r, call, at, run.end);
                return run.end;
            }
        }
    }
    count_stacks(r, r->path[end], at, at + 1);
    return at + 1;
}

static void add_stacks(struct reversing *r, const uint32_t *of_group) {
    r->path = vbt_grow(r->path, &r->path_capacity, 1, sizeof *r->path);
    for (uint32_t begin = 0, end; begin < r->count; begin = end) {
        end = end_of_group(r, begin);
        uint32_t group = r->stacks[begin].group;
        r->path[0] = of_group[group];
        bool enough = is_enough(r, begin, end);
        for (uint32_t at = begin; at < end && enough;)
            at = add_stack(r, at);
        if (!enough && group != 0) {
            count_stacks(r, r->path[0], begin, end);
            r->to.calls[r->path[0]].whole = true;
        }
    }
}

/* Numbers the calls level by level, in each in the order of their stacks, and finds which are
 * inlined: those whose first stack has it so. */
static void number_calls(struct reversing *r) {
    struct vbt_call_tree *to = &r->to;
    uint32_t deepest = 0;
    for (size_t i = to->count; i-- > 1;) {
        uint32_t *above = &r->first[to->calls[i].parent];
        *above = r->first[i] < *above ? r->first[i] : *above;
        deepest = to->calls[i].depth > deepest ? to->calls[i].depth : deepest;
    }
    /* Twice a counting sort: by the first stack, then by level. */
    size_t keys = (r->from->count > deepest ? r->from->count : deepest) + 2;
    uint32_t *at = vbt_new(keys, sizeof *at), *order = vbt_new(to->count, sizeof *order),
             *again = vbt_new(to->count, sizeof *again);
    for (size_t i = 0; i < to->count; i++)
        at[r->first[i] + 1]++;
    for (size_t i = 1; i < keys; i++)
        at[i] += at[i - 1];
    for (uint32_t i = 0; i < to->count; i++)
        order[at[r->first[i]]++] = i;
    memset(at, 0, keys * sizeof *at);
    for (size_t i = 0; i < to->count; i++)
        at[to->calls[i].depth + 1]++;
    for (size_t i = 1; i < keys; i++)
        at[i] += at[i - 1];
    for (size_t i = 0; i < to->count; i++)
        again[at[to->calls[order[i]].depth]++] = order[i];
    uint32_t *number = order; /* by call, its new number */
    struct vbt_call *calls = vbt_new(to->count, sizeof *calls);
    for (uint32_t i = 0; i < to->count; i++)
        number[again[i]] = i;
    for (uint32_t i = 0; i < to->count; i++) {
        struct vbt_call *call = &calls[i];
        *call = to->calls[again[i]];
        call->parent = number[call->parent];
        uint32_t first = r->first[again[i]], out = call->depth - calls[0].depth;
        if (i > 0 && !call->group)
            call->inlined = r->from->calls[ancestor_of(r, first, out - 1 - (r->stacks[0].group != 0))].inlined;
    }
    free(to->calls);
    to->calls = calls;
    free(at);
    free(order);
    free(again);
}

/* The root and the groups, and what was counted at the root itself. */
static uint32_t *begin(struct reversing *r) {
    const struct vbt_call_tree *from = r->from;
    struct vbt_call_tree *to = &r->to;
    uint32_t *of_group = vbt_new(from->count, sizeof *of_group);
    vbt_packed_begin(&to->counts);
    new_call(r, (struct vbt_call){0}, 0);
    if (from->calls[0].counts != 0) {
        const struct vbt_measures self = vbt_call_self(from, 0);
        to->calls[0].counts = vbt_measures_put(&to->counts, 0, &self);
        to->counted = 1;
    }
    for (uint32_t i = 1; i < from->count; i++)
        if (from->calls[i].group)
            of_group[i] = new_call(r, (struct vbt_call){.place = from->calls[i].place, .depth = 1, .group = true}, i);
    return of_group;
}

void vbt_call_tree_reverse(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least) {
    struct reversing r = {.from = tree, .measure = measure, .least = least};
    uint32_t *of_group = begin(&r);
    list_stacks(&r);
    order_stacks(&r);
    make_jumps(&r);
    find_less(&r);
    limit_levels(&r);
    add_stacks(&r, of_group);
    number_calls(&r);
    free(of_group);
    free(r.stacks);
    free(r.before);
    free(r.jump);
    free(r.runs);
    free(r.path);
    free(r.first);
    for (int i = 0; i < VBT_MEASURES; i++)
        vbt_call_tree_forget(tree, (enum vbt_measure)i);
    free(tree->calls);
    vbt_packed_free(&tree->counts);
    free(tree->children);
    free(tree->child_at);
    tree->calls = r.to.calls;
    tree->count = r.to.count;
    tree->capacity = r.to.capacity;
    tree->counts = r.to.counts;
    tree->counted = r.to.counted;
    tree->children = tree->child_at = NULL;
}
