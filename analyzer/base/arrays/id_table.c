/* See id_table.h. */
#include "id_table.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

void vbt_id_table_reserve(struct vbt_id_table *table) {
    enum { LEAST = 64 };
    if (4 * (table->count + 1) <= 3 * table->capacity)
        return;
    struct vbt_id_table old = *table;
    table->capacity = old.capacity > 0 ? 2 * old.capacity : LEAST;
    table->slots = vbt_new(table->capacity, sizeof *table->slots);
    for (size_t i = 0; i < old.capacity; i++) {
        size_t at = old.slots[i].hash & (table->capacity - 1);
        while (old.slots[i].id != 0 && table->slots[at].id != 0)
            at = (at + 1) & (table->capacity - 1);
        if (old.slots[i].id != 0)
            table->slots[at] = old.slots[i];
    }
    free(old.slots);
}

void vbt_id_table_free(struct vbt_id_table *table) {
    free(table->slots);
    *table = (struct vbt_id_table){0};
}
