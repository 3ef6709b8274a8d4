/* How many call paths VBTRACE_MAX_TRACE leaves room for.
 *
 * What a call path takes in the file, compressed, differs by a factor of ten between programs, so
 * it is read off the file itself. When written from scratch, the file shall fill half of the limit:
 * the other half is for what is appended until then, and for what was estimated wrongly.
 *
 * The more paths there are, the more each of them takes: what some take says little of ten times as
 * many. So no estimate is good for more than twice what it was made from; by then, the file is
 * written from scratch again. */
#ifndef VBT_TRACE_ROOM_H
#define VBT_TRACE_ROOM_H

#include <stdint.h>

/* A file's size, and the number of nodes that it had then. */
struct vbt_trace_size {
    uint64_t bytes;
    uint32_t nodes;
};

/* The most nodes that there may be, by the file as it is and as it was when it was last written
 * from scratch, with 0 bytes if it never was. At least as many as there are. */
uint32_t vbt_trace_room(uint64_t max_trace, struct vbt_trace_size now, struct vbt_trace_size rewritten);

/* The same before anything has been written. */
uint32_t vbt_trace_room_at_first(uint64_t max_trace);

#endif
