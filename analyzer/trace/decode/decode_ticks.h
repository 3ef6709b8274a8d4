/* The process over time: STATE and TIMELINE, which are merged into one list of ticks. */
#ifndef VBT_DECODE_TICKS_H
#define VBT_DECODE_TICKS_H

#include "decode_payload.h"

char *vbt_decode_state(struct vbt_payload *p);
char *vbt_decode_timeline(struct vbt_payload *p);

/* After the last chunk: merges the ticks of both chunks into one timeline. */
void vbt_decode_ticks_finish(struct vbt_model *m);

#endif
