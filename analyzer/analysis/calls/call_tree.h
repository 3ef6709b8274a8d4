/* The call tree as views show it: nodes of a trace with the same frames above them are one call,
 * and every call knows what was counted at it and below it. Used by tree, functions, peak, leaks,
 * temporary, flamegraph and the exports of stacks.
 *
 * A trace has millions of call paths: a call is 16 bytes, what was counted at it is packed, and
 * sums are made of the measures that a view reads, 8 bytes a call each. */
#ifndef VBT_CALL_TREE_H
#define VBT_CALL_TREE_H

#include "call_counts.h"
#include "analyzer/analysis/query.h"
#include "analyzer/analysis/trace.h"

struct vbt_call {
    uint32_t parent;      /* smaller than its own index */
    uint32_t place;       /* of tree->places; 0 for the root, calls[0] */
    uint32_t counts;      /* row of tree->counts; 0: nothing was counted at this call itself */
    uint32_t depth : 29;  /* 0 for the root */
    uint32_t inlined : 1; /* into its parent */
    uint32_t group : 1;   /* not a frame, but a group of --by */
    uint32_t whole : 1;   /* its counts are those of all stacks through it: its callers are omitted */
};

#define VBT_CALL_DEPTH ((UINT32_C(1) << 29) - 1)

struct vbt_call_tree {
    struct vbt_call *calls;
    size_t count, capacity;
    const struct vbt_source_place **places; /* each once, in the order of the calls; row 0: NULL */
    size_t place_count, place_capacity;
    struct vbt_packed_rows counts;
    size_t counted;                /* calls at which anything was counted */
    int64_t totals[VBT_MEASURES];  /* of the whole tree */
    int64_t *sums[VBT_MEASURES];   /* by call, see vbt_call_tree_sum */
    uint32_t *children, *child_at; /* set by vbt_call_tree_sort */
    struct vbt_call_choice {       /* the calls that it keeps: */
        const int64_t *sums;
        int64_t least;    /* those with more than this, */
        uint32_t before;  /* those with as much on the levels before this, */
        uint32_t last;    /* and on this level those up to this call; */
        uint32_t deepest; /* none on deeper levels */
    } choice;
    struct vbt_source_place **named; /* places that are not call sites: groups, modules */
    size_t named_count, named_capacity;
};

/* NULL for the root. */
static inline const struct vbt_source_place *vbt_call_place(const struct vbt_call_tree *tree, uint32_t call) {
    return tree->places[tree->calls[call].place];
}

/* What was counted at a call itself. */
static inline struct vbt_measures vbt_call_self(const struct vbt_call_tree *tree, uint32_t call) {
    return vbt_measures_of(&tree->counts, tree->calls[call].whole ? 0 : tree->calls[call].counts);
}

/* One measure of the same. */
static inline int64_t vbt_call_self_of(const struct vbt_call_tree *tree, uint32_t call, enum vbt_measure measure) {
    return vbt_measure_of(&tree->counts, tree->calls[call].whole ? 0 : tree->calls[call].counts, measure);
}

/* The children that vbt_call_tree_sort has kept. */
static inline uint32_t vbt_call_children(const struct vbt_call_tree *tree, uint32_t call) {
    return tree->child_at[call + 1] - tree->child_at[call];
}

static inline uint32_t vbt_call_child(const struct vbt_call_tree *tree, uint32_t call, uint32_t number) {
    return tree->children[tree->child_at[call] + number];
}

/* What one call of the tree stands for. Function: calls from all lines of a function are one.
 * Module: the library or Python package. Nothing: there are only groups. */
enum vbt_call_unit { VBT_CALL_LINE, VBT_CALL_FUNCTION, VBT_CALL_MODULE, VBT_CALL_NOTHING };

struct vbt_call_tree_shape {
    enum vbt_call_unit unit;
    enum vbt_group by; /* the groups on the first level; VBT_BY_NOTHING: none */
    bool python_owns;  /* what native code allocates below a Python line is counted at the line; needs the
                          trace's attribution */
};

/* The shape that a query asks for: a call per line or per function, below its groups. */
struct vbt_call_tree_shape vbt_call_tree_shape_of(const struct vbt_query *query);

/* Merges the nodes that count (trace->counts). The places live as long as the trace. Takes time in
 * proportion to the number of nodes.
 *
 * The tree takes the place of the nodes in memory: the trace has no call paths any more, as after
 * vbt_trace_forget_paths. */
void vbt_call_tree_build(struct vbt_call_tree *tree, struct vbt_trace *trace, const struct vbt_call_tree_shape *shape);

/* The same without groups. Returns for each node its call, 0 for nodes that do not count; the
 * caller frees it. */
uint32_t *vbt_call_tree_build_with_calls(struct vbt_call_tree *tree, struct vbt_trace *trace,
                                         const struct vbt_call_tree_shape *shape);

/* The calls of the nodes that count, one per line, without what was counted at them: the nodes stay
 * as they are. Returns for each node its call, 0 for nodes that do not count; the caller frees
 * it. */
uint32_t *vbt_call_tree_build_bare(struct vbt_call_tree *tree, struct vbt_trace *trace);

/* What was counted of a measure at each call and at all below it: tree->sums[measure], made when
 * first asked for. */
const int64_t *vbt_call_tree_sum(struct vbt_call_tree *tree, enum vbt_measure measure);

/* The same of all measures from `first` to before `end`: quicker than one after another. */
void vbt_call_tree_sum_some(struct vbt_call_tree *tree, enum vbt_measure first, enum vbt_measure end);

/* The same for all measures at once: for each call a row in tree->counts, which calls may share.
 * The caller frees the array. */
uint32_t *vbt_call_tree_sum_all(struct vbt_call_tree *tree);

/* Gives the memory of the sums of a measure back. */
void vbt_call_tree_forget(struct vbt_call_tree *tree, enum vbt_measure measure);

/* Live memory that may be the process's own or inherited: of a call path where both were live, it
 * is unknown which were freed. The measure LEAKS leaves it out. */
struct vbt_undecided {
    int64_t blocks, bytes;
    bool unknown; /* of several processes, it is not known by call path */
};

/* To be asked before a tree is built. */
struct vbt_undecided vbt_call_tree_undecided(const struct vbt_trace *trace);

/* Raises negative sums of the measure to 0, so that every call has a width. Damaged traces, and
 * those of forked processes, can hold negative sums. */
void vbt_call_tree_clamp(struct vbt_call_tree *tree, enum vbt_measure measure);

/* Gives every call its children: those with at least `least` of the measure, largest first. */
void vbt_call_tree_sort(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least);

/* The same for a limit on the number of calls, the root not counted, and on their depth: those with
 * the most of the measure are kept, and of calls that are alike the outermost. No sum may be
 * negative. Returns how many are kept. */
size_t vbt_call_tree_sort_largest(struct vbt_call_tree *tree, enum vbt_measure measure, int64_t least, size_t most,
                                  uint32_t deepest);

/* Has vbt_call_tree_sort_largest kept this call? */
bool vbt_call_is_kept(const struct vbt_call_tree *tree, uint32_t call);

void vbt_call_tree_free(struct vbt_call_tree *tree);

#endif
