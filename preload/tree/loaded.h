/* The loaded file that an address lies in, as the loader knows it: found without a lock, so that
 * hooks and signal handlers can ask. */
#ifndef VBT_LOADED_H
#define VBT_LOADED_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_loaded {
    const struct link_map *map;
    uintptr_t bias;             /* its load address less the address it was linked for */
    uintptr_t start, end;       /* from its first to its last segment */
    const ElfW(Phdr) * headers; /* of its segments; NULL: they are not known, and start and end may be those of one segment */
    size_t header_count;
    const uint8_t *eh_frame; /* its .eh_frame_hdr; NULL: it has none */
};

/* False: no loaded file that the loader knows, or a glibc before 2.35, which cannot be asked. The
 * file must stay loaded during the call. */
bool vbt_loaded_find(uintptr_t address, struct vbt_loaded *loaded);

/* The segment of a loaded file that holds an address, [*start, *end): between segments there may be
 * nothing. Both 0 if none does, or if it cannot be read. */
void vbt_loaded_segment(const struct vbt_loaded *loaded, uintptr_t address, uintptr_t *start, uintptr_t *end);

#endif
