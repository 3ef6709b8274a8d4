/* Calls that need more stack than the program has planned for.
 *
 * In 3.11 a call from Python to Python takes no room on the C stack, unless something replaces
 * frame evaluation (PEP 523), as line mode does. A program that counts on that and recurses deeply
 * still finds the room: on stacks of ours. */
#ifndef VBT_CALL_ON_STACK_H
#define VBT_CALL_ON_STACK_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stdint.h>

/* Below this address another stack is used; UINTPTR_MAX in a thread that has not been looked at. */
extern __thread uintptr_t vbt_stack_end __attribute__((tls_model("initial-exec")));

/* function(a, b, c) on another stack, if there is memory for one. */
void *vbt_call_on_other_stack(void *a, void *b, int c, void *(*function)(void *, void *, int));

/* function(a, b, c). */
VBT_INLINE void *vbt_call_with_room(void *a, void *b, int c, void *(*function)(void *, void *, int)) {
    bool room = (uintptr_t)__builtin_frame_address(0) >= vbt_stack_end;
    return VBT_LIKELY(room) ? function(a, b, c) : vbt_call_on_other_stack(a, b, c, function);
}

#endif
