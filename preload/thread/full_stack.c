/* See full_stack.h. */
#include "full_stack.h"

#include "preload/base/memory.h"
#include "preload/tree/tree.h"

enum vbt_stacks vbt_stacks;

/* A frame of the joined stack, outermost first. */
struct joined {
    uint32_t site, node;
};

/* A run of the evaluation loop. */
struct run {
    uintptr_t identity; /* address of the structure that the interpreter keeps for it */
    uint32_t first;     /* the outermost of the Python frames that it executes, as an index of python->frames */
    uint32_t native;    /* the native frame after its own; if that was not found, after the one before */
    uint32_t outside;   /* joined frames before those that lead to it */
};

struct vbt_full_room {
    struct joined joined[VBT_NATIVE_FRAMES + VBT_STACK_FRAMES + 1];
    struct run runs[VBT_STACK_FRAMES];  /* outermost first */
    struct run found[VBT_STACK_FRAMES]; /* those of a new stack, innermost first; native: the frame itself, 0 if it was not found */
};

void vbt_full_stack_reset(struct vbt_full_stack *stack) {
    vbt_native_stack_forget(&stack->native);
    stack->depth = stack->runs = 0;
}

/* The native frame, `from` or one outside it, whose part of the stack contains an address; 0: none.
 * A frame ends where its caller's begins. */
static uint32_t frame_that_holds(const struct vbt_native_frame *frames, uint32_t from, uintptr_t address) {
    for (uint32_t i = from; i > 0; i--)
        if (frames[i].sp <= address && address < frames[i - 1].sp)
            return i;
    return 0;
}

/* The same for the frames of one function. */
static uint32_t frame_of_function(const struct vbt_native_frame *frames, uint32_t from, uintptr_t start, uintptr_t end) {
    for (uint32_t i = from; i > 0; i--)
        if (frames[i].pc > start && frames[i].pc <= end)
            return i;
    return 0;
}

static bool has_entries(void) { return vbt_python.abi.entry_owner != 0; }   /* 3.12 on */
static bool has_chain(void) { return vbt_python.abi.cframe_previous != 0; } /* 3.10, 3.11 */

/* Finds the native frames of the innermost `count` runs. */
static void find_frames(struct run *found, uint32_t count, const struct vbt_native_stack *native) {
    const struct vbt_native_frame *frames = vbt_native_frames(native);
    uint32_t next = native->leaf;
    for (struct run *run = found; run < found + count; run++) {
        run->native = has_entries() || has_chain()
                          ? frame_that_holds(frames, next, run->identity)
                          : frame_of_function(frames, next, vbt_python.evaluate_start, vbt_python.evaluate_end);
        if (run->native != 0)
            next = run->native - 1;
    }
}

/* 3.8, 3.9. */
static uint32_t runs_of_frames(const struct vbt_python_stack *python, struct run *found) {
    for (uint32_t i = 0; i < python->depth; i++) {
        uint32_t frame = python->depth - 1 - i;
        found[i] = (struct run){.identity = (uintptr_t)python->frames[frame].frame, .first = frame};
    }
    return python->depth;
}

/* 3.10, 3.11: the chain ends with a structure in the thread's state, which belongs to no run. */
static uint32_t runs_of_chain(const struct vbt_python_stack *python, struct run *found) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *run = vbt_load_pointer(python->state, abi->tstate_cframe), *outer;
    uint32_t first = python->depth, count = 0;
    for (; run != NULL && first > 0 && (outer = vbt_load_pointer(run, abi->cframe_previous)) != NULL; run = outer) {
        first--;
        if (abi->kind == VBT_FRAME_CFRAME) {
            const char *caller = vbt_load_pointer(outer, abi->cframe_current);
            while (first > 0 && python->frames[first - 1].frame != caller)
                first--;
        }
        found[count++] = (struct run){.identity = (uintptr_t)run, .first = first};
    }
    return count;
}

/* 3.12 on. */
static uint32_t runs_of_entries(const struct vbt_python_stack *python, struct run *found) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    uint32_t count = 0;
    for (uint32_t i = python->depth; i-- > 0;) {
        const char *frame = python->frames[i].frame;
        if (*(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner)
            found[count++] = (struct run){.identity = (uintptr_t)frame, .first = i};
    }
    return count;
}

/* Python frames without a run (there should be none) are treated as those of a run without a native
 * frame. */
static uint32_t find_runs(const struct vbt_python_stack *python, struct run *found) {
    uint32_t count = has_entries() ? runs_of_entries(python, found)
                     : has_chain() ? runs_of_chain(python, found)
                                   : runs_of_frames(python, found);
    if (count == 0 && python->depth > 0)
        found[count++] = (struct run){0};
    return count;
}

/* The stack, built from its outermost frame: as long as its sites are those of the previous stack,
 * so are its nodes. */
struct growing {
    struct joined *joined;
    uint32_t depth, known; /* frames; those that the previous stack had */
    uint32_t node;
};

VBT_INLINE void grow(struct growing *stack, uint32_t site, enum vbt_domain domain) {
    struct joined *frame = &stack->joined[stack->depth];
    if (VBT_UNLIKELY(stack->depth >= stack->known || frame->site != site)) {
        *frame = (struct joined){site, vbt_node_of(stack->node, site, domain)};
        stack->known = 0;
    }
    stack->node = frame->node;
    stack->depth++;
}

/* Adds Python frames up to one, exclusive. Those without a place of their own have their caller's
 * node. */
static void grow_python(struct growing *stack, const struct vbt_python_stack *python, uint32_t from, uint32_t end) {
    for (; from < end; from++) {
        uint32_t node = python->frames[from].node;
        if (node != (from > 0 ? python->frames[from - 1].node : 0))
            grow(stack, vbt_node_at(node)->site, VBT_DOMAIN_PYTHON);
    }
}

static void grow_native(struct growing *stack, const struct vbt_native_frame *frames, uint32_t from, uint32_t end) {
    for (; from < end; from++)
        grow(stack, frames[from].node, VBT_DOMAIN_HEAP);
}

/* The same node with another domain; the frames outside it stay as they are. */
static uint32_t in_domain(uint32_t node, enum vbt_domain domain) {
    const struct vbt_node *at = vbt_node_at(node);
    return at->domain == domain ? node : vbt_node_of(at->parent, at->site, domain);
}

/* How many runs, from the outermost, are those of the previous stack, with the same frames in and
 * outside of each. */
static uint32_t runs_that_stayed(const struct vbt_full_stack *stack, const struct vbt_python_stack *python, uint32_t count) {
    const struct run *runs = stack->room->runs, *found = stack->room->found + count;
    uint32_t stayed = 0;
    if (stack->cut != stack->native.cut)
        return 0;
    for (; stayed < stack->runs && stayed < count; stayed++) {
        const struct run *run = &runs[stayed], *now = found - 1 - stayed;
        uint32_t end = stayed + 1 < stack->runs ? run[1].first : stack->python_depth;
        uint32_t end_now = stayed + 1 < count ? now[-1].first : python->depth;
        if (run->identity != now->identity || run->first != now->first || end != end_now || end > python->same ||
            run->native > stack->native.same + 1)
            break;
    }
    return stayed;
}

/* Adds the runs from `at` on, each with the native frames that lead to it. Returns the native frame
 * after the last. */
static uint32_t grow_runs(struct vbt_full_stack *stack, const struct vbt_python_stack *python, struct growing *growing, uint32_t at,
                          uint32_t count) {
    struct run *runs = stack->room->runs;
    const struct run *found = stack->room->found;
    uint32_t native = at > 0 ? runs[at - 1].native : 1;
    find_frames(stack->room->found, count - at, &stack->native);
    for (; at < count; at++) {
        const struct run *now = &found[count - 1 - at];
        runs[at] = (struct run){now->identity, now->first, native, growing->depth};
        if (now->native >= native) {
            grow_native(growing, vbt_native_frames(&stack->native), native, now->native);
            runs[at].native = native = now->native + 1;
        }
        grow_python(growing, python, at == 0 ? 0 : now->first, at + 1 < count ? now[-1].first : python->depth);
    }
    return native;
}

/* leaf: NULL if no Python code runs. */
static uint32_t join(struct vbt_full_stack *stack, struct vbt_python_stack *python, const struct vbt_frame *leaf) {
    bool kept = leaf != NULL && leaf != &python->cut;
    uint32_t count = kept ? find_runs(python, stack->room->found) : 0;
    uint32_t stayed = runs_that_stayed(stack, python, count);
    struct growing growing = {.joined = stack->room->joined, .known = stack->depth};
    if (stayed > 0) {
        growing.depth = stayed < stack->runs ? stack->room->runs[stayed].outside : stack->after_runs;
        growing.node = growing.joined[growing.depth - 1].node;
    } else if (stack->native.cut != VBT_CUT_NONE) {
        grow(&growing, vbt_node_at(vbt_native_cut_node(stack->native.cut))->site, VBT_DOMAIN_HEAP);
    }
    if (leaf != NULL && !kept)
        grow(&growing, vbt_node_at(leaf->node)->site, VBT_DOMAIN_PYTHON);
    uint32_t native = grow_runs(stack, python, &growing, stayed, count);
    stack->after_runs = growing.depth;
    stack->runs = count;
    stack->cut = stack->native.cut;
    stack->python_depth = python->same = kept ? python->depth : 0;
    grow_native(&growing, vbt_native_frames(&stack->native), native, stack->native.leaf + 1);
    stack->depth = growing.depth;
    return growing.node;
}

static __attribute__((noinline)) uint32_t capture_and_join(struct vbt_full_stack *stack, struct vbt_python_stack *python,
                                                           const struct vbt_registers *caller, enum vbt_domain domain) {
    if (stack->room == NULL && (stack->room = vbt_map(sizeof *stack->room)) == NULL)
        return vbt_tree.lost_nodes[domain];
    const struct vbt_frame *leaf = vbt_python_leaf(python);
    if (leaf == &python->override)
        return vbt_node_of(leaf->node, vbt_native_site(caller->pc), domain);
    if (!vbt_native_capture_sites(&stack->native, caller))
        return vbt_tree.lost_nodes[domain];
    uint32_t node = join(stack, python, leaf);
    if (VBT_UNLIKELY(vbt_native_verify_every != 0) && stack->native.unverified == 0) { /* the native part has just been compared */
        stack->depth = stack->runs = 0;
        stack->native.different += join(stack, python, leaf) != node;
    }
    return in_domain(node, domain);
}

uint32_t vbt_full_capture(struct vbt_full_stack *stack, struct vbt_python_stack *python, const struct vbt_registers *caller,
                          enum vbt_domain domain) {
    if (VBT_UNLIKELY(vbt_stacks == VBT_STACKS_JOINED))
        return capture_and_join(stack, python, caller, domain);
    uint32_t node = vbt_native_capture(&stack->native, caller);
    return VBT_LIKELY(domain == VBT_DOMAIN_HEAP) ? node : in_domain(node, domain);
}
