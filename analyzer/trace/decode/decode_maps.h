/* Mapped memory and the resident set: MAPS. */
#ifndef VBT_DECODE_MAPS_H
#define VBT_DECODE_MAPS_H

#include "decode_payload.h"

char *vbt_decode_maps(struct vbt_payload *p);

#endif
