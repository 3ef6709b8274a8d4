/* The walk over the interpreter's frames. Every function takes the offsets as an argument and is inlined where they
 * are constants, so that there is one walker a version. What it does is told in python_stack.h. */
#ifndef VBT_PYTHON_WALK_H
#define VBT_PYTHON_WALK_H

#include "python_abi_table.h"
#include "python_code.h"
#include "python_stack.h"
#include "tree.h"

/* Up to 3.11 the running thread's state is one variable for all threads, and a thread's own is slow to get at: it is
 * kept, until it is freed. */
VBT_INLINE const char *thread_state(struct vbt_python_stack *stack, const struct vbt_python_abi *abi) {
    if (abi->entry_owner == 0) {
        uint32_t epoch = atomic_load_explicit(&vbt_python_state_epoch, memory_order_acquire);
        return VBT_LIKELY(stack->state != NULL && stack->state_epoch == epoch) ? stack->state : vbt_python_find_state(stack, epoch);
    }
    const char *state = vbt_python.current_thread();
    return VBT_LIKELY(state != NULL) ? state : vbt_python.this_thread();
}

VBT_INLINE const char *top_frame(const char *state, const struct vbt_python_abi *abi) {
    const char *frame = vbt_load_pointer(state, abi->tstate_frame);
    if (abi->kind == VBT_FRAME_CFRAME && frame != NULL)
        frame = vbt_load_pointer(frame, abi->cframe_current);
    return frame;
}

VBT_INLINE const char *previous(const char *frame, const struct vbt_python_abi *abi) {
    return vbt_load_pointer(frame, abi->frame_previous);
}

VBT_INLINE uintptr_t key_of(const char *frame, const struct vbt_python_abi *abi) {
    return vbt_load_word(frame, abi->kind == VBT_FRAME_OBJECT ? abi->frame_code : abi->frame_instruction);
}

VBT_INLINE uint32_t key2_of(const char *frame, const struct vbt_python_abi *abi) {
    return abi->kind == VBT_FRAME_OBJECT ? (uint32_t)vbt_load_int(frame, abi->frame_instruction) + 1 : 0;
}

/* The evaluation loop's own frames, between C code and the Python code that it called. */
VBT_INLINE bool is_entry(const char *frame, const struct vbt_python_abi *abi) {
    return abi->entry_owner != 0 && *(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner;
}

/* Reads the frame's place; true if it is not the one that was kept. */
VBT_INLINE bool refresh(struct vbt_frame *kept, const struct vbt_python_abi *abi) {
    uintptr_t key = key_of(kept->frame, abi);
    bool changed = key != kept->key;
    kept->key = key;
    if (abi->kind == VBT_FRAME_OBJECT) {
        uint32_t key2 = key2_of(kept->frame, abi);
        changed |= key2 != kept->key2;
        kept->key2 = key2;
    }
    return changed;
}

VBT_INLINE bool is_step(const struct vbt_step *step, const struct vbt_frame *kept, uint64_t tagged_parent,
                        const struct vbt_python_abi *abi) {
    return step->key == kept->key && step->parent == tagged_parent && (abi->kind != VBT_FRAME_OBJECT || step->key2 == kept->key2);
}

/* The step from a parent to what the frame executes, looked up where it is not among the latest; its index. */
VBT_INLINE uint32_t take_step(struct vbt_python_stack *stack, struct vbt_frame *kept, uint32_t parent,
                              const struct vbt_python_abi *abi) {
    uint64_t tagged_parent = (uint64_t)stack->epoch << 32 | parent;
    uint32_t index = (uint32_t)(kept->key >> 1 ^ kept->key >> 9 ^ kept->key2 ^ parent) % VBT_STEPS;
    struct vbt_step *step = &stack->steps[index];
    if (VBT_UNLIKELY(!is_step(step, kept, tagged_parent, abi))) {
        uint32_t site = vbt_python_site(kept->frame, kept->key, kept->key2);
        uint32_t node = site == vbt_transparent_site ? parent : vbt_node_of(parent, site, VBT_DOMAIN_PYTHON);
        struct vbt_counters *counters = node != 0 ? vbt_counters_of(stack->ledger, node) : NULL;
        *step = (struct vbt_step){kept->key, tagged_parent, counters, node, kept->key2, step->next};
    }
    kept->node = step->node;
    kept->counters = step->counters;
    return index;
}

/* The same at the leaf, which in a loop takes the same steps in the same order: the one that followed last time is
 * tried first. What comes of it does not wait for the frame to be read, only the test of it does. */
VBT_INLINE void take_leaf_step(struct vbt_python_stack *stack, struct vbt_frame *kept, uint32_t parent,
                               const struct vbt_python_abi *abi) {
    struct vbt_step *last = &stack->steps[stack->leaf_step];
    struct vbt_step *guess = &stack->steps[last->next];
    if (VBT_LIKELY(is_step(guess, kept, (uint64_t)stack->epoch << 32 | parent, abi))) {
        stack->leaf_step = last->next;
        kept->node = guess->node;
        kept->counters = guess->counters;
    } else {
        stack->leaf_step = last->next = take_step(stack, kept, parent, abi);
    }
}

/* Looks up the nodes of the frames from `first` on, whose parents' are known; returns the leaf. */
VBT_INLINE struct vbt_frame *intern(struct vbt_python_stack *stack, uint32_t first, const struct vbt_python_abi *abi) {
    uint32_t parent = first == 0 ? 0 : stack->frames[first - 1].node;
    for (uint32_t i = first; i < stack->depth; i++) {
        struct vbt_frame *kept = &stack->frames[i];
        if (VBT_UNLIKELY(is_entry(kept->frame, abi))) {
            kept->node = parent;
            kept->counters = NULL;
        } else {
            take_step(stack, kept, parent, abi);
            parent = kept->node;
        }
    }
    return &stack->frames[stack->depth - 1];
}

/* Deeper than what is kept: the leaf line alone. */
VBT_INLINE struct vbt_frame *cut_off(struct vbt_python_stack *stack, const struct vbt_frame *leaf,
                                     const struct vbt_python_abi *abi) {
    stack->depth = 0;
    stack->truncated++;
    stack->cut = *leaf;
    take_step(stack, &stack->cut, 0, abi);
    return &stack->cut;
}

/* Walks from `frame` into the second half of the frames, leaf first, until `stop` (exclusive) of the kept frames is
 * met or the stack ends. Returns how many were walked, VBT_STACK_FRAMES for too many; *junction is the index of the
 * kept frame that was met, or -1. */
VBT_INLINE uint32_t walk(struct vbt_python_stack *stack, const char *frame, uint32_t look_back, int64_t *junction,
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

/* Goes through the kept frames from `top` to the root. Returns the lowest index whose place changed (top + 1: none),
 * or -1 where the chain is not the kept one. */
VBT_INLINE int64_t revalidate(struct vbt_python_stack *stack, int64_t top, const struct vbt_python_abi *abi) {
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
VBT_INLINE struct vbt_frame *vbt_walk_other(struct vbt_python_stack *stack, const char *leaf, const struct vbt_python_abi *abi) {
    enum { LOOK_BACK = 16 }; /* frames that returned since: mostly one or two */
    if (VBT_UNLIKELY(stack->override.node != 0))
        return &stack->override;
    uint32_t epoch = atomic_load_explicit(&vbt_python_code_epoch, memory_order_acquire);
    if (stack->epoch != epoch) {
        stack->epoch = epoch;
        stack->depth = 0;
    }
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
        return cut_off(stack, count > 0 ? &walked[0] : &frames[junction], abi);
    for (uint32_t i = 0; i < count; i++)
        frames[junction + 1 + i] = walked[count - 1 - i];
    stack->depth = (uint32_t)(junction + 1) + count;
    return intern(stack, (uint32_t)changed, abi);
}

/* The calling thread's leaf frame; see vbt_python_leaf. other: the walker's own copy of vbt_walk_other, out of line. */
VBT_INLINE struct vbt_frame *vbt_walk(struct vbt_python_stack *stack, const struct vbt_python_abi *abi,
                                      struct vbt_frame *(*other)(struct vbt_python_stack *, const char *)) {
    const char *state = thread_state(stack, abi);
    const char *leaf = VBT_LIKELY(state != NULL) ? top_frame(state, abi) : NULL;
    if (leaf == NULL)
        return NULL;
    uint32_t epoch = atomic_load_explicit(&vbt_python_code_epoch, memory_order_acquire);
    uint32_t depth = stack->depth;
    if (VBT_UNLIKELY(stack->epoch != epoch || depth == 0 || stack->frames[depth - 1].frame != leaf))
        return other(stack, leaf);
    int64_t changed = revalidate(stack, (int64_t)depth - 1, abi);
    if (VBT_LIKELY(changed == depth))
        return &stack->frames[depth - 1];
    if (VBT_LIKELY(changed == depth - 1 && !is_entry(leaf, abi))) {
        take_leaf_step(stack, &stack->frames[depth - 1], depth == 1 ? 0 : stack->frames[depth - 2].node, abi);
        return &stack->frames[depth - 1];
    }
    if (VBT_UNLIKELY(changed < 0))
        return other(stack, leaf);
    return intern(stack, (uint32_t)changed, abi);
}

/* The versions that have offsets of their own; 3.9's are 3.8's. */
#define VBT_FOR_EACH_ABI(DO) DO(8) DO(10) DO(11) DO(12) DO(13) DO(14)

#define VBT_DECLARE_OTHER(minor) struct vbt_frame *vbt_python_other_##minor(struct vbt_python_stack *stack, const char *leaf);
VBT_FOR_EACH_ABI(VBT_DECLARE_OTHER)

#endif
