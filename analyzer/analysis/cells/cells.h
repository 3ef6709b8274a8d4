/* What was counted at each call of a trace, in a form that can be summed for any part of the run
 * and by anything: call, domain, line, thread. For the page, where the reader chooses.
 *
 * A cell is what was counted at one call itself in one domain. What inherited memory may be live is
 * known by call path, so that each path with some has a cell of its own. */
#ifndef VBT_CELLS_H
#define VBT_CELLS_H

#include "analyzer/analysis/calls/call_tree.h"

struct vbt_cell {
    uint32_t call;
    unsigned domain;
    uint32_t leaf;                     /* levels up to the call that is the leaf line, see attribute.h */
    uint32_t user;                     /* 1 + levels up to the call that is the user line; 0: VBT_OUTSIDE */
    int64_t start_blocks, start_bytes; /* live at step 0 */
    uint64_t inherited_blocks, inherited_bytes;
    int64_t at_peak_bytes;
    uint32_t owner; /* 1 + the thread or process that did all of it; 0: see the shares */
};

/* What a thread, or a process of several, did of a cell. */
struct vbt_cell_share {
    uint32_t cell, whose; /* thread, 0: unknown; or index of the process */
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t live_blocks, live_bytes, at_peak_bytes;
};

struct vbt_cells {
    struct vbt_call_tree tree; /* without counts */
    struct vbt_cell *rows;
    size_t count, capacity;
    struct vbt_change *changes; /* in order of step, then cell, each once; `node` is the cell */
    size_t change_count;
    struct vbt_cell_share *shares; /* of cells without an owner, in order of cell and whose */
    size_t share_count, share_capacity;
    bool owned; /* there are several threads or processes, and who did what is known */
};

/* Of a trace that was loaded for a query of everything, and attributed. */
void vbt_cells_build(struct vbt_cells *cells, struct vbt_trace *trace);
void vbt_cells_free(struct vbt_cells *cells);

#endif
