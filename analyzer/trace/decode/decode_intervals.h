/* Intervals and what call sites did in them: INTERVALS, INTERVAL_SITES. A file repeats a row whenever it changed; the newest holds. */
#ifndef VBT_DECODE_INTERVALS_H
#define VBT_DECODE_INTERVALS_H

#include "decode_payload.h"

char *vbt_decode_intervals(struct vbt_payload *p);
char *vbt_decode_interval_sites(struct vbt_payload *p);

/* Puts rows in order and leaves only the newest: after the last chunk. */
void vbt_decode_intervals_finish(struct vbt_model *m);

#endif
