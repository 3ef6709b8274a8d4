/* Which mapped file an address belonged to: the newest of the modules that cover it. */
#ifndef VBT_ADDRESS_MAP_H
#define VBT_ADDRESS_MAP_H

#include "analyzer/trace/model.h"

struct vbt_address_range {
    uint64_t start, end;
    uint32_t module;
};

struct vbt_address_map {
    struct vbt_address_range *ranges; /* ascending, not overlapping */
    size_t count;
};

/* Takes O(n log n) in the number of modules, however they overlap. */
void vbt_address_map_build(struct vbt_address_map *map, const struct vbt_model_module *modules, size_t count);

/* Index of the module that holds the address, or -1. */
ptrdiff_t vbt_address_map_find(const struct vbt_address_map *map, uint64_t address);

void vbt_address_map_free(struct vbt_address_map *map);

#endif
