/* What was counted at the nodes: COUNTERS. */
#ifndef VBT_DECODE_COUNTERS_H
#define VBT_DECODE_COUNTERS_H

#include "decode_payload.h"

char *vbt_decode_counters(struct vbt_payload *p);

#endif
