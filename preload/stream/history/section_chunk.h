/* Writes when sections ran. */
#ifndef VBT_SECTION_CHUNK_H
#define VBT_SECTION_CHUNK_H

#include "preload/stream/writer.h"

#include <stdbool.h>
#include <stdint.h>

/* Writes the names whose runs changed since they were last written, or all of them. That can be
 * many bytes for little news: without `all`, it is done once a second at most. time: now, ns since
 * the start; epoch: changes before it are known. */
void vbt_write_section_times(struct vbt_chunk_writer *writer, int64_t time, bool all, uint64_t epoch);

/* What was written is lost: next time, everything is written. */
void vbt_write_section_times_again(void);

/* In the child of a fork. */
void vbt_section_chunk_after_fork(void);

#endif
