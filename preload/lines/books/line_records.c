/* See line_records.h. */
#include "line_records.h"

#include "preload/base/table.h"
#include "preload/ledger/counters.h"
#include "preload/tree/tree.h"

#include <string.h>

struct vbt_vector vbt_line_codes;
static struct vbt_table indices; /* of codes */

uint32_t vbt_line_code_find(uint32_t code) { return vbt_table_get(&indices, (uint64_t)code + 2, 0); }

uint32_t vbt_line_code_add(uint32_t code, int32_t first, uint32_t count, bool decorated) {
    if (vbt_line_codes.count == 0)
        vbt_vector_add(&vbt_line_codes, sizeof(struct vbt_line_code));
    uint32_t index = vbt_line_codes.count < VBT_LINE_CODES ? vbt_vector_add(&vbt_line_codes, sizeof(struct vbt_line_code)) : 0;
    if (index == 0)
        return 0;
    struct vbt_line_code *added = vbt_line_code_at(index);
    *added = (struct vbt_line_code){.code = code, .first = first, .count = count, .decorated = decorated};
    if (count > 0 && (added->known = vbt_arena_alloc(&vbt_tree.arena, count * sizeof *added->known)) == NULL)
        added->count = 0;
    return vbt_table_put(&indices, (uint64_t)code + 2, 0, index) ? index : 0;
}

struct vbt_line_block *vbt_line_block_make(struct vbt_line_block **blocks, uint32_t index, struct vbt_ledger *ledger) {
    struct vbt_line_block *block = blocks[index];
    const struct vbt_line_code *code = vbt_line_code_at(index);
    if (block != NULL || code->count == 0)
        return block;
    block = vbt_arena_alloc(&ledger->arena, sizeof *block + code->count * sizeof *block->lines);
    if (block == NULL) {
        ledger->lost[VBT_LOST_MEMORY]++;
        return NULL;
    }
    block->index = index;
    block->first = code->first;
    block->count = code->count;
    atomic_thread_fence(memory_order_release); /* the stream's thread follows this pointer */
    blocks[index] = block;
    return block;
}

void vbt_line_blocks_clear(struct vbt_line_block **blocks) {
    for (uint32_t index = 1; index < vbt_line_codes.count; index++) {
        struct vbt_line_block *block = blocks[index];
        for (uint32_t i = 0; block != NULL && i < block->count; i++) {
            struct vbt_line *line = &block->lines[i];
            if (line->site != 0)
                *line = (struct vbt_line){.site = line->site, .active = line->active, .least = INT64_MAX, .most = INT64_MIN};
        }
    }
}

void vbt_line_codes_clear(void) {
    for (uint32_t index = 1; index < vbt_line_codes.count; index++)
        if (vbt_line_code_at(index)->count > 0)
            memset(vbt_line_code_at(index)->known, 0, vbt_line_code_at(index)->count * sizeof(uint64_t));
}
