/* The call tree as views show it: nodes of a trace with the same frames above them are one call,
 * and every call knows what was counted at it and below it. Used by tree, functions, peak, leaks,
 * temporary, flamegraph and the exports of stacks. */
#ifndef VBT_CALL_TREE_H
#define VBT_CALL_TREE_H

#include "analyzer/analysis/query.h"
#include "analyzer/analysis/trace.h"

struct vbt_call {
    const struct vbt_source_place *place; /* NULL for the root, calls[0] */
    uint32_t parent;                      /* smaller than its own index */
    uint32_t depth;                       /* 0 for the root */
    uint32_t child_at, child_count;       /* set by vbt_call_tree_sort: a part of tree->children */
    bool inlined;                         /* into its parent */
    bool group;                           /* not a frame, but a group of --by */
    int64_t self[VBT_MEASURES];           /* counted at this call itself */
    int64_t cumulative[VBT_MEASURES];     /* and at all below it */
};

struct vbt_call_tree {
    struct vbt_call *calls;
    size_t count, capacity;
    uint32_t *children;
    struct vbt_source_place **named; /* places that are not call sites: groups, modules */
    size_t named_count, named_capacity;
};

/* What one call of the tree stands for. Function: calls from all lines of a function are one.
 * Module: the library or Python package. Nothing: there are only groups. */
enum vbt_call_unit { VBT_CALL_LINE, VBT_CALL_FUNCTION, VBT_CALL_MODULE, VBT_CALL_NOTHING };

struct vbt_call_tree_shape {
    enum vbt_call_unit unit;
    enum vbt_group by; /* the groups on the first level; VBT_BY_NOTHING: none */
    bool python_owns;  /* what native code allocates below a Python line is counted at the line */
};

/* The shape that a query asks for: a call per line or per function, below its groups. */
struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query);

/* Merges the nodes that count (trace->counts). The places live as long as the trace. Takes time in
 * proportion to the number of nodes. */
void vbt_call_tree_build(struct vbt_call_tree *tree, const struct vbt_trace *trace, const struct vbt_call_tree_shape *shape);

/* Live memory that may be the process's own or inherited: of a call path where both were live, it
 * is unknown which were freed. The measure LEAKS leaves it out. */
struct vbt_undecided {
    int64_t blocks, bytes;
};

struct vbt_undecided vbt_call_tree_undecided(const struct vbt_trace *trace);

/* Raises negative sums of the measure to 0, so that every call has a width. Damaged traces, and
 * those of forked processes, can hold negative sums. */
void vbt_call_tree_clamp(struct vbt_call_tree *tree, enum vbt_measure measure);

/* Turns it into a tree of the same stacks read from the innermost frame outwards; groups stay on
 * the first level. A call with less than `least` of the measure gets no children. */
void vbt_call_tree_reverse(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

/* Gives every call its children: those with at least `least` of the measure, largest first. */
void vbt_call_tree_sort(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

void vbt_call_tree_free(struct vbt_call_tree *tree);

#endif
