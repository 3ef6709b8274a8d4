/* The helper's ticks, in terms of vbt_epoch: which changes of counters a snapshot can rely on
 * having seen.
 *
 * A thread reads vbt_epoch, marks counters with it, and changes them. If it loses the processor in
 * between, any number of ticks can pass, and the mark is then older than the change. So a thread
 * that was in the ledger at a tick is remembered until it is known to have gone on. */
#ifndef VBT_EPOCHS_H
#define VBT_EPOCHS_H

#include <stdint.h>

struct vbt_epochs {
    uint64_t last, before; /* vbt_epoch after the last tick, and after the one before */
    uint64_t settled;      /* later changes are marked with this epoch, or a younger one */
};

/* A tick: raises vbt_epoch, before any counters are read. By the helper. */
void vbt_epochs_tick(struct vbt_epochs *epochs);

#endif
