/* What was counted at the nodes: COUNTERS. */
#ifndef VBT_DECODE_COUNTERS_H
#define VBT_DECODE_COUNTERS_H

#include "decode_payload.h"

/* The row of nodes at which nothing was counted: before the first chunk. */
void vbt_decode_counters_begin(struct vbt_model *m);

char *vbt_decode_counters(struct vbt_payload *p);

/* Settles what was live at the peak: after the last chunk. */
void vbt_decode_counters_finish(struct vbt_model *m);

#endif
