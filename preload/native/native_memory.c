/* See native_memory.h. */
#include "native_memory.h"

#include <errno.h>

/* The smallest page size: where pages are larger, the kernel is asked more often than necessary. */
static const uintptr_t page = 4096;

/* No frame is larger than this, and a stack that grows by more between two captures is taken for
 * another one. */
static const uintptr_t longest_step = 1 << 20;

/* The kernel reads the set of signals before it finds that there is no operation ~0, and changes
 * nothing. Unlike process_vm_readv, no sandbox forbids this. */
bool vbt_is_readable(uintptr_t address) {
    enum { NO_OPERATION = -1, SIZE_OF_SET = 8 };
    return vbt_sys(SYS_rt_sigprocmask, NO_OPERATION, address, 0, SIZE_OF_SET) != -EFAULT;
}

/* Are all pages from start to end mapped and readable? Both are on a page boundary. */
static bool all_readable(uintptr_t start, uintptr_t end) {
    for (; start < end; start += page)
        if (!vbt_is_readable(start))
            return false;
    return true;
}

static uintptr_t page_of(uintptr_t address) { return address & ~(page - 1); }

bool vbt_stack_reach(struct vbt_stack_range *range, uintptr_t end) {
    if (end <= range->end)
        return true;
    if (end - range->end > longest_step)
        return false;
    uintptr_t last = page_of(end + page - 1);
    if (last < end || !all_readable(range->end, last))
        return false;
    range->end = last;
    return true;
}

/* Does the range hold sp, or can it be extended down to it? */
static bool holds(struct vbt_stack_range *range, uintptr_t sp) {
    if (sp >= range->start && sp < range->end)
        return true;
    if (sp >= range->end || range->start - sp > longest_step || !all_readable(page_of(sp), range->start))
        return false;
    range->start = page_of(sp);
    return true;
}

void vbt_stack_enter(struct vbt_stack_range ranges[VBT_STACK_RANGES], uintptr_t sp) {
    int i = 0;
    while (i < VBT_STACK_RANGES && !holds(&ranges[i], sp))
        i++;
    struct vbt_stack_range found = {page_of(sp), page_of(sp) + page};
    if (i < VBT_STACK_RANGES)
        found = ranges[i];
    else
        i--;
    for (; i > 0; i--)
        ranges[i] = ranges[i - 1];
    ranges[0] = found;
}
