/* The children of nodes, by parent and site: those that are not their parent's first.
 *
 * A hash table that is read without a lock. An entry is a node's id alone, since the node itself
 * says what it is; a few bits of its hash beside it save most looks at other nodes. One writer at a
 * time (the tree's lock); what becomes full is replaced, as in preload/base/table.h. */
#ifndef VBT_NODE_TABLE_H
#define VBT_NODE_TABLE_H

#include "format/format.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vbt_node_slots;

struct vbt_node_table {
    _Atomic(struct vbt_node_slots *) slots;
    uint32_t used;
};

/* Where a node that was not found would be: for the writer, who need not look for it from the
 * beginning. */
struct vbt_node_spot {
    const struct vbt_node_slots *slots;
    uint64_t hash;
    uint32_t index;
};

/* 0: there is none, or the table is just being replaced; then *spot is set. */
uint32_t vbt_node_table_get(const struct vbt_node_table *table, uint32_t parent, uint32_t site, enum vbt_domain domain,
                            struct vbt_node_spot *spot);

/* The same for the writer, from where a reader, maybe in a table that has been replaced since,
 * found none. A zeroed spot is that of nobody. */
uint32_t vbt_node_table_get_on(const struct vbt_node_table *table, uint32_t parent, uint32_t site, enum vbt_domain domain,
                               struct vbt_node_spot *spot);

/* The bytes it takes. */
size_t vbt_node_table_bytes(const struct vbt_node_table *table);

/* Adds a node that is in the tree already, where the writer has just not found it. False: there is
 * no memory. */
bool vbt_node_table_put(struct vbt_node_table *table, uint32_t node, const struct vbt_node_spot *spot);

#endif
