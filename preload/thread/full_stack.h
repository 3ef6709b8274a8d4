/* The whole call stack of the calling thread: native and Python frames in one.
 *
 * Python code is run by a C function, the interpreter's evaluation loop. Each of its frames is one
 * run of the loop, in which one Python function after the other may call the next: these frames
 * take the place of the native one. The interpreter itself shows which native frame that is: since
 * 3.10, each run keeps a structure on the C stack, linked in a chain (3.10 and 3.11: the _PyCFrame;
 * 3.12 on: the entry frame among the Python frames), and the native frame that contains this
 * structure is the one. In 3.8 and 3.9, each Python frame has a run of its own, and the loop is
 * recognised by its function's address. */
#ifndef VBT_FULL_STACK_H
#define VBT_FULL_STACK_H

#include "preload/native/native_stack.h"
#include "preload/python/python_stack.h"

struct vbt_full_room;

struct vbt_full_stack {
    struct vbt_native_stack native;
    struct vbt_place latest;    /* of the latest native stack, in the heap's domain */
    struct vbt_full_room *room; /* mapped when Python and native frames are first joined */
    /* The latest stack that was joined. */
    uint32_t depth;        /* frames */
    uint32_t runs;         /* of the evaluation loop */
    uint32_t python_depth; /* Python frames, all of which belong to runs */
    uint32_t after_runs;   /* frames before the innermost native ones, which the last run called */
    enum vbt_cut cut;
};

/* What stacks are made of. */
enum vbt_stacks {
    VBT_STACKS_LEAF,   /* of native frames, only the one that called the allocator */
    VBT_STACKS_NATIVE, /* native frames alone */
    VBT_STACKS_JOINED, /* native frames, with Python frames among them */
};

extern enum vbt_stacks vbt_stacks VBT_HIDDEN;

/* The node of the stack that called the function whose VBT_CALLER_REGISTERS these are; that
 * function must be running. The lost node when there is no memory. */
uint32_t vbt_full_capture(struct vbt_full_stack *stack, struct vbt_python_stack *python, const struct vbt_registers *caller,
                          enum vbt_domain domain);

/* Another thread has taken over the state. */
void vbt_full_stack_reset(struct vbt_full_stack *stack);

#endif
