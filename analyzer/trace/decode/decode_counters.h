/* What was counted at the nodes: COUNTERS. */
#ifndef VBT_DECODE_COUNTERS_H
#define VBT_DECODE_COUNTERS_H

#include "decode_payload.h"

/* Before the first chunk: creates the row of nodes at which nothing was counted. */
void vbt_decode_counters_begin(struct vbt_model *m);

char *vbt_decode_counters(struct vbt_payload *p);

/* After the last chunk: settles what was live at the peak. */
void vbt_decode_counters_finish(struct vbt_model *m);

#endif
