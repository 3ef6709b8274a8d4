/* Finds ids by content: what an id stands for lies elsewhere, and is compared by the caller. */
#ifndef VBT_ID_TABLE_H
#define VBT_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_id_table {
    struct vbt_id_slot {
        uint32_t id, hash; /* id 0: empty */
    } * slots;
    size_t capacity, count; /* a power of 2, or 0 */
};

/* Makes room for one more. */
void vbt_id_table_reserve(struct vbt_id_table *table);

void vbt_id_table_free(struct vbt_id_table *table);

/* Does the id stand for what is looked for? */
typedef bool vbt_id_same(const void *context, uint32_t id);

/* The slot of what is looked for; if it is not there, an empty one, whose id the caller may set,
 * once, and before the next call. */
static inline struct vbt_id_slot *vbt_id_table_find(struct vbt_id_table *table, uint32_t hash, vbt_id_same *same,
                                                    const void *context) {
    vbt_id_table_reserve(table);
    size_t at = hash & (table->capacity - 1);
    while (table->slots[at].id != 0 && (table->slots[at].hash != hash || !same(context, table->slots[at].id)))
        at = (at + 1) & (table->capacity - 1);
    table->slots[at].hash = hash;
    return &table->slots[at];
}

/* Gives an empty slot its id. */
static inline void vbt_id_table_take(struct vbt_id_table *table, struct vbt_id_slot *slot, uint32_t id) {
    slot->id = id;
    table->count++;
}

#endif
