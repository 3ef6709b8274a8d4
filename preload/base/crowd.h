/* When a table that keeps what was found lately is too small: its entries displace each other
 * often. It may begin small, and grows for those who need it. */
#ifndef VBT_CROWD_H
#define VBT_CROWD_H

#include <stdbool.h>
#include <stdint.h>

struct vbt_crowd {
    uint32_t displaced; /* entries that were still valid, since so many allocations: */
    uint64_t since;
};

/* An entry that was still valid is displaced, in a table of `count`; now: the thread's allocations.
 * True: the table is to grow. */
static inline bool vbt_crowd_is_dense(struct vbt_crowd *crowd, uint32_t count, uint64_t now) {
    enum { ALLOCATIONS = 32 }; /* for each entry that was displaced: more than that is rare enough */
    if (++crowd->displaced < count / 2)
        return false;
    bool often = now - crowd->since < (uint64_t)ALLOCATIONS * crowd->displaced;
    *crowd = (struct vbt_crowd){0, now};
    return often;
}

#endif
