/* See table.h. */
#include "table.h"

#include "memory.h"

enum { FIRST_SLOTS = 1 << 8 };

static const uint64_t removed = 1;

/* Into the first slot that is free or whose entry was removed: no reader can be looking for a
 * removed one, since what it stood for no longer exists. True if the slot was never used before. */
static bool place(struct vbt_table_slots *slots, uint64_t key, uint32_t key2, uint32_t id) {
    uint64_t i = vbt_table_hash(key, key2) & slots->mask;
    uint64_t found;
    while ((found = atomic_load_explicit(&slots->entries[i].key, memory_order_relaxed)) > removed)
        i = (i + 1) & slots->mask;
    slots->entries[i].key2 = key2;
    atomic_store_explicit(&slots->entries[i].id, id, memory_order_relaxed);
    atomic_store_explicit(&slots->entries[i].key, key, memory_order_release);
    return found == 0;
}

/* Replaces the slots by a copy twice as large, or as large where most entries were removed ones. */
static bool grow(struct vbt_table *table) {
    struct vbt_table_slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
    uint64_t live = 0;
    for (uint64_t i = 0; old != NULL && i <= old->mask; i++)
        live += atomic_load_explicit(&old->entries[i].key, memory_order_relaxed) > removed;
    uint64_t size = old == NULL ? FIRST_SLOTS : old->mask + 1;
    if (live * 3 >= size)
        size *= 2;
    struct vbt_table_slots *slots = vbt_map_at_once(sizeof *slots + size * sizeof slots->entries[0]);
    if (slots == NULL)
        return false;
    slots->mask = size - 1;
    for (uint64_t i = 0; old != NULL && i <= old->mask; i++) {
        const struct vbt_table_entry *entry = &old->entries[i];
        uint64_t key = atomic_load_explicit(&entry->key, memory_order_relaxed);
        if (key > removed)
            place(slots, key, entry->key2, atomic_load_explicit(&entry->id, memory_order_relaxed));
    }
    table->used = live;
    atomic_store_explicit(&table->slots, slots, memory_order_release);
    if (old != NULL)
        vbt_drop(old, sizeof *old + (old->mask + 1) * sizeof old->entries[0]);
    return true;
}

bool vbt_table_put(struct vbt_table *table, uint64_t key, uint32_t key2, uint32_t id) {
    struct vbt_table_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    if ((slots == NULL || (table->used + 1) / 3 * 4 > slots->mask) && !grow(table))
        return false;
    table->used += place(atomic_load_explicit(&table->slots, memory_order_relaxed), key, key2, id);
    return true;
}

/* The entry of a pair of keys, or NULL. */
static struct vbt_table_entry *find(struct vbt_table *table, uint64_t key, uint32_t key2) {
    struct vbt_table_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    for (uint64_t i = slots != NULL ? vbt_table_hash(key, key2) & slots->mask : 0; slots != NULL; i = (i + 1) & slots->mask) {
        struct vbt_table_entry *entry = &slots->entries[i];
        uint64_t found = atomic_load_explicit(&entry->key, memory_order_relaxed);
        if (found == key && entry->key2 == key2)
            return entry;
        if (found == 0)
            break;
    }
    return NULL;
}

void vbt_table_replace(struct vbt_table *table, uint64_t key, uint32_t key2, uint32_t id) {
    struct vbt_table_entry *entry = find(table, key, key2);
    if (entry != NULL)
        atomic_store_explicit(&entry->id, id, memory_order_release);
}

/* Removed entries at the end of a run are free again: a probe that gets this far would have ended
 * just after them. */
static void free_run(struct vbt_table *table, struct vbt_table_slots *slots, uint64_t last) {
    if (atomic_load_explicit(&slots->entries[(last + 1) & slots->mask].key, memory_order_relaxed) != 0)
        return;
    for (; atomic_load_explicit(&slots->entries[last].key, memory_order_relaxed) == removed; last = (last - 1) & slots->mask) {
        atomic_store_explicit(&slots->entries[last].key, 0, memory_order_release);
        table->used--;
    }
}

void vbt_table_remove(struct vbt_table *table, uint64_t key, uint32_t key2) {
    struct vbt_table_entry *entry = find(table, key, key2);
    if (entry == NULL)
        return;
    struct vbt_table_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    atomic_store_explicit(&entry->key, removed, memory_order_release);
    atomic_store_explicit(&entry->id, 0,
                          memory_order_release); /* for readers that look up 0, as happens for a frame that has not begun */
    free_run(table, slots, (uint64_t)(entry - slots->entries));
}
