/* What happened at each call from one moment of the run to the next. */
#ifndef VBT_CALL_HISTORY_H
#define VBT_CALL_HISTORY_H

#include "call_tree.h"

struct vbt_call_history {
    const struct vbt_steps *steps; /* of the trace */
    struct vbt_change *rows;       /* in order of step, then call (as `node`), each once; NULL: it is not known */
    size_t count;
    int64_t *start; /* by call: bytes that were live at step 0 */
};

/* Builds a call tree and its history, of a trace that was loaded for a query of history. In groups
 * there is no history. calls: stores for each node its call, for the caller to free; NULL: nobody
 * asks. */
void vbt_call_history_build(struct vbt_call_history *history, struct vbt_call_tree *tree, struct vbt_trace *trace,
                            const struct vbt_call_tree_shape *shape, uint32_t **calls);
void vbt_call_history_free(struct vbt_call_history *history);

/* How many more bytes are live after a change. */
static inline int64_t vbt_change_live(const struct vbt_change *change) {
    return (int64_t)(change->allocated - change->freed + change->kept_bytes);
}

#endif
