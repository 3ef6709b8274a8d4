/* What vbtrace symbolize added to a trace: FRAMES, SOURCES. */
#ifndef VBT_DECODE_NAMES_H
#define VBT_DECODE_NAMES_H

#include "decode_payload.h"

char *vbt_decode_frames(struct vbt_payload *p);
char *vbt_decode_sources(struct vbt_payload *p);

#endif
