/* The kinds of chunks by name. */
#ifndef VBT_CHUNK_KINDS_H
#define VBT_CHUNK_KINDS_H

#include "format.h"

#include <stdbool.h>

/* Can this version read chunks of this kind? */
bool vbt_chunk_is_known(int kind);

/* "NODES" for VBT_CHUNK_NODES; "unknown" for 0 and for kinds that this version does not know. */
const char *vbt_chunk_name(int kind);

#endif
