/* The Python call stack of the calling thread, as a node of the call tree.
 *
 * The thread keeps the chain of frames that it saw last, root first, with the node of each. Most events find the same
 * chain: the walk goes from the leaf to the root, compares each frame's current instruction and its link to the frame
 * before it, and since all addresses are known beforehand the loads overlap. Where something differs, the frames from
 * there to the leaf are looked up anew. A frame's memory is reused by later calls, so every frame is compared each
 * time: that is what makes the stack exact. */
#ifndef VBT_PYTHON_STACK_H
#define VBT_PYTHON_STACK_H

#include "../ledger/counters.h"
#include "python.h"

/* Frames kept; a deeper stack is cut: only its leaf line is told. */
enum { VBT_STACK_FRAMES = 1 << 15 };

struct vbt_frame {
    const char *frame;
    uintptr_t key;                 /* what the frame executes now: an instruction's address, or a code object's with key2 */
    uint32_t key2;                 /* VBT_FRAME_OBJECT: f_lasti + 1 */
    uint32_t node;                 /* of the call tree: this frame and those before it */
    struct vbt_counters *counters; /* of the node; NULL: not looked up yet */
};

/* The latest steps from a parent node to what a frame executes: a loop comes by the same few lines again and again. */
enum { VBT_STEPS = 256 };

struct vbt_step {
    uintptr_t key;
    uint64_t parent; /* node in the low half, epoch in the high one */
    struct vbt_counters *counters;
    uint32_t node;
    uint32_t key2;
    uint32_t next; /* the step that followed this one at the leaf, last time */
};

struct vbt_python_stack {
    struct vbt_ledger *ledger; /* of the same thread */
    uint32_t epoch;            /* of vbt_python_code_epoch */
    uint32_t depth;
    struct vbt_frame *frames;  /* VBT_STACK_FRAMES, then as many again to walk into; mapped when first needed */
    struct vbt_frame cut;      /* the leaf of a stack that is too deep */
    struct vbt_frame override; /* node not 0: stands for every stack */
    const char *state;         /* up to 3.11: the thread's PyThreadState, as long as the epoch is this */
    uint32_t state_epoch;
    uint64_t truncated;
    uint32_t leaf_step; /* the latest at the leaf: an index of steps */
    struct vbt_step steps[VBT_STEPS];
};

/* Grows whenever a code object dies: its address, and those of its instructions, may mean something else from then
 * on. */
extern _Atomic uint32_t vbt_python_code_epoch;

/* Grows whenever a thread state that somebody keeps is freed. */
extern _Atomic uint32_t vbt_python_state_epoch;

/* Asks the interpreter for the thread's state and keeps it. */
const char *vbt_python_find_state(struct vbt_python_stack *stack, uint32_t epoch);

/* From now on this node stands for the thread's stack, whatever it runs; 0: no longer. */
void vbt_python_override(struct vbt_python_stack *stack, uint32_t node);

/* The calling thread's Python stack: its leaf frame, whose node is that of the whole stack; valid until the next
 * call. NULL when the thread runs no Python code. The caller may look up the counters and leave them in the frame. */
extern struct vbt_frame *(*vbt_python_leaf)(struct vbt_python_stack *stack);

/* Chooses the walker for vbt_python, whose abi is set. The first frames that are met are looked at with care before
 * it is used. */
void vbt_python_stack_use(void);

/* No frame is read from now on. */
void vbt_python_stack_forget(void);

/* Have frames been seen, and are they read? */
bool vbt_python_stack_in_use(void);

/* Are the offsets in use those of the table? */
bool vbt_python_abi_is_known(void);

#endif
