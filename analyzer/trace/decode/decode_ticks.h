/* The process over time: STATE and TIMELINE, from which one row of ticks is made. */
#ifndef VBT_DECODE_TICKS_H
#define VBT_DECODE_TICKS_H

#include "decode_payload.h"

char *vbt_decode_state(struct vbt_payload *p);
char *vbt_decode_timeline(struct vbt_payload *p);

/* Merges the ticks of both chunks into one timeline: after the last chunk. */
void vbt_decode_ticks_finish(struct vbt_model *m);

#endif
