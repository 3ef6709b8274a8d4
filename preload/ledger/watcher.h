/* What a ledger calls when line mode observes it. All in the ledger's own thread. */
#ifndef VBT_WATCHER_H
#define VBT_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_watcher {
    /* Live is about to fall. Returns the live bytes of the thread above which to call again. */
    int64_t (*crest)(struct vbt_watcher *watcher);

    /* Only after vbt_ledger_watch: a block has been booked; its end has been booked (times: 1), or
     * taken back (-1). node: that the block is charged to. */
    void (*alloc)(struct vbt_watcher *watcher, const void *block, size_t size);
    void (*free)(struct vbt_watcher *watcher, uint32_t node, size_t size, bool temporary, int times);

    /* Another thread takes over the state of one that has ended. */
    void (*handed_on)(struct vbt_watcher *watcher);
};

#endif
