/* Which parts of a stack may be read. A rule can be wrong, and a stack can be anywhere (a
 * coroutine's is some block of memory), so nothing above the stack pointer is read before the
 * kernel was asked about its page. */
#ifndef VBT_NATIVE_MEMORY_H
#define VBT_NATIVE_MEMORY_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stdint.h>

/* Can the eight bytes at this address be read? One system call. */
bool vbt_is_readable(uintptr_t address);

/* Readable pages of one stack, without a hole. Empty: both 0. */
struct vbt_stack_range {
    uintptr_t start, end;
};

/* The stacks that a thread was seen on, most recent first. */
enum { VBT_STACK_RANGES = 4 };

/* Moves the range that holds the stack pointer to the front; makes it where there is none. */
void vbt_stack_enter(struct vbt_stack_range ranges[VBT_STACK_RANGES], uintptr_t sp);

/* Extends the range up to `end`, exclusive, if the pages are readable and the distance is likely
 * for one frame. False if not. */
bool vbt_stack_reach(struct vbt_stack_range *range, uintptr_t end);

#endif
