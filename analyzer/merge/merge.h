/* Several traces as one: what has the same content in them is the same in the sum, by functions,
 * files and lines, or by a library's build id and the address in it, not by the ids and addresses
 * of each process. One trace is in memory at a time, beside the sum.
 *
 * The sum does not depend on the order in which the traces are added, and the sum of sums is that
 * of the parts. What a forked process inherited is its parent's: it is in none of the sums. */
#ifndef VBT_MERGE_H
#define VBT_MERGE_H

#include "analyzer/trace/model.h"

struct vbt_merging;

/* with_sizes: as the traces were loaded. by_process: what each process counted at a call path is
 * known, too; see trace/process_shares.h. */
struct vbt_merging *vbt_merge_begin(bool with_sizes, bool by_process);

/* From now on, what nodes have at the peak is what they had at a moment, ns since `started`. */
void vbt_merge_choose_moment(struct vbt_merging *merging, int64_t started, uint64_t time);

/* Adds a loaded trace, or another sum, and takes what it needs of it: the caller still frees the
 * model. keep: by process of a sum, whether it is wanted; NULL: all are. */
void vbt_merge_add(struct vbt_merging *merging, struct vbt_model *from, const bool *keep);

/* Ends the merging: moves the sum to *model. Returns NULL, or what is wrong as a sentence, for the
 * caller to free; the model must be freed in both cases. */
char *vbt_merge_end(struct vbt_merging *merging, struct vbt_model *model);

#endif
