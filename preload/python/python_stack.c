/* See python_stack.h and python_walk.h. */
#include "python_stack.h"

#include "preload/base/memory.h"
#include "preload/ledger/shadow.h"
#include "python_check.h"
#include "python_walk.h"

#include <string.h>

_Atomic uint64_t vbt_python_generations = VBT_PYTHON_CODE_DIED | VBT_PYTHON_STATE_DIED;

const char *vbt_python_find_state(struct vbt_python_stack *stack, uint32_t generation) {
    const char *state = stack->visited != NULL ? stack->visited : vbt_python.this_thread();
    vbt_cell *cell = state != NULL ? vbt_shadow_find(state) : NULL;
    if (cell != NULL)
        atomic_fetch_or_explicit(cell, VBT_CELL_WATCHED, memory_order_relaxed);
    stack->state = state;
    stack->state_generation = generation;
    stack->known_generations = 0;
    if (VBT_UNLIKELY(stack->unmapped != NULL)) {
        if (state != NULL && top_frame(state, &vbt_python.abi) == stack->unmapped)
            return stack->state = NULL;
        stack->unmapped = NULL;
    }
    return state;
}

void vbt_python_stack_visit(struct vbt_python_stack *stack, const char *state) {
    stack->known_generations = 0;
    stack->state = NULL;
    stack->visited = state;
}

void vbt_python_stack_unmaps(struct vbt_python_stack *stack, uintptr_t start, uintptr_t end) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (abi->kind != VBT_FRAME_CFRAME || abi->entry_owner != 0 || !vbt_python_stack_in_use())
        return;
    if ((uintptr_t)stack->known_leaf >= start && (uintptr_t)stack->known_leaf < end)
        stack->known_generations = 0;
    const char *state = thread_state(stack, abi);
    const char *leaf = state != NULL ? top_frame(state, abi) : NULL;
    if ((uintptr_t)leaf < start || (uintptr_t)leaf >= end)
        return;
    vbt_python_stack_reset(stack);
    stack->unmapped = leaf;
}

void vbt_python_override(struct vbt_python_stack *stack, uint32_t node) {
    stack->override = (struct vbt_frame){.node = node};
    stack->depth = 0; /* so that the next walk looks at the override */
    vbt_python_not_deep(stack);
    stack->known_generations = 0;
}

void vbt_python_stack_reset(struct vbt_python_stack *stack) {
    stack->state = NULL;
    stack->visited = NULL;
    stack->is_named = false;
    stack->unmapped = NULL;
    vbt_python_override(stack, 0);
}

void vbt_python_stack_expire(struct vbt_python_stack *stack) {
    stack->code_generation = 0;
    stack->known_generations = 0;
}

enum { STEP_MARK = 1 << VBT_PARENT_BITS };

static bool is_valid(const struct vbt_python_stack *stack, const struct vbt_step *step) {
    return (step->parent ^ stack->step_mark) < STEP_MARK;
}

/* Where the first steps are: two in a cache line. */
static struct vbt_step *first_steps(struct vbt_python_stack *stack) {
    enum { LINE = 64 };
    _Static_assert(2 * sizeof(struct vbt_step) == LINE, "room to begin at a line");
    return (struct vbt_step *)(((uintptr_t)stack->few_steps + LINE - 1) / LINE * LINE);
}

/* A valid step is displaced: is it to be in a larger table? */
static bool is_crowded(struct vbt_python_stack *stack) {
    uint32_t count = (uint32_t)(stack->step_offsets / sizeof(struct vbt_step)) + 1;
    return vbt_crowd_is_dense(&stack->crowd, count, stack->ledger->totals[VBT_DOMAIN_PYTHON].allocs) && count < VBT_MOST_STEPS;
}

/* One that is displaced displaces the one beside it. */
static void place_step(struct vbt_python_stack *stack, const struct vbt_step *step) {
    struct vbt_step *at = step_at(stack, step->key, step->key2, hash_of_parent(step->parent));
    if (is_valid(stack, at))
        *beside(at) = *at;
    *at = *step;
}

static void grow_steps(struct vbt_python_stack *stack) {
    size_t size = stack->step_offsets + sizeof(struct vbt_step);
    struct vbt_step *old = stack->steps, *fresh = vbt_map(2 * size);
    if (fresh == NULL)
        return;
    stack->steps = fresh; /* first: a fork may come in between */
    atomic_signal_fence(memory_order_release);
    stack->step_offsets = 2 * size - sizeof *fresh;
    for (const struct vbt_step *step = old; step < old + size / sizeof *old; step++)
        if (is_valid(stack, step))
            place_step(stack, step);
    if (old != first_steps(stack))
        vbt_unmap(old, size);
}

__attribute__((noinline)) void vbt_python_keep_step(struct vbt_python_stack *stack, const struct vbt_frame *frame, uint32_t parent,
                                                    uint32_t node) {
    const struct vbt_step *at = step_at(stack, frame->key, frame->key2, hash_of_parent(parent));
    if (is_valid(stack, at) && is_valid(stack, beside(at)) && VBT_UNLIKELY(is_crowded(stack)))
        grow_steps(stack);
    place_step(stack, &(struct vbt_step){frame->key, vbt_place_if_made(stack->ledger, node), parent, frame->key2});
}

void vbt_python_forget_steps(struct vbt_python_stack *stack) {
    if (stack->steps == NULL) {
        stack->step_factor = 0x9E3779B97F4A7C15ULL; /* Knuth's multiplicative hashing, with the golden ratio */
        stack->step_offsets = (VBT_FEW_STEPS - 1) * sizeof *stack->steps;
        atomic_signal_fence(memory_order_release);
        stack->steps = first_steps(stack);
    }
    stack->step_mark += STEP_MARK;
    if (VBT_UNLIKELY(stack->step_mark == 0)) { /* the marks start again */
        memset(stack->steps, 0, stack->step_offsets + sizeof *stack->steps);
        stack->step_mark = STEP_MARK;
    }
}

#define WALKER(minor)                                                                                                              \
    static struct vbt_frame *leaf_##minor(struct vbt_python_stack *stack) {                                                        \
        return vbt_walk(stack, &vbt_cpythons[minor].abi, VBT_WITH_NODES);                                                          \
    }                                                                                                                              \
    static struct vbt_frame *chain_##minor(struct vbt_python_stack *stack) {                                                       \
        return vbt_walk(stack, &vbt_cpythons[minor].abi, VBT_WITHOUT_NODES);                                                       \
    }

VBT_FOR_EACH_WALKER(WALKER)

/* For offsets that the interpreter states and the table does not have. */
static struct vbt_frame *leaf_stated(struct vbt_python_stack *stack) { return vbt_walk(stack, &vbt_python.abi, VBT_WITH_NODES); }
static struct vbt_frame *chain_stated(struct vbt_python_stack *stack) {
    return vbt_walk(stack, &vbt_python.abi, VBT_WITHOUT_NODES);
}

static struct vbt_frame *no_python(struct vbt_python_stack *stack) {
    (void)stack;
    return NULL;
}

struct vbt_frame *(*vbt_python_leaf)(struct vbt_python_stack *) = no_python;
struct vbt_frame *(*vbt_python_chain)(struct vbt_python_stack *) = no_python;

bool vbt_python_abi_is_known(void) { return memcmp(&vbt_python.abi, &vbt_python.known->abi, sizeof vbt_python.abi) == 0; }

static bool is_joined;

/* vbt_python_leaf where stacks are joined: for the few who ask for the Python stack alone. */
static struct vbt_frame *noded_leaf(struct vbt_python_stack *stack) {
    struct vbt_frame *leaf = vbt_python_chain(stack);
    if (leaf == &stack->cut)
        take_step(stack, leaf, 0, &vbt_python.abi);
    if (leaf == NULL || leaf == &stack->cut || leaf == &stack->override)
        return leaf;
    leaf = intern(stack, stack->noded, &vbt_python.abi);
    stack->noded = stack->depth;
    return leaf;
}

/* Until the first frames have been seen: reads that survive wrong offsets. Chooses the walkers once
 * there are some; false until then. */
static bool choose_walkers(void) {
#define LEAF_ENTRY(minor) [minor] = leaf_##minor,
#define CHAIN_ENTRY(minor) [minor] = chain_##minor,
    static struct vbt_frame *(*const leaves[])(struct vbt_python_stack *) = {VBT_FOR_EACH_WALKER(LEAF_ENTRY)};
    static struct vbt_frame *(*const chains[])(struct vbt_python_stack *) = {VBT_FOR_EACH_WALKER(CHAIN_ENTRY)};
#undef LEAF_ENTRY
#undef CHAIN_ENTRY
    bool seen;
    if (!vbt_python_look(&seen)) {
        vbt_python.trouble = "its frames are not where this version keeps them";
        vbt_python_stack_forget();
        return false;
    }
    if (!seen)
        return false;
    bool is_known = vbt_python_abi_is_known();
    int walked_as = vbt_python.known->walked_as;
    vbt_python_chain = is_known ? chains[walked_as] : chain_stated;
    vbt_python_leaf = is_joined ? noded_leaf : is_known ? leaves[walked_as] : leaf_stated;
    return true;
}

static struct vbt_frame *first_leaf(struct vbt_python_stack *stack) { return choose_walkers() ? vbt_python_leaf(stack) : NULL; }
static struct vbt_frame *first_chain(struct vbt_python_stack *stack) { return choose_walkers() ? vbt_python_chain(stack) : NULL; }

uint32_t vbt_python_read_chain(struct vbt_python_stack *stack, struct vbt_frame *frames, uint32_t most) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *state = thread_state(stack, abi), *top = state != NULL ? top_frame(state, abi) : NULL;
    uint32_t count = 0, at = 0;
    for (const char *frame = top; frame != NULL; frame = previous(frame, abi))
        count++;
    for (const char *frame = top; frame != NULL && count <= most; frame = previous(frame, abi), at++)
        frames[count - 1 - at] = (struct vbt_frame){frame, key_of(frame, abi), key2_of(frame, abi), 0};
    return count;
}

bool vbt_python_chain_is_right(struct vbt_python_stack *stack) {
    if (stack->fresh == NULL && (stack->fresh = vbt_map(VBT_STACK_FRAMES * sizeof *stack->fresh)) == NULL)
        return true;
    bool same = vbt_python_read_chain(stack, stack->fresh, VBT_STACK_FRAMES) == stack->depth;
    for (uint32_t i = 0; same && i < stack->depth; i++) {
        const struct vbt_frame *kept = &stack->frames[i], *fresh = &stack->fresh[i];
        same = kept->frame == fresh->frame && kept->key == fresh->key && kept->key2 == fresh->key2;
    }
    return same;
}

void vbt_python_stack_use(bool joined) {
    is_joined = joined;
    vbt_python_leaf = first_leaf;
    vbt_python_chain = first_chain;
}

void vbt_python_stack_forget(void) { vbt_python_leaf = vbt_python_chain = no_python; }

bool vbt_python_stack_in_use(void) { return vbt_python_leaf != no_python && vbt_python_leaf != first_leaf; }
