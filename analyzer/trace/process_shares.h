/* Which process of a merged trace counted what at a node. */
#ifndef VBT_PROCESS_SHARES_H
#define VBT_PROCESS_SHARES_H

#include "counters.h"

struct vbt_process_share {
    uint32_t process;                 /* index into the model's processes */
    struct vbt_model_counters counts; /* all but sizes, time and resident set */
};

/* The shares of a node, in order of process, which add up to its counters: at most one for each
 * process. Returns how many there are. */
size_t vbt_process_shares(const struct vbt_model *model, uint32_t node, struct vbt_process_share *shares);

/* Adds a share; those of one process at one node become one. */
void vbt_process_shares_add(struct vbt_model *model, uint32_t node, uint32_t process, const struct vbt_model_counters *counts);

/* After the last share was added: puts them in order. Before that, vbt_process_shares finds
 * none. */
void vbt_process_shares_order(struct vbt_model *model);

void vbt_process_shares_free(struct vbt_model *model);

#endif
