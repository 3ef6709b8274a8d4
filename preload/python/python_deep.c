/* See python_deep.h. */
#include "python_deep.h"

#include "preload/ledger/maps.h"

#include <string.h>

/* A chunk begins with the address of the one before, its size and how much of it is used; frames
 * follow. */
enum { CHUNK_SIZE = 8, CHUNK_FRAMES = 24, PAGE = 4096 };

static _Atomic bool any_settled; /* something is concluded from chunks that stay mapped */
static _Atomic bool is_off;      /* this interpreter keeps chunks that are empty */

static uint32_t state_generation(void) {
    return vbt_python_state_generation(atomic_load_explicit(&vbt_python_generations, memory_order_acquire));
}

void vbt_python_unmaps(void) {
    if (VBT_UNLIKELY(atomic_load_explicit(&any_settled, memory_order_relaxed)))
        atomic_fetch_add_explicit(&vbt_python_generations, VBT_PYTHON_STATE_DIED, memory_order_release);
}

/* Is the frame the first of a chunk that is a mapping of its own? */
static bool is_base(const char *frame) {
    uintptr_t chunk = (uintptr_t)frame - CHUNK_FRAMES;
    struct vbt_mapped_part part;
    return chunk % PAGE == 0 && frame[vbt_python.abi.frame_owner] == 0 && vbt_maps_find(chunk, &part) && part.start == chunk &&
           part.end - chunk == vbt_load_word((const void *)chunk, CHUNK_SIZE);
}

uint32_t vbt_python_settled(struct vbt_python_stack *stack) {
    uint32_t now = state_generation();
    if (VBT_LIKELY(stack->settled_generation == now))
        return stack->settled;
    stack->settled_generation = now;
    stack->has_unmapped = true;
    return 0;
}

void vbt_python_deepen(struct vbt_python_stack *stack, int64_t junction, const struct vbt_frame *walked, uint32_t count) {
    enum vbt_data_stack kind = vbt_python.known->data_stack;
    uint32_t depth = (uint32_t)(junction + 1) + count;
    uint32_t left = stack->bases_count, spared = kind == VBT_DATA_STACK_ONE_SPARED;
    vbt_python_settled(stack);
    while (left > 0 && stack->bases[left - 1] > junction)
        left--;
    if (junction >= 0 && stack->bases_count - left > spared && !stack->has_unmapped)
        atomic_store(&is_off, true); /* or the thread has switched to another stack, as greenlets do */
    vbt_python_not_deep(stack);
    if (depth < VBT_PYTHON_DEEP || kind == VBT_DATA_STACK_NONE || atomic_load_explicit(&is_off, memory_order_relaxed))
        return;
    for (uint32_t i = count; i-- > 0;) {
        if (VBT_LIKELY(!is_base(walked[i].frame)))
            continue;
        if (left == VBT_PYTHON_BASES) { /* the outermost are needed last */
            left /= 2;
            memmove(stack->bases, stack->bases + VBT_PYTHON_BASES - left, left * sizeof *stack->bases);
        }
        stack->bases[left++] = depth - 1 - i;
    }
    stack->bases_count = left;
    stack->settled = left > spared ? stack->bases[left - 1 - spared] : 0;
    if (stack->settled != 0)
        atomic_store_explicit(&any_settled, true, memory_order_relaxed);
}
