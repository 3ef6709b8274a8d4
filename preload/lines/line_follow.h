/* What the two sources of line events have in common: from a code object to the thread's records of it. */
#ifndef VBT_LINE_FOLLOW_H
#define VBT_LINE_FOLLOW_H

#include "preload/thread/enter.h"
#include "preload/lines/books/line_fast.h"
#include "line_objects.h"
#include "preload/python/python_stack.h"

/* The calling thread's state for an event; NULL: nothing is recorded now. */
VBT_INLINE struct vbt_line_thread *vbt_line_follow(struct vbt_thread **thread) {
    struct vbt_thread *self = *thread = vbt_self;
    uint32_t recording = atomic_load_explicit(&vbt_recording, memory_order_relaxed);
    if (VBT_UNLIKELY(self == NULL) || VBT_UNLIKELY(recording != VBT_RECORDING && recording != VBT_RECORDING_POLLED))
        return NULL;
    if (VBT_UNLIKELY(vbt_line_objects_on_event != NULL))
        vbt_line_objects_on_event();
    return VBT_LIKELY(self->lines != NULL) ? self->lines : vbt_line_thread(self);
}

/* A line begins in a frame: books it in the usual case. *next, *count: see vbt_line_begin_fast. */
VBT_INLINE enum vbt_line_begun vbt_line_follow_fast(const void *frame, int32_t line, struct vbt_line **next, uint64_t *count) {
    const struct vbt_thread *self = vbt_self;
    if (VBT_UNLIKELY(self == NULL) || VBT_UNLIKELY(VBT_PEEK(uint32_t, vbt_recording) != VBT_RECORDING) ||
        VBT_UNLIKELY(self->lines == NULL))
        return VBT_LINE_SLOW;
    return vbt_line_begin_fast(self->lines, frame, line, next, count);
}

/* The same when the code is not the one that was asked for last in its place. *met: the code object was not known. */
struct vbt_line_block *vbt_line_look_up(struct vbt_line_thread *lines, const char *code, bool *met);

VBT_INLINE struct vbt_line_block *vbt_line_block_of(struct vbt_line_thread *lines, const char *code, bool *met) {
    uint32_t slot = (uint32_t)((uintptr_t)code >> 4 ^ (uintptr_t)code >> 12) % VBT_LINE_CACHE;
    *met = false;
    if (VBT_LIKELY(lines->cache[slot].code == (uintptr_t)code &&
                   lines->cache[slot].generation == vbt_python_code_generation(VBT_PEEK(uint64_t, vbt_python_generations))))
        return lines->cache[slot].block;
    return vbt_line_look_up(lines, code, met);
}

/* A line begins in a frame that is not the innermost one that was entered: it began before anybody listened, or those above it ended
 * without a word. */
void vbt_line_begin_unentered(struct vbt_line_thread *lines, const char *code, const void *frame, int32_t line);

/* The frame is known to run: what was entered above it ended, or goes on later, without a word. False if it was not entered. */
bool vbt_line_is_back(struct vbt_line_thread *lines, const void *frame);

/* Does the code object point at this block? So it does at what the interpreter makes to tell of its lines. */
bool vbt_line_code_points_at(const char *code, const void *block);

/* Up to Python 3.11: keeps in mind which block the latest one is, before the interpreter allocates something to tell of an event. */
VBT_INLINE void vbt_line_keep_last(struct vbt_line_thread *lines) {
    lines->last.block = lines->ledger->last_block;
    lines->last.allocs = vbt_line_allocs(lines);
}

/* A block that was allocated since then is none of the program's; without those, the latest one is as it was. False if it is not
 * known. */
bool vbt_line_disown(struct vbt_line_thread *lines, const void *block);

/* What the calling thread does until vbt_line_own_work_end is vbtrace's own doing, as far as nodes and lines are concerned. */
struct vbt_line_sums vbt_line_own_work_begin(struct vbt_thread *thread);
void vbt_line_own_work_end(struct vbt_thread *thread, const struct vbt_line_sums *begun);

#endif
