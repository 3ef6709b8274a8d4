/* From Python 3.12 on: functions that nobody hears of, called by a line that runs. The ledger tells of each of its events, and what those
 * functions do was called by that line. */
#ifndef VBT_LINE_UNHEARD_H
#define VBT_LINE_UNHEARD_H

#include "line_books.h"

/* The frame that the calling thread executes, NULL where that is of no interest. No such function: there are none that nobody hears of. */
extern const void *(*vbt_line_frame_now)(void);

void vbt_line_note_alloc(struct vbt_line_thread *lines, const void *block, size_t size);
void vbt_line_note_free(struct vbt_line_thread *lines, uint32_t node, size_t size, bool temporary, int times);
void vbt_line_note_object(struct vbt_line_thread *lines);

/* The latest block is none of the program's, and was charged to vbt_tree.line_node. */
void vbt_line_note_ours(struct vbt_line_thread *lines, const void *block);

/* The latest object is none of the program's. */
void vbt_line_note_our_object(struct vbt_line_thread *lines);

#endif
