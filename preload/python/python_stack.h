/* The Python call stack of the calling thread, as a node of the call tree.
 *
 * The thread keeps the chain of frames that it saw last, root first, with the node of each. Most
 * events find the same chain: the walk goes from the leaf to the root and compares each frame's
 * current instruction and its link to the next outer frame. All addresses are known beforehand, so
 * the loads overlap. Where something differs, the frames from there to the leaf are looked up from
 * scratch. A frame's memory is reused by later calls, so every frame is compared each time: that is
 * what makes the stack exact. */
#ifndef VBT_PYTHON_STACK_H
#define VBT_PYTHON_STACK_H

#include "preload/base/crowd.h"
#include "preload/ledger/counters.h"
#include "python.h"

/* The chunks of a thread's data stack that are known. */
enum { VBT_PYTHON_BASES = 32 };

/* Frames kept. Of a deeper stack only the leaf line is reported. */
enum { VBT_STACK_FRAMES = 1 << 15 };

struct vbt_frame {
    const char *frame;
    uintptr_t key; /* what the frame executes: an instruction's address, or a code object's with key2 */
    uint32_t key2; /* VBT_FRAME_OBJECT: f_lasti + 1 */
    uint32_t node; /* of the call tree: this frame and those outside it */
};

/* The latest steps from a parent node to what a frame executes: code takes the same steps again and
 * again. Few at first; the table of a thread whose steps displace each other doubles, up to the
 * most. */
enum { VBT_FEW_STEPS = 1 << 8, VBT_MOST_STEP_BITS = 14, VBT_MOST_STEPS = 1 << VBT_MOST_STEP_BITS };

struct vbt_step {
    uintptr_t key;
    struct vbt_place place; /* of the node, as far as it is made: most frames only lead to others */
    uint32_t parent;        /* node, marked with vbt_python_stack.step_mark */
    uint32_t key2;
};

struct vbt_python_stack {
    /* What most events find unchanged; see vbt_walk_known. */
    uint64_t known_generations;         /* of vbt_python_generations; 0: nothing is known */
    const char *state;                  /* up to 3.11: the thread's PyThreadState, valid in state_generation */
    const char *known_leaf;             /* the frame that was executing */
    const struct vbt_frame *below_leaf; /* the next outer frame that is kept; its own frame is NULL where the leaf is the root */
    const struct vbt_frame *known_end;  /* the one outside the outermost that must be looked at */
    uint64_t leaf_hash;                 /* of the steps of leaf_parent */
    uint32_t leaf_parent;               /* the node of the next outer frame, marked as in a step */
    bool known_is_odd;                  /* the number of frames from there to below_leaf, which are looked at two by two */

    struct vbt_ledger *ledger; /* of the same thread */
    uint32_t code_generation, state_generation;
    uint32_t depth;
    uint32_t same;  /* this many of the outermost frames are unchanged since joined_stack.c set it to the depth */
    uint32_t noded; /* where stacks are joined: this many of the outermost frames have their nodes */
    /* Of a deep stack, see python_deep.h; else 0. */
    uint32_t settled; /* index of the outermost frame that must be looked at */
    uint32_t settled_generation;
    uint32_t bases_count;
    bool has_unmapped;                /* memory, since the bases were found */
    uint32_t bases[VBT_PYTHON_BASES]; /* indices of the first frames of chunks */
    struct vbt_frame *frames;         /* VBT_STACK_FRAMES, as many again to walk into, and one in front; mapped when first needed */
    struct vbt_frame *fresh;          /* the chain as it is read for verification; mapped when first needed */
    struct vbt_frame cut;             /* the leaf of a stack that is too deep */
    struct vbt_frame override;        /* if its node is not 0, it stands for every stack */
    const char *visited;              /* up to 3.11: the state in which the thread runs another interpreter's code; else NULL */
    const char *unmapped;             /* a leaf frame whose memory is gone, while the thread's state still points at it */
    bool is_named;                    /* the thread's name has been asked for */
    uint64_t truncated;
    struct vbt_step *steps; /* few_steps, or mapped; NULL until the first walk */
    uint64_t step_offsets;  /* the bits of offsets in them */
    uint64_t step_factor;   /* of their hashes: always the same, but an operand in memory is an instruction less */
    uint32_t step_mark;     /* of the steps that are valid: above the bits of a node */
    struct vbt_crowd crowd; /* of steps */
    struct vbt_step few_steps[VBT_FEW_STEPS + 2]; /* used from the first cache line on */
};

/* Two generations in one word, never 0. That of code, the low half, grows whenever a code object
 * dies: its address, and those of its instructions, may then mean something else. That of thread
 * states, the high half, grows whenever one that a thread keeps is freed, and when memory is
 * unmapped that may have been a data stack's. */
extern _Atomic uint64_t vbt_python_generations VBT_HIDDEN;

#define VBT_PYTHON_CODE_DIED UINT64_C(1)
#define VBT_PYTHON_STATE_DIED (UINT64_C(1) << 32)

static inline uint32_t vbt_python_code_generation(uint64_t generations) { return (uint32_t)generations; }
static inline uint32_t vbt_python_state_generation(uint64_t generations) { return (uint32_t)(generations >> 32); }
static inline uint64_t vbt_python_generations_of(uint32_t code, uint32_t state) { return (uint64_t)state << 32 | code; }

/* Asks the interpreter for the thread's state and keeps it. */
const char *vbt_python_find_state(struct vbt_python_stack *stack, uint32_t generation);

/* Up to 3.11: from now on the thread runs with this PyThreadState, which is not the one that the
 * interpreter names as the thread's own; NULL: with its own again. (Later versions know which one
 * is running.) */
void vbt_python_stack_visit(struct vbt_python_stack *stack, const char *state);

/* The calling thread is about to unmap this memory. A C function may end the interpreter that
 * called it: 3.11 then frees the frames, while the thread's state still points at them. They are no
 * longer read, until it points at others. (Before, frames are objects that leak in this case;
 * later, the thread has no state any more when they are freed.) */
void vbt_python_stack_unmaps(struct vbt_python_stack *stack, uintptr_t start, uintptr_t end);

/* Keeps the step of a frame. parent: marked. */
void vbt_python_keep_step(struct vbt_python_stack *stack, const struct vbt_frame *frame, uint32_t parent, uint32_t node);

/* Forgets all steps. */
void vbt_python_forget_steps(struct vbt_python_stack *stack);

/* Another thread takes over the stack. */
void vbt_python_stack_reset(struct vbt_python_stack *stack);

/* Forgets what is known of code: it may be half written. */
void vbt_python_stack_expire(struct vbt_python_stack *stack);

/* From now on this node stands for the thread's stack, whatever the thread runs; 0: no longer. */
void vbt_python_override(struct vbt_python_stack *stack, uint32_t node);

/* The calling thread's leaf frame, whose node is that of its whole Python stack; valid until the
 * next call. NULL when the thread runs no Python code. */
extern struct vbt_frame *(*vbt_python_leaf)(struct vbt_python_stack *stack)VBT_HIDDEN;

/* The same where stacks are joined, without nodes: these are joined_stack.c's business. */
extern struct vbt_frame *(*vbt_python_chain)(struct vbt_python_stack *stack)VBT_HIDDEN;

/* Reads the whole chain anew, independently of what is kept: root first, at most `most` frames,
 * without nodes. Returns how many there are, which may be more. */
uint32_t vbt_python_read_chain(struct vbt_python_stack *stack, struct vbt_frame *frames, uint32_t most);

/* Is the kept chain the one that is read anew? */
bool vbt_python_chain_is_right(struct vbt_python_stack *stack);

/* Chooses the walker for vbt_python, whose abi is set. Before it is used, the first frames are
 * checked with care. joined: native frames are put among the Python frames. */
void vbt_python_stack_use(bool joined);

/* No frame is read after this. */
void vbt_python_stack_forget(void);

/* Have frames been seen, and are they being read? */
bool vbt_python_stack_in_use(void);

/* Are the offsets in use those of the table? */
bool vbt_python_abi_is_known(void);

#endif
