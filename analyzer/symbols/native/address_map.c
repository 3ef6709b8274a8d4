/* See address_map.h. The addresses are cut at every start and end; then the modules, newest first,
 * take the pieces that they cover and that are still free. A chain of "next free piece" links means
 * that each piece is looked at once. */
#include "address_map.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/arrays/binary_search.h"

#include <stdlib.h>

static int by_value(const void *left, const void *right) {
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static bool is_less(const void *cut, const void *value) { return *(const uint64_t *)cut < *(const uint64_t *)value; }

static size_t index_of(const uint64_t *cuts, size_t count, uint64_t value) {
    return vbt_rows_before(cuts, count, sizeof *cuts, is_less, &value);
}

/* The first free piece at or after `at`; shortens the chain that it walks. */
static size_t next_free(uint32_t *next, size_t at) {
    size_t found = at;
    while (next[found] != found)
        found = next[found];
    while (next[at] != found) {
        size_t step = next[at];
        next[at] = (uint32_t)found;
        at = step;
    }
    return found;
}

void vbt_address_map_build(struct vbt_address_map *map, const struct vbt_model_module *modules, size_t count) {
    uint64_t *cuts = vbt_new(2 * count, sizeof *cuts);
    for (size_t i = 0; i < count; i++) {
        cuts[2 * i] = modules[i].start;
        cuts[2 * i + 1] = modules[i].end;
    }
    qsort(cuts, 2 * count, sizeof *cuts, by_value);
    size_t distinct = 0;
    for (size_t i = 0; i < 2 * count; i++)
        if (distinct == 0 || cuts[distinct - 1] != cuts[i])
            cuts[distinct++] = cuts[i];

    /* Piece i lies between cut i and cut i + 1. The last one ends the chain and is never taken. */
    uint32_t *next = vbt_new(distinct + 1, sizeof *next);
    uint32_t *owner = vbt_new(distinct + 1, sizeof *owner); /* module + 1 */
    for (size_t i = 0; i <= distinct; i++)
        next[i] = (uint32_t)i;
    for (size_t i = count; i-- > 0;) {
        if (modules[i].start >= modules[i].end)
            continue;
        size_t end = index_of(cuts, distinct, modules[i].end);
        for (size_t piece = next_free(next, index_of(cuts, distinct, modules[i].start)); piece < end;
             piece = next_free(next, piece)) {
            owner[piece] = (uint32_t)i + 1;
            next[piece] = (uint32_t)piece + 1;
        }
    }

    map->ranges = vbt_new(distinct, sizeof *map->ranges);
    map->count = 0;
    for (size_t i = 0; i + 1 < distinct; i++)
        if (owner[i] != 0)
            map->ranges[map->count++] = (struct vbt_address_range){cuts[i], cuts[i + 1], owner[i] - 1};
    free(cuts);
    free(next);
    free(owner);
}

static bool ends_before(const void *range, const void *address) {
    return ((const struct vbt_address_range *)range)->end <= *(const uint64_t *)address;
}

ptrdiff_t vbt_address_map_find(const struct vbt_address_map *map, uint64_t address) {
    size_t at = vbt_rows_before(map->ranges, map->count, sizeof *map->ranges, ends_before, &address);
    return at < map->count && map->ranges[at].start <= address ? (ptrdiff_t)map->ranges[at].module : -1;
}

void vbt_address_map_free(struct vbt_address_map *map) {
    free(map->ranges);
    *map = (struct vbt_address_map){0};
}
