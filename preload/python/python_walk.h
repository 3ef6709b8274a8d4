/* The walk over the interpreter's frames; python_stack.h says what it does. Every function takes
 * the offsets as an argument and is inlined where they are constants, so that there is one walker a
 * version. */
#ifndef VBT_PYTHON_WALK_H
#define VBT_PYTHON_WALK_H

#include "cpython.h"
#include "python_code.h"
#include "python_deep.h"
#include "python_stack.h"
#include "preload/tree/tree.h"

#include <string.h>

/* Up to 3.11 the running thread's state is one variable for all threads, and finding a thread's own
 * is slow: it is kept until it is freed. */
VBT_INLINE const char *thread_state(struct vbt_python_stack *stack, const struct vbt_python_abi *abi) {
    if (abi->entry_owner == 0) {
        uint32_t generation = vbt_python_state_generation(atomic_load_explicit(&vbt_python_generations, memory_order_acquire));
        return stack->state != NULL && stack->state_generation == generation ? stack->state
                                                                             : vbt_python_find_state(stack, generation);
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

/* Where a kept frame lies, after that was compared with what the frame inside it holds. The
 * compiler is kept from using the latter: each load would wait for the one before. */
VBT_INLINE const char *kept_at(const struct vbt_frame *kept) { return *(const char *const volatile *)&kept->frame; }

/* Does a walk give each frame its node? */
enum vbt_walked_nodes { VBT_WITH_NODES, VBT_WITHOUT_NODES };

/* The evaluation loop's own frames, between C code and the Python code that it called. */
VBT_INLINE bool is_entry(const char *frame, const struct vbt_python_abi *abi) {
    return abi->entry_owner != 0 && *(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner;
}

/* Reads what a kept frame, which lies at `frame`, executes; true if it differs from what was
 * kept. */
VBT_INLINE bool refresh(struct vbt_frame *kept, const char *frame, const struct vbt_python_abi *abi) {
    uintptr_t key = key_of(frame, abi);
    uint32_t key2 = key2_of(frame, abi);
    if (VBT_LIKELY(key == kept->key) && (abi->kind != VBT_FRAME_OBJECT || VBT_LIKELY(key2 == kept->key2)))
        return false;
    kept->key = key;
    kept->key2 = key2;
    return true;
}

/* What a parent adds to the hash of its steps: its low bits beside those of an address. */
VBT_INLINE uint64_t hash_of_parent(uint32_t parent) { return (uint64_t)parent << 24; }

/* Where a step is kept, if it is kept at all: there or beside it, in the same cache line. */
VBT_INLINE struct vbt_step *step_at(const struct vbt_python_stack *stack, uintptr_t key, uint32_t key2, uint64_t parent_hash) {
    enum { UNUSED = 64 - 5 - VBT_MOST_STEP_BITS };
    _Static_assert(sizeof(struct vbt_step) == 1 << 5, "an offset is some bits of a hash");
    uint64_t offset =
        ((key + key2) ^ parent_hash) * stack->step_factor >> UNUSED & stack->step_offsets; /* the high bits are the best */
    return (struct vbt_step *)((char *)stack->steps + offset);
}

VBT_INLINE struct vbt_step *beside(const struct vbt_step *step) { return (struct vbt_step *)((uintptr_t)step ^ sizeof *step); }

VBT_INLINE bool is_step(const struct vbt_step *step, uintptr_t key, uint32_t key2, uint32_t parent,
                        const struct vbt_python_abi *abi) {
    return VBT_LIKELY(step->key == key) && VBT_LIKELY(step->parent == parent) &&
           (abi->kind != VBT_FRAME_OBJECT || VBT_LIKELY(step->key2 == key2));
}

/* The step from a parent, marked, with its hash; NULL if it is not kept. */
VBT_INLINE const struct vbt_step *kept_step(const struct vbt_python_stack *stack, uintptr_t key, uint32_t key2, uint32_t parent,
                                            uint64_t parent_hash, const struct vbt_python_abi *abi) {
    const struct vbt_step *step = step_at(stack, key, key2, parent_hash);
    if (VBT_LIKELY(is_step(step, key, key2, parent, abi)))
        return step;
    const struct vbt_step *other = beside(step);
    return is_step(other, key, key2, parent, abi) ? other : NULL;
}

/* The node of what the frame executes, under a parent, which is not marked. */
VBT_INLINE void take_step(struct vbt_python_stack *stack, struct vbt_frame *kept, uint32_t parent,
                          const struct vbt_python_abi *abi) {
    uint32_t marked = parent | stack->step_mark;
    const struct vbt_step *step = kept_step(stack, kept->key, kept->key2, marked, hash_of_parent(marked), abi);
    if (VBT_LIKELY(step != NULL)) {
        kept->node = step->place.node;
        return;
    }
    uint32_t site = vbt_python_site(kept->frame, kept->key, kept->key2);
    uint32_t node = site == vbt_transparent_site ? parent : vbt_node_of(parent, site, VBT_DOMAIN_PYTHON);
    if (node != 0)
        vbt_python_keep_step(stack, kept, marked, node);
    kept->node = node;
}

/* vbt_walk_known compares with the chain as it is kept now. */
VBT_INLINE struct vbt_frame *remember(struct vbt_python_stack *stack) {
    struct vbt_frame *leaf = &stack->frames[stack->depth - 1];
    stack->known_leaf = leaf->frame;
    stack->below_leaf = leaf - 1;
    stack->known_end = stack->frames + stack->settled - 1;
    stack->known_is_odd = (stack->depth - 1 - stack->settled) % 2 != 0;
    stack->leaf_parent = leaf[-1].node | stack->step_mark;
    stack->leaf_hash = hash_of_parent(stack->leaf_parent);
    stack->known_generations = vbt_python_generations_of(stack->code_generation, stack->state_generation);
    return leaf;
}

/* Looks up the nodes of the frames from `first` on, whose parents' nodes are known; returns the
 * leaf. */
VBT_INLINE struct vbt_frame *intern(struct vbt_python_stack *stack, uint32_t first, const struct vbt_python_abi *abi) {
    uint32_t parent = first == 0 ? 0 : stack->frames[first - 1].node;
    if (first < stack->same)
        stack->same = first;
    for (uint32_t i = first; i < stack->depth; i++) {
        struct vbt_frame *kept = &stack->frames[i];
        if (VBT_UNLIKELY(is_entry(kept->frame, abi))) {
            kept->node = parent;
        } else {
            take_step(stack, kept, parent, abi);
            parent = kept->node;
        }
    }
    return remember(stack);
}

/* The same without nodes; noded_leaf adds them where they are needed. */
VBT_INLINE struct vbt_frame *keep_chain(struct vbt_python_stack *stack, uint32_t first) {
    if (first < stack->same)
        stack->same = first;
    if (first < stack->noded)
        stack->noded = first;
    return &stack->frames[stack->depth - 1];
}

/* Deeper than what is kept: reports the leaf line alone. */
VBT_INLINE struct vbt_frame *cut_off(struct vbt_python_stack *stack, const struct vbt_frame *leaf, const struct vbt_python_abi *abi,
                                     enum vbt_walked_nodes nodes) {
    stack->depth = 0;
    stack->known_generations = 0;
    vbt_python_not_deep(stack);
    stack->truncated++;
    stack->cut = *leaf;
    if (nodes == VBT_WITH_NODES)
        take_step(stack, &stack->cut, 0, abi);
    return &stack->cut;
}

/* What is called later lies higher, in a data stack: a kept frame that lies lower, but not far, is
 * outside this one. */
VBT_INLINE bool is_lower(const char *kept, const char *frame) {
    enum { NEAR = 16 * 1024 };
    return (uintptr_t)(frame - kept) < NEAR;
}

/* Walks from `frame` into the second half of the frames, leaf first, until one of the last
 * `look_back` kept frames is met or the stack ends. Returns how many were walked, VBT_STACK_FRAMES
 * if there are too many; *junction is the index of the kept frame that was met, or -1. One that is
 * overlooked costs no more than a longer walk. */
VBT_INLINE uint32_t walk(struct vbt_python_stack *stack, const char *frame, uint32_t look_back, int64_t *junction,
                         const struct vbt_python_abi *abi) {
    struct vbt_frame *walked = stack->frames + VBT_STACK_FRAMES;
    int64_t top = stack->depth;
    int64_t lowest = top > look_back ? top - look_back : 0;
    uint32_t count = 0;
    *junction = -1;
    for (; frame != NULL && count < VBT_STACK_FRAMES; frame = previous(frame, abi)) {
        for (int64_t i = top - 1; i >= lowest; i--) {
            const char *kept = stack->frames[i].frame;
            if (kept == frame) {
                *junction = i;
                return count;
            }
            if (abi->kind != VBT_FRAME_OBJECT && is_lower(kept, frame))
                break;
        }
        walked[count++] = (struct vbt_frame){.frame = frame, .key = key_of(frame, abi), .key2 = key2_of(frame, abi)};
    }
    return count;
}

/* Goes through the kept frames from `top` to `end`. Returns the lowest index where something else
 * is executed now (top + 1: none), or -1 where the chain is not the kept one. */
VBT_INLINE int64_t revalidate(struct vbt_python_stack *stack, int64_t top, int64_t end, const struct vbt_python_abi *abi) {
    struct vbt_frame *kept = &stack->frames[top], *last = &stack->frames[end], *changed = kept + 1;
#define LOOK_AT(kept)                                                                                                              \
    do {                                                                                                                           \
        const char *frame = kept_at(kept);                                                                                         \
        if (VBT_UNLIKELY(refresh(kept, frame, abi)))                                                                               \
            changed = kept;                                                                                                        \
        if (VBT_UNLIKELY(previous(frame, abi) != (kept)[-1].frame)) /* NULL in front of the root */                                \
            return -1;                                                                                                             \
    } while (0)
    for (; kept > last; kept -= 2) { /* two at a time: they are many */
        LOOK_AT(kept);
        LOOK_AT(kept - 1);
    }
    if (kept == last)
        LOOK_AT(kept);
#undef LOOK_AT
    return changed - stack->frames;
}

/* The same to the outermost frame that must be looked at. */
VBT_INLINE int64_t revalidate_all(struct vbt_python_stack *stack, int64_t top, const struct vbt_python_abi *abi) {
    if (abi->kind == VBT_FRAME_OBJECT || VBT_LIKELY(stack->depth < VBT_PYTHON_DEEP))
        return revalidate(stack, top, 0, abi);
    int64_t end = vbt_python_settled(stack);
    return revalidate(stack, top, end <= top ? end : 0, abi);
}

/* The leaf frame is not the last one: finds where the stack joins the kept one. */
VBT_INLINE struct vbt_frame *vbt_walk_other(struct vbt_python_stack *stack, const char *leaf, const struct vbt_python_abi *abi,
                                            enum vbt_walked_nodes nodes) {
    enum { LOOK_BACK = 16 }; /* frames that returned since: mostly one or two */
    if (VBT_UNLIKELY(stack->override.node != 0))
        return &stack->override;
    uint64_t generations = atomic_load_explicit(&vbt_python_generations, memory_order_acquire);
    if (stack->code_generation != vbt_python_code_generation(generations)) {
        stack->code_generation = vbt_python_code_generation(generations);
        stack->depth = 0;
        vbt_python_not_deep(stack);
        vbt_python_forget_steps(stack);
    }
    if (stack->frames == NULL) {
        struct vbt_frame *mapped = vbt_map((1 + 2 * VBT_STACK_FRAMES) * sizeof *mapped);
        if (mapped == NULL)
            return NULL;
        stack->frames = mapped + 1; /* what comes before the root is zero, as the root's previous frame and parent node are */
    }
    struct vbt_frame *frames = stack->frames;
    struct vbt_frame *walked = frames + VBT_STACK_FRAMES;
    int64_t junction;
    uint32_t count = walk(stack, leaf, LOOK_BACK, &junction, abi);
    int64_t changed = junction < 0 ? -1 : revalidate_all(stack, junction, abi);
    if (changed < 0) {
        count = walk(stack, leaf, 0, &junction, abi);
        changed = 0;
    }
    uint32_t depth = (uint32_t)(junction + 1) + count;
    if (VBT_UNLIKELY((depth | stack->depth) >= VBT_PYTHON_DEEP)) {
        if (VBT_UNLIKELY(depth >= VBT_STACK_FRAMES))
            return cut_off(stack, count > 0 ? &walked[0] : &frames[junction], abi, nodes);
        if (abi->kind != VBT_FRAME_OBJECT)
            vbt_python_deepen(stack, junction, walked, count);
    }
    for (uint32_t i = 0; i < count; i++)
        frames[junction + 1 + i] = walked[count - 1 - i];
    stack->depth = depth;
    return nodes == VBT_WITH_NODES ? intern(stack, (uint32_t)changed, abi) : keep_chain(stack, (uint32_t)changed);
}

/* The calling thread's leaf frame; see vbt_python_leaf and vbt_python_chain. */
VBT_INLINE struct vbt_frame *vbt_walk(struct vbt_python_stack *stack, const struct vbt_python_abi *abi,
                                      enum vbt_walked_nodes nodes) {
    const char *state = thread_state(stack, abi);
    const char *leaf = VBT_LIKELY(state != NULL) ? top_frame(state, abi) : NULL;
    if (leaf == NULL)
        return NULL;
    uint64_t generations = atomic_load_explicit(&vbt_python_generations, memory_order_acquire);
    uint32_t generation = vbt_python_code_generation(generations);
    if (abi->entry_owner != 0) /* no state is kept, and none expires */
        stack->state_generation = vbt_python_state_generation(generations);
    uint32_t depth = stack->depth;
    if (VBT_UNLIKELY(stack->code_generation != generation || depth == 0 || stack->frames[depth - 1].frame != leaf))
        return vbt_walk_other(stack, leaf, abi, nodes);
    int64_t changed = revalidate_all(stack, (int64_t)depth - 1, abi);
    if (VBT_UNLIKELY(changed < 0))
        return vbt_walk_other(stack, leaf, abi, nodes);
    return nodes == VBT_WITH_NODES ? intern(stack, (uint32_t)changed, abi) : keep_chain(stack, (uint32_t)changed);
}

/* Is a kept frame the one before those that were looked at, and does it still execute the same?
 * Then *before is set to the one before it. */
VBT_INLINE bool stayed(const struct vbt_frame *kept, const char **before, const struct vbt_python_abi *abi) {
    if (VBT_UNLIKELY(*before != kept->frame))
        return false;
    const char *frame = kept_at(kept);
    if (VBT_UNLIKELY(key_of(frame, abi) != kept->key) ||
        (abi->kind == VBT_FRAME_OBJECT && VBT_UNLIKELY(key2_of(frame, abi) != kept->key2)))
        return false;
    *before = previous(frame, abi);
    return true;
}

/* The step that the leaf frame takes, where the chain outside it is the kept one and the step was
 * taken before; else NULL, and vbt_walk must look. Changes nothing. The frames' addresses come from
 * what was kept, so that the loads overlap. */
VBT_INLINE const struct vbt_step *vbt_walk_known(const struct vbt_python_stack *stack, const struct vbt_python_abi *abi) {
    if (VBT_UNLIKELY(VBT_PEEK(uint64_t, vbt_python_generations) != stack->known_generations))
        return NULL;
    const char *state = abi->entry_owner == 0 ? stack->state : vbt_python.current_thread();
    if (abi->entry_owner != 0 && VBT_UNLIKELY(state == NULL))
        return NULL;
    const char *frames = vbt_load_pointer(state, abi->tstate_frame);
    const char *leaf = abi->kind == VBT_FRAME_CFRAME ? vbt_load_pointer(frames, abi->cframe_current) : frames;
    if (VBT_UNLIKELY(leaf != stack->known_leaf))
        return NULL;
    const char *before = previous(leaf, abi);
    const struct vbt_frame *kept = stack->below_leaf, *end = stack->known_end;
    if (kept != end) {
        if (stack->known_is_odd && !stayed(kept--, &before, abi))
            return NULL;
        for (; kept != end; kept -= 2)
            if (!stayed(kept, &before, abi) || !stayed(kept - 1, &before, abi))
                return NULL;
    }
    if (VBT_UNLIKELY(before != kept->frame)) /* NULL in front of the root */
        return NULL;
    uintptr_t key = key_of(leaf, abi);
    uint32_t key2 = key2_of(leaf, abi);
    return kept_step(stack, key, key2, stack->leaf_parent, stack->leaf_hash, abi);
}

/* The step that the leaf frame takes, after a walk; NULL where there is none, or no node of its
 * own. */
VBT_INLINE const struct vbt_step *vbt_walk_step(struct vbt_python_stack *stack, const struct vbt_python_abi *abi) {
    const struct vbt_frame *leaf = vbt_walk(stack, abi, VBT_WITH_NODES);
    if (VBT_UNLIKELY(leaf == NULL) || VBT_UNLIKELY(leaf != &stack->frames[(int64_t)stack->depth - 1]))
        return NULL;
    const struct vbt_step *step = kept_step(stack, leaf->key, leaf->key2, stack->leaf_parent, stack->leaf_hash, abi);
    return step != NULL && step->place.node != 0 ? step : NULL;
}

#endif
