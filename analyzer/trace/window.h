/* A part of a run: what happened between two states of its trace.
 *
 * A trace holds a state at several moments, each with what had changed since the one before. All
 * values are absolute, so that reading up to a state gives what was known then; and what is
 * subtracted from that is what was known at an earlier one. */
#ifndef VBT_WINDOW_H
#define VBT_WINDOW_H

#include "model.h"
#include "trace_file.h"

/* Which part: how many chunks of the trace there are up to the states at its ends, these
 * included. */
struct vbt_window {
    bool asked;                    /* false: for the whole run */
    uint64_t from;                 /* 0: from the start of the run */
    uint64_t to;                   /* UINT64_MAX: to the end of the trace; 0: to the start */
    uint64_t begun, ended;         /* times of the sections that it was named by, see model.h */
    const struct vbt_steps *steps; /* if not NULL, its history is loaded too, see changes.h; */
    uint64_t offset;               /* the process began then, in the time of the steps */
};

#define VBT_WHOLE_RUN ((struct vbt_window){.to = UINT64_MAX})

static inline bool vbt_window_is_whole(const struct vbt_window *window) { return window->from == 0 && window->to == UINT64_MAX; }

/* As vbt_decode, of a part of the run. Of intervals' call sites a trace knows the whole run only:
 * they are left out. */
char *vbt_window_decode(struct vbt_model *model, const struct vbt_chunk *chunk, const struct vbt_window *window);

/* After the last chunk. */
void vbt_window_finish(struct vbt_model *model, const struct vbt_window *window);

#endif
