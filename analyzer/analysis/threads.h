/* Which thread did what. */
#ifndef VBT_THREADS_H
#define VBT_THREADS_H

#include "analyzer/trace/counters.h"

/* What one thread did at a node; thread 0: what is not known by thread.
 *
 * What is live belongs to the thread that allocated it, as far as that is known. A trace knows how
 * much each thread allocated at a node, and how much of the node's memory, whoever allocated it,
 * each thread freed. If a single thread allocated, all that is live belongs to it. If several did
 * and none freed more than it allocated, each is assumed to have freed its own. Otherwise what is
 * live is counted for thread 0. Of a part of a run, call paths are known by thread where one did
 * everything in the whole run; the others are counted for thread 0. */
struct vbt_thread_share {
    uint32_t thread;
    struct vbt_model_counters counts; /* all but sizes, time and resident set */
};

/* The shares of a node, one for each thread that did anything there; they add up to its counters.
 * `shares` has room for vbt_thread_shares_most. Returns how many there are, 0 for a node without
 * counters. */
size_t vbt_thread_shares(const struct vbt_model *model, uint32_t node, struct vbt_thread_share *shares);
size_t vbt_thread_shares_most(const struct vbt_model *model);

/* "worker (thread 2)", "[37 later threads]", for the caller to free. */
char *vbt_thread_label(const struct vbt_model *model, uint32_t thread);

/* Do the nodes' shares add up to the threads' totals, and these to the process's? NULL if so, else
 * the first difference as a sentence, for the caller to free. Only for traces that were written to
 * their end. */
char *vbt_thread_difference(const struct vbt_model *model);

#endif
