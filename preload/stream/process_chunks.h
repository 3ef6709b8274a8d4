/* The program and the files its code comes from: the PROCESS chunk, and MODULES for code that the
 * loader does not know. */
#ifndef VBT_PROCESS_CHUNKS_H
#define VBT_PROCESS_CHUNKS_H

#include "writer.h"

void vbt_write_process(struct vbt_chunk_writer *writer);

/* Before the helper goes into another root: the kernel shows paths as seen from the reader's, so
 * those of what is mapped now are kept. */
void vbt_mappings_keep(void);

/* Writes which files code is mapped from now: for code that the loader does not know. Nothing, if
 * that is what *written stands for; then updates it. 0 stands for nothing that is written. */
void vbt_write_mappings(struct vbt_chunk_writer *writer, uint64_t *written);

#endif
