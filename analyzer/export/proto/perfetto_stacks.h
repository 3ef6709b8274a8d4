/* Names, frames and call stacks of a Perfetto trace, which its dumps refer to by number. */
#ifndef VBT_PERFETTO_STACKS_H
#define VBT_PERFETTO_STACKS_H

#include "analyzer/analysis/cells/cells.h"
#include "analyzer/base/arrays/text_buffer.h"

#include <stdio.h>

/* Of TracePacket; what comes before a packet is needed to read it. */
enum { VBT_PERFETTO_FLAGS = 13, VBT_PERFETTO_NEEDS_STATE = 2 };

struct vbt_perfetto_stacks {
    const struct vbt_model *model;
    const struct vbt_call_tree *tree;
    const bool *used;  /* by call: its stack is written; its number is that of the call, plus 1 */
    size_t limit;      /* frames of a stack, innermost first */
    unsigned sequence; /* of packets */
};

void vbt_perfetto_stacks_write(const struct vbt_perfetto_stacks *stacks, FILE *out);

/* How many frames of a stack are written, see vbt_export_limit. */
size_t vbt_perfetto_limit(const struct vbt_cells *cells, const struct vbt_query *query);

/* Writes a packet, and empties it. */
void vbt_perfetto_write(struct vbt_text_buffer *packet, FILE *out);

#endif
