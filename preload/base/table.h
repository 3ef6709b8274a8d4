/* A hash table that is read without a lock: a pair of keys gives a 32-bit id.
 *
 * Open addressing with linear probing. One writer at a time (the caller's lock); a full table is
 * replaced by a larger copy. A reader may still be in the old one, so its address space stays while
 * its memory is returned: from then on the reader finds free entries only. A reader that misses an
 * entry looks again under the lock. */
#ifndef VBT_TABLE_H
#define VBT_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_table_entry {
    _Atomic uint64_t key; /* 0 never used, 1 removed; written last */
    uint32_t key2;
    _Atomic uint32_t id;
};

struct vbt_table_slots {
    uint64_t mask;
    struct vbt_table_entry entries[];
};

struct vbt_table {
    _Atomic(struct vbt_table_slots *) slots;
    size_t used; /* entries that are not free, including removed ones */
};

/* A hash as a key: a table uses 0 and 1 for free and removed entries. */
static inline uint64_t vbt_table_key(uint64_t hash) { return hash > 1 ? hash : hash + 2; }

/* key above 1. The mixing is Knuth's multiplicative one with the 64-bit golden ratio, twice. */
static inline uint64_t vbt_table_hash(uint64_t key, uint32_t key2) {
    uint64_t mixed = (key ^ ((uint64_t)key2 << 32)) * 0x9E3779B97F4A7C15ULL;
    return (mixed ^ (mixed >> 29)) * 0x9E3779B97F4A7C15ULL >> 32;
}

/* The id, or 0 if there is none; a key of 0 or 1 has none. */
static inline uint32_t vbt_table_get(const struct vbt_table *table, uint64_t key, uint32_t key2) {
    const struct vbt_table_slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    if (slots == NULL)
        return 0;
    for (uint64_t i = vbt_table_hash(key, key2) & slots->mask;; i = (i + 1) & slots->mask) {
        const struct vbt_table_entry *entry = &slots->entries[i];
        uint64_t found = atomic_load_explicit(&entry->key, memory_order_acquire);
        if (found == key && entry->key2 == key2)
            return atomic_load_explicit(&entry->id, memory_order_acquire);
        if (found == 0)
            return 0;
    }
}

/* The bytes it takes. */
static inline size_t vbt_table_bytes(const struct vbt_table *table) {
    const struct vbt_table_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    return slots != NULL ? (slots->mask + 1) * sizeof slots->entries[0] : 0;
}

/* Adds an entry that is not there yet; id is not 0. False when there is no memory. */
bool vbt_table_put(struct vbt_table *table, uint64_t key, uint32_t key2, uint32_t id);

/* Gives an existing entry another id. A reader may still get the old one for a while. */
void vbt_table_replace(struct vbt_table *table, uint64_t key, uint32_t key2, uint32_t id);

void vbt_table_remove(struct vbt_table *table, uint64_t key, uint32_t key2);

#endif
