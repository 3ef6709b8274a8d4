/* The call tree as the views show it: nodes of a trace that have the same frames above them are one call, and every call knows what
 * was counted at it and below it. Shared by tree, functions, peak, leaks, temporary and flamegraph. */
#ifndef VBT_CALL_TREE_H
#define VBT_CALL_TREE_H

#include "analyzer/analysis/query.h"
#include "analyzer/analysis/trace.h"

struct vbt_call {
    const struct vbt_source_place *place; /* NULL for the root, calls[0] */
    uint32_t parent;                      /* smaller than its own index */
    uint32_t depth;                       /* the root's is 0 */
    uint32_t child_at, child_count;       /* after vbt_call_tree_sort: a part of tree->children */
    bool inlined;                         /* into its parent */
    bool group;                           /* not a frame: what --by groups by */
    int64_t self[VBT_MEASURES];           /* counted at this very call */
    int64_t cumulative[VBT_MEASURES];     /* and at all below it */
};

struct vbt_call_tree {
    struct vbt_call *calls;
    size_t count, capacity;
    uint32_t *children;
    struct vbt_source_place **named; /* places that are no call site: groups, modules */
    size_t named_count, named_capacity;
};

/* What one call of the tree stands for. Function: calls of the same function are one, whatever line they came from. Module: the library
 * or Python package. Nothing: there are groups and no calls below them. */
enum vbt_call_unit { VBT_CALL_LINE, VBT_CALL_FUNCTION, VBT_CALL_MODULE, VBT_CALL_NOTHING };

struct vbt_call_tree_shape {
    enum vbt_call_unit unit;
    enum vbt_group by; /* VBT_BY_NOTHING, or what stands on the first level */
    bool python_owns;  /* what native code below a Python line allocates is the line's own */
};

/* The shape that a query asks for: a call per line or per function, below its groups. */
struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query);

/* Merges the nodes that count (trace->counts). The places live as long as the trace. Takes time in proportion to the nodes. */
void vbt_call_tree_build(struct vbt_call_tree *tree, const struct vbt_trace *trace, const struct vbt_call_tree_shape *shape);

/* Raises what sums to less than nothing of the measure to 0, so that all calls have a width: damaged
 * traces, and those of forked processes, can hold such sums. */
void vbt_call_tree_clamp(struct vbt_call_tree *tree, enum vbt_measure measure);

/* Makes it a tree of the same stacks read from the innermost frame outwards; groups stay on the first level. A call below which there
 * is less than `least` of the measure has no children. */
void vbt_call_tree_reverse(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

/* Gives every call its children: those with at least `least` of the measure, largest first. */
void vbt_call_tree_sort(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

void vbt_call_tree_free(struct vbt_call_tree *tree);

#endif
