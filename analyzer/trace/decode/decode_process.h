/* The process itself: PROCESS, END. */
#ifndef VBT_DECODE_PROCESS_H
#define VBT_DECODE_PROCESS_H

#include "decode_payload.h"

char *vbt_decode_process(struct vbt_payload *p);
char *vbt_decode_end(struct vbt_payload *p);

#endif
