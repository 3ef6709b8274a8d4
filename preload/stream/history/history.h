/* The history of a run in its trace: the states of earlier moments, with what had changed before
 * each. From them, the tool tells what happened between any two.
 *
 * As long as the file is only appended to, all are there. When it is written again, those that are
 * kept are carried over from the old file; what was written for one that is not counts for the next
 * one that is, as far as nothing newer of the same node replaces it. So they thin out with age, and
 * take a bounded size. The newest of each node's rows is among what is carried over: it need not be
 * written again. */
#ifndef VBT_HISTORY_H
#define VBT_HISTORY_H

#include "history_plan.h"
#include "preload/stream/writer.h"

/* So many states may be in a file before it has to be written again. */
enum { VBT_HISTORY_STATES = 8192 };

/* A state was written to the file, or to the one that is going to replace it. */
void vbt_history_add(const struct vbt_history_mark *mark);

/* The file has as many states as it may. */
bool vbt_history_is_full(void);

/* The size at which a file is written again that had `size` bytes when it was written the last
 * time: when what is no history has doubled. */
uint64_t vbt_history_file_limit(uint64_t size);

/* What is carried over. */
struct vbt_history_order {
    const struct vbt_chunk_writer *from; /* the file */
    struct vbt_chunk_writer *to;         /* the one that is going to replace it, definitions written */
    uint32_t nodes, sites;               /* that are defined */
    uint32_t counted;                    /* of these, nodes at which anything was counted */
    int64_t now;                         /* ns since the start */
    bool at_end;                         /* the program waits */
};

/* The file is going to be written again. */
void vbt_history_begin(void);

/* Writes the history that is kept. True: the newest rows of all nodes are in it. If that fails,
 * what was written is taken back. */
bool vbt_history_carry(const struct vbt_history_order *order);

/* It has been written. replaced: it has taken the file's place; else the file is what it was. */
void vbt_history_end(bool replaced);

/* In the child of a fork: there is no file yet. */
void vbt_history_after_fork(void);

#endif
