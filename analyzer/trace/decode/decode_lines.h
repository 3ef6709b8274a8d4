/* What line mode counted: LINES. */
#ifndef VBT_DECODE_LINES_H
#define VBT_DECODE_LINES_H

#include "decode_payload.h"

char *vbt_decode_lines(struct vbt_payload *p);

#endif
