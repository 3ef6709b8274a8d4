/* What both sources of line events share: from a code object to the thread's records of it. */
#ifndef VBT_LINE_FOLLOW_H
#define VBT_LINE_FOLLOW_H

#include "preload/thread/enter.h"
#include "preload/lines/books/line_fast.h"
#include "line_objects.h"
#include "preload/python/python_stack.h"

/* The calling thread's state for an event; NULL: nothing is being recorded. */
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

/* The same for code that is not in the cache. *is_new: the code object was not known. */
struct vbt_line_block *vbt_line_look_up(struct vbt_line_thread *lines, const char *code, bool *is_new);

VBT_INLINE struct vbt_line_block *vbt_line_block_of(struct vbt_line_thread *lines, const char *code, bool *is_new) {
    uint32_t slot = (uint32_t)((uintptr_t)code >> 4 ^ (uintptr_t)code >> 12) % VBT_LINE_CACHE;
    *is_new = false;
    if (VBT_LIKELY(lines->cache[slot].code == (uintptr_t)code &&
                   lines->cache[slot].generation == vbt_python_code_generation(VBT_PEEK(uint64_t, vbt_python_generations))))
        return lines->cache[slot].block;
    return vbt_line_look_up(lines, code, is_new);
}

/* A line begins in a frame that is not the innermost entered one: it began before there were
 * events, or those inside it ended without an event. */
void vbt_line_begin_unentered(struct vbt_line_thread *lines, const char *code, const void *frame, int32_t line);

/* The frame is known to run: the frames entered inside it have ended, or have been suspended,
 * without an event. False if it was not entered. */
bool vbt_line_is_back(struct vbt_line_thread *lines, const void *frame);

/* Does the code object point at this block? It points at what the interpreter makes for it to
 * report its lines. */
bool vbt_line_code_points_at(const char *code, const void *block);

/* Up to Python 3.11: remembers the latest block, before the interpreter allocates something to
 * report an event. */
VBT_INLINE void vbt_line_keep_last(struct vbt_line_thread *lines) {
    lines->last.block = lines->ledger->last_block;
    lines->last.allocs = vbt_line_allocs(lines);
}

/* A block allocated since then is not the program's; when all such blocks are disowned, the latest
 * block is as it was. False if the block is not known. */
bool vbt_line_disown(struct vbt_line_thread *lines, const void *block);

/* Until vbt_line_own_work_end, what the calling thread does is vbtrace's own work: it belongs to no
 * node and no line of the program's. */
struct vbt_line_sums vbt_line_own_work_begin(struct vbt_thread *thread);
void vbt_line_own_work_end(struct vbt_thread *thread, const struct vbt_line_sums *begun);

#endif
