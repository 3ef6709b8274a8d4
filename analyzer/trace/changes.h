/* The history of a run by call path: what changed at each node from one moment to the next, for
 * views that show more than one part of the run.
 *
 * It is collected while a trace is loaded, as differences between a node's rows: over all steps
 * they add up to what the node has counted, whatever numbers the trace holds. */
#ifndef VBT_CHANGES_H
#define VBT_CHANGES_H

#include "counters.h"

/* The moments, of which there are at least two: step 0 is the beginning, the last one the end.
 * Step k is the state that is the newest at its time, or all before it if there is none. */
struct vbt_steps {
    uint64_t *ns; /* ascending, from when the first process began */
    size_t count;
};

/* What happened at a node after the step before this one, and until it. Differences are taken
 * modulo 2^64. */
struct vbt_change {
    uint32_t node, step; /* step: from 1 */
    uint64_t allocs, frees, allocated, freed, temporary;
    uint64_t kept_blocks, kept_bytes; /* frees of inherited blocks */
};

/* Adds the numbers of another change; node and step stay. */
void vbt_change_add(struct vbt_change *to, const struct vbt_change *more);

struct vbt_changes {
    const struct vbt_steps *steps;
    uint64_t offset;         /* when the process began */
    struct vbt_change *rows; /* in order of step, each node once a step; of a merged trace in no order, and more often */
    size_t count, capacity;
    size_t open;      /* rows from here on are newer than the newest state */
    uint32_t *latest; /* by node: its newest row before these, plus 1 */
    size_t latest_count, latest_capacity;
};

/* For a model that is about to be loaded; steps must live as long. Freed with the model. */
struct vbt_changes *vbt_changes_new(const struct vbt_steps *steps, uint64_t offset);
void vbt_changes_free(struct vbt_changes *changes);

/* A node's row is about to be replaced. */
void vbt_changes_note(struct vbt_model *model, uint32_t node, const struct vbt_model_counters *row);

/* A state was read: what was noted since the one before happened until its time. After the last
 * chunk, with the time of the last state, once more. */
void vbt_changes_settle(struct vbt_changes *changes, uint64_t time);

/* The part of the run that is loaded begins here. */
void vbt_changes_clear(struct vbt_changes *changes);

/* Adds the changes of a trace to those of a sum. nodes: from its nodes to those of the sum. */
void vbt_changes_add(struct vbt_model *sum, const struct vbt_model *from, const uint32_t *nodes);

/* Makes a history of what a model counted in all, that happened in a single step, the last. */
void vbt_changes_of_whole(struct vbt_model *model, const struct vbt_steps *steps);

#endif
