/* What ran, and from which files: the PROCESS chunk, and MODULES for code that the loader does not
 * know. */
#ifndef VBT_PROCESS_CHUNKS_H
#define VBT_PROCESS_CHUNKS_H

#include "writer.h"

void vbt_write_process(struct vbt_chunk_writer *writer);

/* Which files code is mapped from now, whoever mapped it: for code that the loader knows nothing
 * of. */
void vbt_write_mappings(struct vbt_chunk_writer *writer);

#endif
