/* See epochs.h. */
#include "epochs.h"

#include "thread.h"
#include "thread_rows.h"
#include "preload/ledger/ledger.h"

/* How much a thread has booked. If this number has changed, the event that it was in is over. (If
 * it has not, that event may be over, too.) */
static uint64_t booked(const struct vbt_ledger *ledger) {
    uint64_t sum = ledger->mapped.allocs + ledger->mapped.freed;
    for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++)
        sum += ledger->totals[domain].allocs + ledger->totals[domain].frees;
    return sum;
}

/* A thread in the ledger was not, or was in another event, at the tick before; but it may have
 * entered so shortly before that tick that this was not seen: its mark is as old as the tick before
 * that one. */
static void look(struct vbt_thread *thread, uint64_t earlier) {
    struct vbt_unsettled *seen = &thread->unsettled;
    bool is_busy = atomic_load(&thread->standing) == VBT_IN_LEDGER;
    uint64_t now = booked(&thread->ledger);
    if (seen->epoch != 0 && (!is_busy || now != seen->booked || vbt_thread_is_gone(thread->tid)))
        seen->epoch = 0;
    if (is_busy && seen->epoch == 0)
        *seen = (struct vbt_unsettled){earlier > 0 ? earlier : 1, now};
}

void vbt_epochs_tick(struct vbt_epochs *epochs) {
    uint64_t earlier = epochs->before;
    epochs->before = epochs->settled = epochs->last;
    epochs->last = atomic_fetch_add(&vbt_epoch, 1) + 1;
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        look(thread, earlier);
        if (thread->unsettled.epoch != 0 && thread->unsettled.epoch < epochs->settled)
            epochs->settled = thread->unsettled.epoch;
    }
}
