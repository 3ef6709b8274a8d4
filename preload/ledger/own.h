/* vbtrace's own events in the traced program: what its Python code makes the interpreter allocate.
 * They are in all totals, and are counted here once more, so that the program's own can be told. */
#ifndef VBT_OWN_H
#define VBT_OWN_H

#include "counters.h"

/* An event at a node of vbtrace's own, after which the ledger's live bytes change by `change`.
 * ends: that of a block. */
void vbt_own_count(struct vbt_ledger *ledger, int64_t change, bool ends);

/* The program's live bytes, without vbtrace's, have been so many. Returns above which number it is
 * to be called again. */
int64_t vbt_own_peak(int64_t live);

/* A block of `size` bytes is charged to another node. */
void vbt_own_uncount(struct vbt_ledger *ledger, size_t size);

/* The end of a block of `size` bytes, which was counted, is taken back. */
void vbt_own_uncount_end(struct vbt_ledger *ledger, size_t size);

#endif
