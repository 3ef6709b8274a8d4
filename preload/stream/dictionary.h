/* The definitions: strings, codes, modules, sites, nodes, in the order in which they were
 * interned. */
#ifndef VBT_DICTIONARY_H
#define VBT_DICTIONARY_H

#include "writer.h"

/* How far each kind has been written, or exists. */
struct vbt_dictionary {
    uint32_t strings, codes, modules, sites, nodes;
    uint64_t mappings; /* that were written: see vbt_write_mappings */
};

/* How far each kind exists now. */
struct vbt_dictionary vbt_dictionary_now(void);

/* Writes what is in `now` but not yet in *written, and updates *written. Anything interned later is
 * left for the next time. */
void vbt_dictionary_write(struct vbt_chunk_writer *writer, struct vbt_dictionary *written, struct vbt_dictionary now);

#endif
