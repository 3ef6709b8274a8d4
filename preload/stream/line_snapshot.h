/* What line mode counted, as LINES chunks. */
#ifndef VBT_LINE_SNAPSHOT_H
#define VBT_LINE_SNAPSHOT_H

#include "dictionary.h"

/* Writes the lines that changed since they were last written; everything: all that ever ran.
 * defined: what the file defines already. */
void vbt_snapshot_lines(struct vbt_chunk_writer *writer, const struct vbt_dictionary *defined, bool everything);

/* In the child of a fork. */
void vbt_snapshot_lines_after_fork(void);

#endif
