/* See line_unheard.h. */
#include "line_unheard.h"

#include "preload/tree/tree.h"
#include "preload/ledger/shadow.h"

#include <string.h>

const void *(*vbt_line_frame_now)(void);

/* Does a function run that the running line called, and nobody hears of? */
static bool is_unheard(const struct vbt_line_thread *lines) {
    const void *frame = lines->running != NULL ? vbt_line_frame_now() : NULL;
    return frame != NULL && frame != lines->running;
}

void vbt_line_note_alloc(struct vbt_line_thread *lines, const void *block, size_t size) {
    memmove(lines->recent + 1, lines->recent, sizeof lines->recent - sizeof *lines->recent);
    lines->recent[0] = block;
    if (!is_unheard(lines))
        return;
    lines->unheard.allocs++;
    lines->unheard.allocated += (int64_t)size;
    lines->noted = block;
    lines->noted_size = (int64_t)size;
}

void vbt_line_note_free(struct vbt_line_thread *lines, uint32_t node, size_t size, bool temporary, int times) {
    if (node == vbt_tree.line_node || !is_unheard(lines))
        return;
    lines->unheard.frees += times;
    lines->unheard.freed += times * (int64_t)size;
    lines->unheard.temporary += times * temporary;
    lines->noted = NULL;
}

void vbt_line_note_object(struct vbt_line_thread *lines) {
    if (vbt_line_frame_now != NULL && is_unheard(lines))
        lines->unheard.objects++;
}

void vbt_line_note_our_object(struct vbt_line_thread *lines) {
    if (vbt_line_frame_now != NULL && is_unheard(lines))
        lines->unheard.objects--;
}

/* As if it had not been allocated: whether the block before it is temporary is still to be seen. */
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

void vbt_line_note_ours(struct vbt_line_thread *lines, const void *block) {
    if (block == NULL)
        return;
    forget_recent(lines, block);
    if (lines->noted != block)
        return;
    lines->unheard.allocs--;
    lines->unheard.allocated -= lines->noted_size;
    lines->noted = NULL;
}
