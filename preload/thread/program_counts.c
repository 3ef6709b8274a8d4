/* See program_counts.h. */
#include "program_counts.h"

#include "preload/ledger/ledger.h"
#include "preload/ledger/own.h"
#include "preload/tree/tree.h"

/* Takes what line mode makes the interpreter allocate, which is none of vbtrace's own code, out of
 * the counts. */
static void take_out_lines(struct vbt_program_counts *out, const struct vbt_thread *thread) {
    uint32_t account = vbt_tree.line_node != 0 ? vbt_account_if_made(vbt_tree.line_node) : 0;
    struct vbt_inherited part = {0};
    struct vbt_counted counted;
    if (account == 0 || !vbt_counted_read(&thread->ledger, account, &part, &counted))
        return;
    out->allocs -= counted.counters->allocs;
    out->frees -= counted.counters->frees;
    out->allocated -= counted.counters->allocated;
    out->freed -= counted.counters->freed;
    out->live -= (int64_t)(counted.counters->allocated - counted.counters->freed);
}

void vbt_program_counts_read(const struct vbt_thread *only, struct vbt_program_counts *out) {
    *out = (struct vbt_program_counts){0};
    int64_t live = 0, own = 0;
    for (const struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        const struct vbt_ledger *ledger = &thread->ledger;
        if (only != NULL && only != thread)
            continue;
        for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++) {
            out->allocs += ledger->totals[domain].allocs;
            out->frees += ledger->totals[domain].frees;
            out->allocated += ledger->totals[domain].allocated;
            out->freed += ledger->totals[domain].freed;
        }
        out->allocs -= ledger->own_totals.allocs;
        out->frees -= ledger->own_totals.frees;
        out->allocated -= ledger->own_totals.allocated;
        out->freed -= ledger->own_totals.freed;
        live += ledger->live;
        own += ledger->own;
    }
    out->live = live - own;
    if (only == NULL && atomic_load(&vbt_peak.threads) == 1)
        vbt_own_peak(out->live);
    out->peak = atomic_load(&vbt_peak.program);
    out->peak_lately = atomic_load(&vbt_peak.lately);
    if (out->peak < out->live)
        out->peak = out->live; /* which the others have not published yet */
    if (out->peak_lately < out->live)
        out->peak_lately = out->live;
    for (const struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
        if (only == NULL || only == thread)
            take_out_lines(out, thread);
}

void vbt_program_counts_restart_peak(struct vbt_ledger *ledger) {
    struct vbt_program_counts now;
    vbt_program_counts_read(NULL, &now);
    atomic_store(&vbt_peak.lately, now.live);
    vbt_ledger_forget_crest(ledger);
}

/* Adds what a thread counted at a node. */
static void disown(struct vbt_ledger *ledger, const struct vbt_thread *thread, uint32_t account) {
    struct vbt_inherited part = {0};
    struct vbt_counted counted;
    if (!vbt_counted_read(&thread->ledger, account, &part, &counted))
        return;
    const struct vbt_counters *counters = counted.counters;
    int64_t live = (int64_t)(counters->allocated - counters->freed);
    ledger->own_totals.allocs += counters->allocs;
    ledger->own_totals.frees += counters->frees;
    ledger->own_totals.allocated += counters->allocated;
    ledger->own_totals.freed += counters->freed;
    ledger->own += live;
    atomic_fetch_add(&vbt_peak.own, live);
}

void vbt_program_counts_disown(struct vbt_ledger *ledger) {
    for (uint32_t slip = 1; slip < vbt_slip_nodes.count; slip++) {
        uint32_t node = vbt_slip_node(slip), account = atomic_load(&vbt_node_at(node)->account);
        if (account == 0 || vbt_account_slip(account) != slip || (vbt_node_at(node)->flags & VBT_SITE_OWN) == 0 ||
            node == vbt_tree.own_node)
            continue;
        for (const struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
            disown(ledger, thread, account);
    }
    vbt_ledger_forget_crest(ledger);
    atomic_fetch_add(&vbt_epoch, 1); /* so that each of them is found to be vbtrace's own at its next change */
}
