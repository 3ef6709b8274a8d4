/* The children of calls while a call tree is made: which of them is at a place. */
#ifndef VBT_CALL_CHILDREN_H
#define VBT_CALL_CHILDREN_H

#include "call_tree.h"

struct vbt_call_children {
    const struct vbt_call_tree *tree;
    uint32_t *first; /* by call: its first child; most calls of deep stacks have no other */
    size_t first_capacity;
    uint32_t *slots; /* a hash table of all others, in lines: index of a call; 0: free */
    uint8_t *tags;   /* by slot: a byte of the child's hash */
    size_t lines, used;
};

/* The tree has its root and no other call, and will have up to about so many. */
void vbt_call_children_begin(struct vbt_call_children *children, const struct vbt_call_tree *tree, size_t expected);
void vbt_call_children_free(struct vbt_call_children *children);

/* Where the child of a call at this place is written down; 0 if it does not exist. The caller
 * writes it there when it has made it, and before it asks for another. */
uint32_t *vbt_call_children_find(struct vbt_call_children *children, uint32_t parent, uint32_t place);

/* Makes room for the children of the newest call of the tree. */
void vbt_call_children_add(struct vbt_call_children *children);

/* The child at a place of call->parent, made like `call` but without counts if it does not exist.
 * tree: that of the children. */
uint32_t vbt_call_children_put(struct vbt_call_children *children, struct vbt_call_tree *tree, struct vbt_call call);

#endif
