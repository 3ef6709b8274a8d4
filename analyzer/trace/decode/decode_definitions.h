/* What the other chunks refer to by number: STRINGS, CODES, SITES, NODES, MODULES. */
#ifndef VBT_DECODE_DEFINITIONS_H
#define VBT_DECODE_DEFINITIONS_H

#include "decode_payload.h"

/* Before the first chunk: creates the rows of id 0. */
void vbt_decode_definitions_begin(struct vbt_model *m);

char *vbt_decode_strings(struct vbt_payload *p);
char *vbt_decode_codes(struct vbt_payload *p);
char *vbt_decode_sites(struct vbt_payload *p);
char *vbt_decode_nodes(struct vbt_payload *p);
char *vbt_decode_modules(struct vbt_payload *p);

#endif
