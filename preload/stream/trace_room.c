/* See trace_room.h. */
#include "trace_room.h"

#include "format/format.h"

/* A guess, in bytes; and how large a part of the limit the file must be for an estimate. */
enum { NODE_AT_FIRST = 2, ENOUGH = 8 };

#define HIGHEST (UINT64_C(1) << 37) /* below this nothing overflows; more room than for VBT_MAX_NODES */

static uint32_t capped(uint64_t nodes) { return nodes < VBT_MAX_NODES ? (uint32_t)nodes : VBT_MAX_NODES; }

uint32_t vbt_trace_room_at_first(uint64_t max_trace) { return capped(max_trace / 2 / NODE_AT_FIRST); }

uint32_t vbt_trace_room(uint64_t max_trace, struct vbt_trace_size now, struct vbt_trace_size rewritten) {
    uint64_t half = (max_trace < HIGHEST ? max_trace : HIGHEST) / 2, bytes = now.bytes;
    if (rewritten.bytes != 0 && now.nodes / 2 <= rewritten.nodes && rewritten.nodes != 0) {
        uint64_t in_proportion = rewritten.bytes * now.nodes / rewritten.nodes;
        bytes = in_proportion < bytes ? in_proportion : bytes;
    }
    uint32_t at_first = vbt_trace_room_at_first(max_trace);
    if (bytes * ENOUGH < max_trace && now.nodes < at_first / 2)
        return at_first;
    if (bytes >= half)
        return now.nodes;
    uint64_t more = (half - bytes) * now.nodes / (bytes + 1), most = now.nodes > at_first ? now.nodes : at_first;
    return capped(now.nodes + (more < most ? more : most));
}
