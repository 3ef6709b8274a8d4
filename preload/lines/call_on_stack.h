/* Calls that need room on the stack which the program did not plan for.
 *
 * In 3.11 a call from Python to Python takes no room on the C stack, unless somebody stands around the evaluation of frames, as line mode
 * does. A program that counts on it, and recurses deeply, is to find the room all the same: on stacks of our own. */
#ifndef VBT_CALL_ON_STACK_H
#define VBT_CALL_ON_STACK_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stdint.h>

/* Below this address another stack is to be used; UINTPTR_MAX in a thread that was not looked at yet. */
extern __thread uintptr_t vbt_stack_end __attribute__((tls_model("initial-exec")));

/* function(a, b, c) on another stack, if that can be had. */
void *vbt_call_on_other_stack(void *a, void *b, int c, void *(*function)(void *, void *, int));

/* function(a, b, c). */
VBT_INLINE void *vbt_call_with_room(void *a, void *b, int c, void *(*function)(void *, void *, int)) {
    bool room = (uintptr_t)__builtin_frame_address(0) >= vbt_stack_end;
    return VBT_LIKELY(room) ? function(a, b, c) : vbt_call_on_other_stack(a, b, c, function);
}

#endif
