/* From Python 3.12 on: functions that raise no monitoring events, called from a traced line. The
 * ledger reports each of its events, and what happens while such a function runs was called by that
 * line. */
#ifndef VBT_LINE_SILENT_H
#define VBT_LINE_SILENT_H

#include "line_books.h"

/* The frame that the calling thread executes; NULL where it does not matter. NULL itself up to
 * 3.11, where no function is silent. */
extern const void *(*vbt_line_frame_now)(void);

/* For the ledger, see watcher.h. */
void vbt_line_note_alloc(struct vbt_watcher *watcher, const void *block, size_t size);
void vbt_line_note_free(struct vbt_watcher *watcher, uint32_t node, size_t size, bool temporary, int times);

void vbt_line_note_object(struct vbt_line_thread *lines);

/* The block, the latest one, is not the program's, and has been charged to vbt_tree.line_node. */
void vbt_line_forget_block(struct vbt_line_thread *lines, const void *block);

/* The latest object is not the program's. */
void vbt_line_forget_object(struct vbt_line_thread *lines);

#endif
