/* Which thread did what: THREADS, THREAD_COUNTERS. */
#ifndef VBT_DECODE_THREADS_H
#define VBT_DECODE_THREADS_H

#include "decode_payload.h"

char *vbt_decode_threads(struct vbt_payload *p);
char *vbt_decode_thread_counters(struct vbt_payload *p);

/* Settles what was live at the peak: after the last chunk. */
void vbt_decode_threads_finish(struct vbt_model *m);

#endif
