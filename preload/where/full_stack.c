/* See full_stack.h. */
#include "full_stack.h"

#include "../memory.h"
#include "tree.h"

bool vbt_full_stacks;
static bool joins;

/* A frame of the joined stack, outermost first. */
struct joined {
    uint32_t site, node;
};

/* One run of the evaluation loop, innermost first. */
struct run {
    uint32_t native; /* its native frame; 0: not found */
    uint32_t first;  /* the outermost of the Python frames that it executes, as an index of python->frames */
};

struct vbt_full_room {
    struct joined joined[VBT_NATIVE_FRAMES + VBT_STACK_FRAMES + 1];
    struct run runs[VBT_STACK_FRAMES];
};

void vbt_full_stack_join(void) { joins = true; }

void vbt_full_stack_reset(struct vbt_full_stack *stack) {
    vbt_native_stack_forget(&stack->native);
    stack->depth = 0;
}

/* The native frame, `from` or one outside of it, whose part of the stack holds an address; 0: none does. A frame ends where the one
 * that called it begins. */
static uint32_t frame_that_holds(const struct vbt_native_frame *frames, uint32_t from, uintptr_t address) {
    for (uint32_t i = from; i > 0; i--)
        if (frames[i].sp <= address && address < frames[i - 1].sp)
            return i;
    return 0;
}

/* The same for the frames that a function has. */
static uint32_t frame_of_function(const struct vbt_native_frame *frames, uint32_t from, uintptr_t start, uintptr_t end) {
    for (uint32_t i = from; i > 0; i--)
        if (frames[i].pc > start && frames[i].pc <= end)
            return i;
    return 0;
}

/* The runs of the loop on the thread's stack. */
struct runs {
    struct run *at;
    uint32_t count;
    const struct vbt_native_frame *frames;
    uint32_t next; /* native frame to go on from */
};

static void add_run(struct runs *runs, uint32_t native, uint32_t first) {
    runs->at[runs->count++] = (struct run){native, first};
    if (native != 0)
        runs->next = native - 1;
}

/* 3.8, 3.9. */
static void find_by_function(struct runs *runs, const struct vbt_python_stack *python) {
    for (uint32_t i = python->depth; i-- > 0;)
        add_run(runs, frame_of_function(runs->frames, runs->next, vbt_python.evaluate_start, vbt_python.evaluate_end), i);
}

/* 3.10, 3.11: the chain of the runs' structures, which ends with one in the thread's state. */
static void find_by_chain(struct runs *runs, const struct vbt_python_stack *python) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *run = vbt_load_pointer(python->state, abi->tstate_cframe);
    uint32_t first = python->depth;
    while (run != NULL && first > 0) {
        const char *outer = vbt_load_pointer(run, abi->cframe_previous);
        if (outer == NULL)
            break;
        if (abi->kind == VBT_FRAME_CFRAME) {
            const char *caller = vbt_load_pointer(outer, abi->cframe_current);
            while (first > 0 && python->frames[first - 1].frame != caller)
                first--;
        } else {
            first--;
        }
        add_run(runs, frame_that_holds(runs->frames, runs->next, (uintptr_t)run), first);
        run = outer;
    }
}

/* 3.12 on: the runs' structures are the entry frames among the kept ones. */
static void find_by_entries(struct runs *runs, const struct vbt_python_stack *python) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    for (uint32_t i = python->depth; i-- > 0;) {
        const char *frame = python->frames[i].frame;
        if (*(const int8_t *)(frame + abi->frame_owner) >= abi->entry_owner)
            add_run(runs, frame_that_holds(runs->frames, runs->next, (uintptr_t)frame), i);
    }
}

/* The stack as it grows from its outermost frame: as long as its sites are those of the stack before it, so are its nodes. */
struct growing {
    struct joined *joined;
    uint32_t depth, known; /* frames; those that the stack before it had */
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

/* Python frames up to one, exclusive. Those without a place of their own have their caller's node. */
static uint32_t grow_python(struct growing *stack, const struct vbt_python_stack *python, uint32_t from, uint32_t end) {
    for (; from < end; from++) {
        uint32_t node = python->frames[from].node;
        if (node != (from > 0 ? python->frames[from - 1].node : 0))
            grow(stack, vbt_node_at(node)->site, VBT_DOMAIN_PYTHON);
    }
    return from;
}

static void grow_native(struct growing *stack, const struct vbt_native_frame *frames, uint32_t from, uint32_t end) {
    for (; from < end; from++)
        grow(stack, frames[from].node, VBT_DOMAIN_HEAP);
}

/* The node with another domain than the frames outside of it. */
static uint32_t in_domain(uint32_t node, enum vbt_domain domain) {
    const struct vbt_node *at = vbt_node_at(node);
    return at->domain == domain ? node : vbt_node_of(at->parent, at->site, domain);
}

static void find_runs(struct runs *runs, const struct vbt_python_stack *python) {
    if (vbt_python.abi.entry_owner != 0)
        find_by_entries(runs, python);
    else if (vbt_python.abi.cframe_previous != 0)
        find_by_chain(runs, python);
    else
        find_by_function(runs, python);
}

static uint32_t join(struct vbt_full_stack *stack, const struct vbt_python_stack *python, const struct vbt_frame *leaf) {
    const struct vbt_native_frame *frames = vbt_native_frames(&stack->native);
    struct runs runs = {stack->room->runs, 0, frames, stack->native.leaf};
    bool kept = leaf != NULL && leaf != &python->cut;
    uint32_t depth = kept ? python->depth : 0;
    struct growing growing = {stack->room->joined, 0, stack->depth, 0};
    if (kept)
        find_runs(&runs, python);
    if (stack->native.cut != VBT_CUT_NONE)
        grow(&growing, vbt_node_at(vbt_native_cut_node(stack->native.cut))->site, VBT_DOMAIN_HEAP);
    if (leaf != NULL && !kept)
        grow(&growing, vbt_node_at(leaf->node)->site, VBT_DOMAIN_PYTHON);
    uint32_t native = 1, shown = 0;
    for (uint32_t i = runs.count; i-- > 0;) {
        if (runs.at[i].native != 0) {
            grow_native(&growing, frames, native, runs.at[i].native);
            native = runs.at[i].native + 1;
        }
        shown = grow_python(&growing, python, shown, i > 0 ? runs.at[i - 1].first : depth);
    }
    grow_python(&growing, python, shown, depth);
    grow_native(&growing, frames, native, stack->native.leaf + 1);
    stack->depth = growing.depth;
    return growing.node;
}

static __attribute__((noinline)) uint32_t capture_and_join(struct vbt_full_stack *stack, struct vbt_python_stack *python,
                                                           struct vbt_registers caller, enum vbt_domain domain) {
    if (stack->room == NULL && (stack->room = vbt_map(sizeof *stack->room)) == NULL)
        return vbt_tree.lost_nodes[domain];
    const struct vbt_frame *leaf = vbt_python_leaf(python);
    if (leaf == &python->override)
        return vbt_node_of(leaf->node, vbt_native_site(caller.pc), domain);
    if (!vbt_native_capture_sites(&stack->native, caller))
        return vbt_tree.lost_nodes[domain];
    return in_domain(join(stack, python, leaf), domain);
}

uint32_t vbt_full_capture(struct vbt_full_stack *stack, struct vbt_python_stack *python, struct vbt_registers caller,
                          enum vbt_domain domain) {
    if (VBT_UNLIKELY(joins))
        return capture_and_join(stack, python, caller, domain);
    uint32_t node = vbt_native_capture(&stack->native, caller);
    return VBT_LIKELY(domain == VBT_DOMAIN_HEAP) ? node : in_domain(node, domain);
}
