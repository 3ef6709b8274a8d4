/* The place of the trace's file, for a helper that moves with the program into another root or
 * another namespace of mounts (surroundings.h). There, the path of the trace may lead
 * nowhere, or to another folder. The file stays open: it is then rewritten in place. */
#ifndef VBT_TRACE_PLACE_H
#define VBT_TRACE_PLACE_H

#include "preload/stream/writer.h"

#include <stdbool.h>

/* Before the helper moves: this is the path of the trace. */
void vbt_trace_place_moves(const char *path);

/* Is the folder of the trace where it was? True if the helper never moved. */
bool vbt_trace_place_in_reach(const char *path);

/* Opens the file that is going to replace the trace: at `part`, if what stands at `path` may be
 * replaced and is in reach; else one without a name. */
void vbt_trace_place_open(struct vbt_chunk_writer *writer, const char *part, const char *path);

/* Writes what is in the file without a name over the trace, which `trace` has open; then `from`
 * goes on with that one, and closes its own. If that fails, from->error says so. */
void vbt_trace_place_fill(struct vbt_chunk_writer *from, struct vbt_chunk_writer *trace);

/* The file could not be rewritten, only appended to: perhaps its folder has another name now, which
 * is then put into `path`, or is gone, and the file with it: false. */
bool vbt_trace_place_find(int fd, char *path, int size);

/* In the child of a fork: its helper never moved. */
void vbt_trace_place_after_fork(void);

#endif
