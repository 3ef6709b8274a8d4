/* The whole call stack of the calling thread: native and Python frames in one.
 *
 * Python code is run by a C function, the interpreter's evaluation loop. Each of its frames is one
 * run of the loop, in which one Python function after the other may call the next: these frames
 * take the place of the native one. The interpreter itself shows which native frame that is: since
 * 3.10, each run keeps a structure on the C stack, linked in a chain (3.10 and 3.11: the _PyCFrame;
 * 3.12 on: the entry frame among the Python frames), and the native frame that contains this
 * structure is the one. In 3.8 and 3.9, each Python frame has a run of its own, and the loop is
 * recognised by its function's address.
 *
 * What is kept, and when it is still right. The thread keeps the native stack that it captured
 * last, the chain of Python frames, the runs, and for each Python frame the node of the joined
 * stack up to it. An event usually costs three things: the chain is compared frame by frame
 * (python_stack.h), the native stack word by word (native_tail.h), and the node of the innermost
 * Python frame with the native frames that it called is looked up. That the answer is that of the
 * whole stack follows from these, each of which is checked at every event:
 *  1. The native frames up to the innermost run's are those of the kept stack, at the same
 *     addresses. A run is found in them by the address of its structure, or by its function: where
 *     neither has changed, it is in the same frame, and the same frames lead to it.
 *  2. The Python frames up to the first one that differs execute what they did.
 *  3. Each frame belongs to the run it did. 3.12 on: runs are frames of the chain. 3.11: each run's
 *     structure names the frame that was executing when the next run began; all of these are
 *     compared. Up to 3.10, frames and runs are one to one, from the innermost: the frames are the
 *     same objects, and as many.
 * The joined stack is a function of these three, and so are its nodes, which never change. */
#ifndef VBT_JOINED_STACK_H
#define VBT_JOINED_STACK_H

#include "preload/native/native_stack.h"
#include "preload/python/python_stack.h"

struct vbt_joined_room;
struct vbt_joined_fresh;

/* A table of what was found before. */
struct vbt_joined_table {
    uint32_t bits; /* of the numbers of its entries */
    struct vbt_crowd crowd;
};

struct vbt_joined_stack {
    struct vbt_joined_room *room;   /* mapped when first needed */
    struct vbt_joined_fresh *fresh; /* mapped when stacks are first verified */
    struct vbt_joined_table steps, ways, ends;
    uint32_t runs;   /* of the evaluation loop */
    uint32_t depth;  /* so many of the outermost Python frames have their nodes */
    uint32_t listed; /* the native frame up to which lists are known, which begin with frame list_start */
    uint32_t list_start;
    enum vbt_cut cut;    /* of the native stack in which the runs were found */
    bool is_one_to_one;  /* each Python frame has a run of its own */
    uint32_t unverified; /* stacks since one was verified */
};

/* The place of the stack that called the function whose VBT_CALLER_REGISTERS these are; that
 * function must be running. Valid until the thread's next event. NULL when there is no memory. */
struct vbt_place *vbt_joined_place(struct vbt_joined_stack *joined, struct vbt_native_stack *native,
                                   struct vbt_python_stack *python, const struct vbt_registers *caller, enum vbt_domain domain);

/* The same node with another domain; the frames outside it stay as they are. */
uint32_t vbt_joined_in_domain(uint32_t node, enum vbt_domain domain);

/* Another thread has taken over the state. */
void vbt_joined_reset(struct vbt_joined_stack *joined);

/* Forgets what was remembered: it may be half written. */
void vbt_joined_expire(struct vbt_joined_stack *joined);

#endif
