/* See python_stack.h. Every function that takes an abi is inlined into one walker a version, where the offsets are constants. */
#include "python_stack.h"

#include "python_abi_table.h"
#include "python_check.h"
#include "python_code.h"
#include "tree.h"

#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE const char *thread_state(const struct vbt_python_abi *abi) {
    if (abi->entry_owner == 0)
        return vbt_python.this_thread(); /* up to 3.11 the running thread's state is one variable for all threads */
    const char *state = vbt_python.current_thread();
    return VBT_LIKELY(state != NULL) ? state : vbt_python.this_thread();
}

ALWAYS_INLINE const char *top_frame(const char *state, const struct vbt_python_abi *abi) {
    const char *frame = vbt_load_pointer(state, abi->tstate_frame);
    if (abi->kind == VBT_FRAME_CFRAME && frame != NULL)
        frame = vbt_load_pointer(frame, abi->cframe_current);
    return frame;
}

ALWAYS_INLINE const char *previous(const char *frame, const struct vbt_python_abi *abi) {
    return vbt_load_pointer(frame, abi->frame_previous);
}

ALWAYS_INLINE uintptr_t key_of(const char *frame, const struct vbt_python_abi *abi) {
    return vbt_load_word(frame, abi->kind == VBT_FRAME_OBJECT ? abi->frame_code : abi->frame_instruction);
}

ALWAYS_INLINE uint32_t key2_of(const char *frame, const struct vbt_python_abi *abi) {
    return abi->kind == VBT_FRAME_OBJECT ? (uint32_t)vbt_load_int(frame, abi->frame_instruction) + 1 : 0;
}

/* The evaluation loop's own frames, between C code and the Python code that it called. */
ALWAYS_INLINE bool is_entry(const char *frame, const struct vbt_python_abi *abi) {
    return abi->entry_owner != 0 && *(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner;
}

/* Reads the frame's place; true if it is not the one that was kept. */
ALWAYS_INLINE bool refresh(struct vbt_frame *kept, const struct vbt_python_abi *abi) {
    uintptr_t key = key_of(kept->frame, abi);
    uint32_t key2 = key2_of(kept->frame, abi);
    bool changed = key != kept->key || key2 != kept->key2;
    kept->key = key;
    kept->key2 = key2;
    return changed;
}

/* The step from a parent to what the frame executes, looked up where it is not among the latest. */
ALWAYS_INLINE void take_step(struct vbt_python_stack *stack, struct vbt_frame *kept, uint32_t parent) {
    uint64_t mixed = (kept->key ^ ((uint64_t)(kept->key2 ^ parent) << 20)) * 0x9E3779B97F4A7C15ULL;
    struct vbt_step *step = &stack->steps[mixed >> 56 & (VBT_STEPS - 1)];
    if (VBT_UNLIKELY(step->key != kept->key || step->key2 != kept->key2 || step->parent != parent || step->epoch != stack->epoch)) {
        uint32_t site = vbt_python_site(kept->frame, kept->key, kept->key2);
        uint32_t node = site == vbt_transparent_site ? parent : vbt_node_of(parent, site, VBT_DOMAIN_PYTHON);
        *step = (struct vbt_step){kept->key, kept->key2, parent, stack->epoch, node, NULL};
    }
    if (step->counters == NULL && step->node != 0)
        step->counters = vbt_counters_of(stack->ledger, step->node);
    kept->node = step->node;
    kept->counters = step->counters;
}

/* Looks up the nodes of the frames from `first` on, whose parents' are known; returns the leaf. */
ALWAYS_INLINE struct vbt_frame *intern(struct vbt_python_stack *stack, uint32_t first, const struct vbt_python_abi *abi) {
    uint32_t parent = first == 0 ? 0 : stack->frames[first - 1].node;
    for (uint32_t i = first; i < stack->depth; i++) {
        struct vbt_frame *kept = &stack->frames[i];
        if (VBT_UNLIKELY(is_entry(kept->frame, abi))) {
            kept->node = parent;
            kept->counters = NULL;
        } else {
            take_step(stack, kept, parent);
            parent = kept->node;
        }
    }
    return &stack->frames[stack->depth - 1];
}

/* Deeper than what is kept: the leaf line alone. */
static struct vbt_frame *cut_off(struct vbt_python_stack *stack, const struct vbt_frame *leaf) {
    stack->depth = 0;
    stack->truncated++;
    stack->cut = *leaf;
    take_step(stack, &stack->cut, 0);
    return &stack->cut;
}

/* Walks from `frame` into the second half of the frames, leaf first, until `stop` (exclusive) of the kept frames is met or the stack ends.
 * Returns how many were walked, VBT_STACK_FRAMES for too many; *junction is the index of the kept frame that was met, or -1. */
ALWAYS_INLINE uint32_t walk(struct vbt_python_stack *stack, const char *frame, uint32_t look_back, int64_t *junction,
                            const struct vbt_python_abi *abi) {
    struct vbt_frame *walked = stack->frames + VBT_STACK_FRAMES;
    int64_t top = stack->depth;
    int64_t lowest = top > look_back ? top - look_back : 0;
    uint32_t count = 0;
    *junction = -1;
    for (; frame != NULL && count < VBT_STACK_FRAMES; frame = previous(frame, abi)) {
        for (int64_t i = top - 1; i >= lowest; i--) {
            if (stack->frames[i].frame == frame) {
                *junction = i;
                return count;
            }
        }
        walked[count++] = (struct vbt_frame){.frame = frame, .key = key_of(frame, abi), .key2 = key2_of(frame, abi)};
    }
    return count;
}

/* Goes through the kept frames from `top` to the root. Returns the lowest index whose place changed (top + 1: none), or -1 where
 * the chain is not the kept one. */
ALWAYS_INLINE int64_t revalidate(struct vbt_python_stack *stack, int64_t top, const struct vbt_python_abi *abi) {
    struct vbt_frame *frames = stack->frames;
    int64_t changed = top + 1;
    for (int64_t i = top;; i--) {
        if (VBT_UNLIKELY(refresh(&frames[i], abi)))
            changed = i;
        const char *before = previous(frames[i].frame, abi);
        if (i == 0)
            return VBT_LIKELY(before == NULL) ? changed : -1;
        if (VBT_UNLIKELY(before != frames[i - 1].frame))
            return -1;
    }
}

/* The leaf frame is another than last time: finds where the stack joins the kept one. */
ALWAYS_INLINE struct vbt_frame *other_leaf(struct vbt_python_stack *stack, const char *leaf, const struct vbt_python_abi *abi) {
    enum { LOOK_BACK = 16 }; /* frames that returned since: mostly one or two */
    if (stack->frames == NULL && (stack->frames = vbt_map(2 * VBT_STACK_FRAMES * sizeof *stack->frames)) == NULL)
        return NULL;
    struct vbt_frame *frames = stack->frames;
    struct vbt_frame *walked = frames + VBT_STACK_FRAMES;
    int64_t junction;
    uint32_t count = walk(stack, leaf, LOOK_BACK, &junction, abi);
    int64_t changed = junction < 0 ? -1 : revalidate(stack, junction, abi);
    if (changed < 0) {
        count = walk(stack, leaf, 0, &junction, abi);
        changed = 0;
    }
    if (junction + 1 + (int64_t)count >= VBT_STACK_FRAMES)
        return cut_off(stack, count > 0 ? &walked[0] : &frames[junction]);
    for (uint32_t i = 0; i < count; i++)
        frames[junction + 1 + i] = walked[count - 1 - i];
    stack->depth = (uint32_t)(junction + 1) + count;
    return intern(stack, (uint32_t)changed, abi);
}

/* other_leaf is the walker's own copy of the function above, out of line. */
ALWAYS_INLINE struct vbt_frame *find_leaf(struct vbt_python_stack *stack, const struct vbt_python_abi *abi,
                                          struct vbt_frame *(*other)(struct vbt_python_stack *, const char *)) {
    const char *state = thread_state(abi);
    const char *leaf = VBT_LIKELY(state != NULL) ? top_frame(state, abi) : NULL;
    if (leaf == NULL)
        return NULL;
    uint32_t epoch = atomic_load_explicit(&vbt_python_code_epoch, memory_order_acquire);
    if (VBT_UNLIKELY(stack->epoch != epoch)) {
        stack->epoch = epoch;
        stack->depth = 0;
    }
    uint32_t depth = stack->depth;
    if (VBT_UNLIKELY(depth == 0 || stack->frames[depth - 1].frame != leaf))
        return other(stack, leaf);
    int64_t changed = revalidate(stack, (int64_t)depth - 1, abi);
    if (VBT_LIKELY(changed == depth))
        return &stack->frames[depth - 1];
    if (VBT_UNLIKELY(changed < 0))
        return other(stack, leaf);
    return intern(stack, (uint32_t)changed, abi);
}

/* One walker a version, with the offsets of python_abi_table.h as constants. */
#define WALKER(minor)                                                                                                  \
    static __attribute__((noinline)) struct vbt_frame *other_leaf_##minor(struct vbt_python_stack *stack,              \
                                                                          const char *leaf) {                          \
        return other_leaf(stack, leaf, &known[minor]);                                                                 \
    }                                                                                                                  \
    static struct vbt_frame *find_leaf_##minor(struct vbt_python_stack *stack) {                                       \
        return find_leaf(stack, &known[minor], other_leaf_##minor);                                                    \
    }

WALKER(8)
WALKER(10)
WALKER(11)
WALKER(12)
WALKER(13)
WALKER(14)

/* For offsets that the interpreter states otherwise than the table. */
static __attribute__((noinline)) struct vbt_frame *other_leaf_stated(struct vbt_python_stack *stack, const char *leaf) {
    return other_leaf(stack, leaf, &vbt_python.abi);
}

static struct vbt_frame *find_leaf_stated(struct vbt_python_stack *stack) {
    return find_leaf(stack, &vbt_python.abi, other_leaf_stated);
}

static struct vbt_frame *no_python(struct vbt_python_stack *stack) {
    (void)stack;
    return NULL;
}

struct vbt_frame *(*vbt_python_leaf)(struct vbt_python_stack *) = no_python;

/* Until the first frames were seen: reads that survive offsets that do not fit. */
static struct vbt_frame *first_leaf(struct vbt_python_stack *stack) {
    static struct vbt_frame *(*const walkers[])(struct vbt_python_stack *) = {
        [8] = find_leaf_8, [9] = find_leaf_8, [10] = find_leaf_10, [11] = find_leaf_11,
        [12] = find_leaf_12, [13] = find_leaf_13, [14] = find_leaf_14,
    };
    bool seen;
    if (!vbt_python_look(&seen)) {
        vbt_python.trouble = "its frames are not where this version keeps them";
        vbt_python_leaf = no_python;
        return NULL;
    }
    if (!seen)
        return NULL;
    bool as_known = memcmp(&vbt_python.abi, &known[vbt_python.minor], sizeof vbt_python.abi) == 0;
    vbt_python_leaf = as_known ? walkers[vbt_python.minor] : find_leaf_stated;
    return vbt_python_leaf(stack);
}

void vbt_python_stack_use(void) { vbt_python_leaf = first_leaf; }

void vbt_python_stack_forget(void) { vbt_python_leaf = no_python; }
