/* What the tests of the stream's chunks share: a thread with three nodes, a file that ticks are
 * written to, and the trace that is read back from it by the tests' own decoder. */
#ifndef VBT_SNAPSHOT_WORLD_H
#define VBT_SNAPSHOT_WORLD_H

#include "preload/stream/snapshot.h"
#include "trace_decoder.h"

extern struct vbt_thread *thread; /* who allocates */
extern struct vbt_chunk_writer writer;
extern struct vbt_dictionary written;
extern struct vbt_tick tick;
extern uint32_t nodes[3]; /* each the parent of the next; the second is of the heap, the others are Python's */
extern uintptr_t next_block;

/* What each block has. */
enum { BLOCK_ROOM = 8192 };

/* Makes the nodes; once, before all tests. */
void snapshot_world_init(void);

/* Before and after each test, as cmocka calls them. */
int snapshot_begin(void **state);
int snapshot_end(void **state);

/* A new block, allocated by `thread`. */
uintptr_t alloc(uint32_t node, size_t size);

/* What a tick does: definitions and the values that changed since. Returns the clock of this
 * tick. */
uint64_t write_tick(uint64_t since);

/* The whole file; valid until the next call. */
const struct trace *read_trace(void);

#endif
