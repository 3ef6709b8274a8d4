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

/* 0: there is none, or the table is just being replaced. */
uint32_t vbt_node_table_get(const struct vbt_node_table *table, uint32_t parent, uint32_t site, enum vbt_domain domain);

/* The bytes it takes. */
size_t vbt_node_table_bytes(const struct vbt_node_table *table);

/* Adds a node that is in the tree already. False: there is no memory. */
bool vbt_node_table_put(struct vbt_node_table *table, uint32_t node);

#endif
