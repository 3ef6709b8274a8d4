/* See line_silent.h. */
#include "line_silent.h"

#include "preload/tree/tree.h"
#include "preload/ledger/shadow.h"

#include <string.h>

const void *(*vbt_line_frame_now)(void);

/* Does the running line call a function that raises no events? */
static bool runs_silent_function(const struct vbt_line_thread *lines) {
    const void *frame = lines->running != NULL ? vbt_line_frame_now() : NULL;
    return frame != NULL && frame != lines->running;
}

void vbt_line_note_alloc(struct vbt_watcher *watcher, const void *block, size_t size) {
    struct vbt_line_thread *lines = vbt_line_thread_of(watcher);
    memmove(lines->recent + 1, lines->recent, sizeof lines->recent - sizeof *lines->recent);
    lines->recent[0] = block;
    if (!runs_silent_function(lines))
        return;
    lines->silent.allocs++;
    lines->silent.allocated += (int64_t)size;
    lines->noted = block;
    lines->noted_size = (int64_t)size;
}

void vbt_line_note_free(struct vbt_watcher *watcher, uint32_t node, size_t size, bool temporary, int times) {
    struct vbt_line_thread *lines = vbt_line_thread_of(watcher);
    if (node == vbt_tree.line_node || !runs_silent_function(lines))
        return;
    lines->silent.frees += times;
    lines->silent.freed += times * (int64_t)size;
    lines->silent.temporary += times * temporary;
    lines->noted = NULL;
}

void vbt_line_note_object(struct vbt_line_thread *lines) {
    if (vbt_line_frame_now != NULL && runs_silent_function(lines))
        lines->silent.objects++;
}

void vbt_line_forget_object(struct vbt_line_thread *lines) {
    if (vbt_line_frame_now != NULL && runs_silent_function(lines))
        lines->silent.objects--;
}

/* As if it had not been allocated: the block before it is the latest again, and may still turn out
 * to be temporary. */
static void forget_recent(struct vbt_line_thread *lines, const void *block) {
    enum { RECENT = sizeof lines->recent / sizeof *lines->recent };
    unsigned place = 0;
    while (place < RECENT && lines->recent[place] != block)
        place++;
    if (place == RECENT)
        return;
    memmove(lines->recent + place, lines->recent + place + 1, (RECENT - place - 1) * sizeof *lines->recent);
    lines->recent[RECENT - 1] = NULL;
    if (lines->ledger->last_block == block)
        lines->ledger->last_block = vbt_shadow_holds(lines->recent[0]) ? lines->recent[0] : NULL;
}

void vbt_line_forget_block(struct vbt_line_thread *lines, const void *block) {
    if (block == NULL)
        return;
    forget_recent(lines, block);
    if (lines->noted != block)
        return;
    lines->silent.allocs--;
    lines->silent.allocated -= lines->noted_size;
    lines->noted = NULL;
}
