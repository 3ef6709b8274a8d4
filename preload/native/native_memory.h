/* Which parts of a stack may be read. A rule can be wrong, and a stack can be anywhere (a coroutine's is some block of memory), so
 * nothing above the stack pointer is believed to be there before the kernel was asked for its page. */
#ifndef VBT_NATIVE_MEMORY_H
#define VBT_NATIVE_MEMORY_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stdint.h>

/* Can the eight bytes at this address be read? One system call. */
bool vbt_is_readable(uintptr_t address);

/* Pages of one stack, without a hole, all of which can be read. Empty: both 0. */
struct vbt_stack_range {
    uintptr_t start, end;
};

/* The stacks that a thread was seen on, latest first. */
enum { VBT_STACK_RANGES = 4 };

/* Puts the range that holds the stack pointer in front; makes it where there is none. */
void vbt_stack_enter(struct vbt_stack_range ranges[VBT_STACK_RANGES], uintptr_t sp);

/* Makes the range reach up to `end`, exclusive, as far as can be read and as is likely for one frame. False where it cannot. */
bool vbt_stack_reach(struct vbt_stack_range *range, uintptr_t end);

#endif
