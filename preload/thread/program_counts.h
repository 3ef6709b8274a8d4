/* What the program itself allocated and freed, for the functions of vbtrace.h. */
#ifndef VBT_PROGRAM_COUNTS_H
#define VBT_PROGRAM_COUNTS_H

#include "thread.h"

/* What the program allocated and freed in the heap and Python's memory, without what vbtrace's own
 * code and line mode made it allocate. */
struct vbt_program_counts {
    uint64_t allocs, frees, allocated, freed;
    int64_t live, peak;  /* what was inherited included */
    int64_t peak_lately; /* since vbt_program_counts_restart_peak */
};

/* only: of this thread, whose peak means nothing; NULL: of all. Exact for the calling thread, and
 * for those at rest. Of others, the event in progress may be missing. */
void vbt_program_counts_read(const struct vbt_thread *only, struct vbt_program_counts *out);

/* Counts a second peak from now on. ledger: the calling thread's. */
void vbt_program_counts_restart_peak(struct vbt_ledger *ledger);

/* Nodes have become vbtrace's own, at which something was counted already: from now on that is none
 * of the program's. Call it once, from the thread whose ledger takes it over. */
void vbt_program_counts_disown(struct vbt_ledger *ledger);

#endif
