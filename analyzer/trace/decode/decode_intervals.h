/* Intervals and what call sites did in them: INTERVALS, INTERVAL_SITES. A file repeats a row
 * whenever it has changed; the newest counts. */
#ifndef VBT_DECODE_INTERVALS_H
#define VBT_DECODE_INTERVALS_H

#include "decode_payload.h"

char *vbt_decode_intervals(struct vbt_payload *p);
char *vbt_decode_interval_sites(struct vbt_payload *p);

/* After the last chunk: sorts the rows and keeps only the newest of each. */
void vbt_decode_intervals_finish(struct vbt_model *m);

#endif
