/* See node_table.h. */
#include "node_table.h"

#include "tree.h"
#include "preload/base/sys.h"

enum { FIRST_SLOTS = 1 << 10, ID_BITS = 26 };

_Static_assert(VBT_MAX_NODES <= 1U << ID_BITS, "an id fits an entry");

struct vbt_node_slots {
    uint32_t mask;
    _Atomic uint32_t entries[]; /* id, and bits of the hash above it; 0: none */
};

/* Where to look first, in the upper half; what stands beside the id, in the lowest bits. */
static uint64_t hash_of(uint32_t parent, uint32_t site, enum vbt_domain domain) {
    uint64_t mixed = (((uint64_t)parent << 32 | site) ^ (uint64_t)domain << 30) * 0x9E3779B97F4A7C15ULL;
    return (mixed ^ mixed >> 29) * 0x9E3779B97F4A7C15ULL;
}

static uint32_t entry_of(uint64_t hash, uint32_t id) { return (uint32_t)(hash << ID_BITS) | id; }

static uint32_t id_in(uint32_t entry) { return entry & ((1U << ID_BITS) - 1); }

VBT_INLINE uint32_t look(const struct vbt_node_slots *slots, uint64_t hash, uint32_t i, uint32_t parent, uint32_t site,
                         enum vbt_domain domain, struct vbt_node_spot *spot) {
    for (;; i = (i + 1) & slots->mask) {
        uint32_t entry = atomic_load_explicit(&slots->entries[i], memory_order_acquire);
        if (entry == 0) {
            *spot = (struct vbt_node_spot){slots, hash, i};
            return 0;
        }
        uint32_t id = id_in(entry);
        if (entry != entry_of(hash, id))
            continue;
        const struct vbt_node *node = vbt_node_at(id);
        if (node->parent == parent && node->site == site && node->domain == domain)
            return id;
    }
}

uint32_t vbt_node_table_get(const struct vbt_node_table *table, uint32_t parent, uint32_t site, enum vbt_domain domain,
                            struct vbt_node_spot *spot) {
    const struct vbt_node_slots *slots = atomic_load_explicit(&table->slots, memory_order_acquire);
    if (VBT_UNLIKELY(slots == NULL)) {
        *spot = (struct vbt_node_spot){0};
        return 0;
    }
    uint64_t hash = hash_of(parent, site, domain);
    return look(slots, hash, (uint32_t)(hash >> 32) & slots->mask, parent, site, domain, spot);
}

uint32_t vbt_node_table_get_on(const struct vbt_node_table *table, uint32_t parent, uint32_t site, enum vbt_domain domain,
                               struct vbt_node_spot *spot) {
    const struct vbt_node_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    if (VBT_UNLIKELY(slots == NULL) || VBT_UNLIKELY(slots != spot->slots))
        return vbt_node_table_get(table, parent, site, domain, spot);
    return look(slots, spot->hash, spot->index, parent, site, domain, spot);
}

static void place(struct vbt_node_slots *slots, uint32_t id) {
    const struct vbt_node *node = vbt_node_at(id);
    uint64_t hash = hash_of(node->parent, node->site, node->domain);
    uint32_t i = (uint32_t)(hash >> 32) & slots->mask;
    while (atomic_load_explicit(&slots->entries[i], memory_order_relaxed) != 0)
        i = (i + 1) & slots->mask;
    atomic_store_explicit(&slots->entries[i], entry_of(hash, id), memory_order_release);
}

static size_t bytes_of(const struct vbt_node_slots *slots) {
    return sizeof *slots + ((size_t)slots->mask + 1) * sizeof slots->entries[0];
}

size_t vbt_node_table_bytes(const struct vbt_node_table *table) {
    const struct vbt_node_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    return slots != NULL ? bytes_of(slots) : 0;
}

/* Replaces the slots by twice as many. In the order of the nodes, since that is how their memory is
 * read fastest; all but the one that is being added. */
static bool grow(struct vbt_node_table *table, uint32_t but) {
    struct vbt_node_slots *old = atomic_load_explicit(&table->slots, memory_order_relaxed);
    uint32_t size = old == NULL ? FIRST_SLOTS : 2 * (old->mask + 1);
    struct vbt_node_slots *slots = vbt_map_at_once(sizeof *slots + (size_t)size * sizeof slots->entries[0]);
    if (slots == NULL)
        return false;
    slots->mask = size - 1;
    for (uint32_t id = 1; id < vbt_tree.nodes.count; id++)
        if (!vbt_node_at(id)->is_first && id != but)
            place(slots, id);
    atomic_store_explicit(&table->slots, slots, memory_order_release);
    if (old != NULL)
        vbt_drop(old, bytes_of(old));
    return true;
}

bool vbt_node_table_put(struct vbt_node_table *table, uint32_t node, const struct vbt_node_spot *spot) {
    struct vbt_node_slots *slots = atomic_load_explicit(&table->slots, memory_order_relaxed);
    if (VBT_LIKELY(slots != NULL && table->used / 3 * 4 < slots->mask)) {
        atomic_store_explicit(&slots->entries[spot->index], entry_of(spot->hash, node), memory_order_release);
    } else {
        if (!grow(table, node))
            return false;
        place(atomic_load_explicit(&table->slots, memory_order_relaxed), node);
    }
    table->used++;
    return true;
}
