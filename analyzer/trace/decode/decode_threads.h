/* Which thread did what: THREADS, THREAD_COUNTERS. */
#ifndef VBT_DECODE_THREADS_H
#define VBT_DECODE_THREADS_H

#include "decode_payload.h"

char *vbt_decode_threads(struct vbt_payload *p);
char *vbt_decode_thread_counters(struct vbt_payload *p);

/* After the last chunk: settles what was live at the peak. */
void vbt_decode_threads_finish(struct vbt_model *m);

#endif
