/* What a state of the history says besides counters: of threads, intervals, counted lines and
 * mapped memory. Chunks of these that were written before several states are merged into those of
 * the last. */
#ifndef VBT_DETAILS_H
#define VBT_DETAILS_H

#include "chunk_source.h"
#include "preload/stream/writer.h"

/* Is a chunk one of these? Others before a state have only the newest values. */
bool vbt_is_detail(int kind);

struct vbt_details;

/* sites: that are defined. NULL when there is no memory. */
struct vbt_details *vbt_details_new(uint32_t sites);
void vbt_details_free(struct vbt_details *details);

/* Begins with those of a later state: nothing has been seen yet. */
void vbt_details_begin(struct vbt_details *details);

/* Writes what a chunk says that no chunk has said that was given since the beginning: chunks are
 * given from the newest to the oldest. False if it cannot be read. */
bool vbt_details_take(struct vbt_details *details, enum vbt_chunk_kind kind, const uint8_t *payload, size_t size,
                      struct vbt_chunk_writer *writer);

#endif
