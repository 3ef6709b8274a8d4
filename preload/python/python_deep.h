/* Deep stacks: which of the outer frames need not be looked at.
 *
 * From 3.11 on, the frames of functions lie one after the other in chunks of memory, each thread's
 * data stack: what is called last lies last. The first frame of a chunk lies at its start. When it
 * returns, the interpreter unmaps the chunk; the thread's first chunk alone stays, and its first
 * frame lies elsewhere.
 *
 * A frame that has called another executes nothing until that has returned. So while a chunk stays
 * mapped, its first frame has not returned, and no frame outside it has executed anything: they are
 * what they were, down to the instruction. Whatever unmaps memory says so beforehand
 * (vbt_python_unmaps), and that ends what is concluded here. The chain is then compared whole, and
 * what is still in it is a base again.
 *
 * From 3.13.13 and 3.14.4 on, the interpreter may keep one empty chunk for later. There the
 * conclusion is drawn from the chunk before the last: of two that are empty, one is unmapped.
 *
 * That a chunk is a mapping of its own is known from the books of mapped memory, so that the
 * interpreter's calls of munmap are seen, too. What the frames do in generators and coroutines is
 * no exception: these lie in objects, and what they call lies in the chunks as ever. Only a
 * debugger that moves an outer frame to another line, by f_lineno, while inner frames run is not
 * seen at once. */
#ifndef VBT_PYTHON_DEEP_H
#define VBT_PYTHON_DEEP_H

#include "python_stack.h"

/* Stacks of at least so many frames are deep, a power of two; two chunks hold more. */
enum { VBT_PYTHON_DEEP = 64 };

/* The outermost of the kept frames that must be looked at, as an index; 0: all. Only for deep
 * stacks. */
uint32_t vbt_python_settled(struct vbt_python_stack *stack);

/* The chain of a stack that was deep, or will be, changes: frames inside of `junction` (-1: all)
 * are no longer in it, `count` others are: walked[count - 1] is the outermost of these. */
void vbt_python_deepen(struct vbt_python_stack *stack, int64_t junction, const struct vbt_frame *walked, uint32_t count);

/* Nothing is concluded of the stack any more. */
static inline void vbt_python_not_deep(struct vbt_python_stack *stack) {
    stack->settled = stack->bases_count = 0;
    stack->has_unmapped = false;
}

/* The calling thread is about to unmap memory. */
void vbt_python_unmaps(void);

#endif
