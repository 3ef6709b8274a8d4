/* See threads.h. */
#include "threads.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

size_t vbt_thread_shares_most(const struct vbt_model *m) { return m->thread_count + 2; }

static int64_t minus(int64_t a, uint64_t b) { return (int64_t)((uint64_t)a - b); }

/* Subtracts a part from what is left of a node, and returns the part. */
static struct vbt_model_counters take(struct vbt_model_counters *left, const struct vbt_model_node_part *part) {
    const struct vbt_model_counters taken = {
        .allocs = part->allocs,
        .allocated = part->allocated,
        .temporary = part->temporary,
        .live_blocks = (int64_t)(part->allocs - part->frees),
        .live_bytes = (int64_t)(part->allocated - part->freed),
        .at_peak_bytes = part->at_peak_bytes,
    };
    left->allocs -= taken.allocs;
    left->allocated -= taken.allocated;
    left->temporary -= taken.temporary;
    left->live_blocks = minus(left->live_blocks, (uint64_t)taken.live_blocks);
    left->live_bytes = minus(left->live_bytes, (uint64_t)taken.live_bytes);
    left->at_peak_bytes = minus(left->at_peak_bytes, (uint64_t)taken.at_peak_bytes);
    return taken;
}

/* 1 if the process had one thread and the trace shows it, else 0. */
static uint32_t only_thread(const struct vbt_model *m) {
    return m->thread_count == 0 && m->has_state && m->state[VBT_STATE_THREADS] <= 1 ? 1 : 0;
}

/* The only thread that ever did anything at a node with these parts; 0: there were several, or what
 * came after the parts were written is not known by thread. */
static uint32_t thread_of_all(const struct vbt_model *m, const struct vbt_model_node_parts *parts, uint64_t time) {
    return parts->count == 1 && time <= parts->time ? m->parts[parts->first].thread : 0;
}

/* The shares as they were counted. A free counts for the thread that freed, so that what is live
 * can be negative. */
static size_t counted_shares(const struct vbt_model *m, uint32_t node, struct vbt_thread_share *shares) {
    if (m->nodes[node].counters == 0)
        return 0;
    struct vbt_model_counters left = vbt_counters_of(m, node);
    const struct vbt_model_node_parts *parts = node < m->node_parts_count ? &m->node_parts[node] : NULL;
    size_t count = 1; /* shares[0] is what the parts leave */
    if (parts == NULL || parts->count == 0) {
        shares[0].thread = only_thread(m);
    } else if (m->window.is_part) { /* parts are those of the whole run */
        shares[0].thread = thread_of_all(m, parts, left.time);
    } else {
        for (uint32_t i = 1; i < parts->count; i++) {
            const struct vbt_model_node_part *part = &m->parts[parts->first + i];
            shares[count++] = (struct vbt_thread_share){.thread = part->thread, .counts = take(&left, part)};
        }
        /* Changes after the parts were written are not known by thread. */
        shares[0].thread = left.time <= parts->time ? m->parts[parts->first].thread : 0;
    }
    shares[0].counts = left;
    return count;
}

static bool allocated_here(const struct vbt_model_counters *c) { return c->allocs > 0 || c->inherited_blocks > 0; }

/* The share that owns what is live: that of the only thread that allocated. NULL: each owns its
 * part. If that cannot be right, the share of thread 0, which is added if there is none. peak: for
 * what was live at the peak. */
static struct vbt_thread_share *owner_of_live(struct vbt_thread_share *shares, size_t *count, bool peak) {
    struct vbt_thread_share *owner = NULL, *unknown = NULL;
    bool several = false, impossible = false;
    for (struct vbt_thread_share *share = shares; share < shares + *count; share++) {
        const struct vbt_model_counters *c = &share->counts;
        several |= owner != NULL && allocated_here(c);
        owner = allocated_here(c) ? share : owner;
        unknown = share->thread == 0 ? share : unknown;
        impossible |= peak ? c->at_peak_bytes < 0 : c->live_blocks < 0 || c->live_bytes < 0;
    }
    if (owner != NULL && !several)
        return owner;
    if (!impossible)
        return NULL;
    if (unknown == NULL)
        *(unknown = &shares[(*count)++]) = (struct vbt_thread_share){0};
    return unknown;
}

size_t vbt_thread_shares(const struct vbt_model *m, uint32_t node, struct vbt_thread_share *shares) {
    size_t count = counted_shares(m, node, shares);
    if (count <= 1)
        return count;
    const struct vbt_model_counters all = vbt_counters_of(m, node);
    struct vbt_thread_share *live = owner_of_live(shares, &count, false), *at_peak = owner_of_live(shares, &count, true);
    for (struct vbt_thread_share *share = shares; share < shares + count; share++) {
        if (live != NULL) {
            share->counts.live_blocks = share == live ? all.live_blocks : 0;
            share->counts.live_bytes = share == live ? all.live_bytes : 0;
        }
        if (at_peak != NULL)
            share->counts.at_peak_bytes = share == at_peak ? all.at_peak_bytes : 0;
    }
    return count;
}

/* Is it the main thread? Its tid is the process id. */
static bool is_main(const struct vbt_model *m, const struct vbt_model_thread *thread) {
    return thread->tid != 0 && thread->tid == vbt_model_process_number(m, "pid");
}

char *vbt_thread_label(const struct vbt_model *m, uint32_t thread) {
    if (thread == 0)
        return vbt_text("[unknown thread]");
    if (thread > m->thread_count)
        return vbt_text("main (thread %" PRIu32 ")", thread);
    const struct vbt_model_thread *row = &m->threads[thread];
    if (row->threads > 1)
        return vbt_text("[%" PRIu64 " later threads]", row->threads);
    if (is_main(m, row) || row->name[0] == '\0')
        return vbt_text(is_main(m, row) ? "main (thread %" PRIu32 ")" : "thread %" PRIu32, thread);
    return vbt_text("%s (thread %" PRIu32 ")", row->name, thread);
}

enum { SUMS = 5 };

static void add_share(uint64_t sums[SUMS], const struct vbt_model_counters *c) {
    const uint64_t counts[SUMS] = {c->allocs, vbt_model_frees(c), c->allocated, vbt_model_freed(c), c->temporary};
    for (int i = 0; i < SUMS; i++)
        sums[i] += counts[i];
}

static void get_totals(uint64_t totals[SUMS], const struct vbt_model_thread *thread, int domain) {
    totals[0] = thread->totals[domain].allocs;
    totals[1] = thread->totals[domain].frees;
    totals[2] = thread->totals[domain].allocated;
    totals[3] = thread->totals[domain].freed;
    totals[4] = thread->totals[domain].temporary;
}

/* Compares the threads' totals with those of the process. */
static char *totals_difference(const struct vbt_model *m, int domain, const char *const names[SUMS]) {
    uint64_t sums[SUMS] = {0}, totals[SUMS];
    for (size_t thread = 1; thread <= m->thread_count; thread++) {
        get_totals(totals, &m->threads[thread], domain);
        for (int i = 0; i < SUMS; i++)
            sums[i] += totals[i];
    }
    for (int i = 0; i < SUMS; i++) {
        uint64_t of_process = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, (enum vbt_domain_field)i);
        if (sums[i] != of_process)
            return vbt_text("%s: %" PRIu64 " over all threads, %" PRIu64 " in the totals", names[i], sums[i], of_process);
    }
    return NULL;
}

char *vbt_thread_difference(const struct vbt_model *m) {
    static const char *const names[SUMS] = {"allocations", "frees", "bytes allocated", "bytes freed", "temporary allocations"};
    if (m->thread_count == 0)
        return NULL;
    uint64_t(*sums)[VBT_DOMAINS][SUMS] = vbt_new(m->thread_count + 1, sizeof *sums);
    struct vbt_thread_share *shares = vbt_new(vbt_thread_shares_most(m), sizeof *shares);
    for (uint32_t node = 1; node <= m->node_count; node++)
        for (size_t i = counted_shares(m, node, shares); i > 0; i--)
            add_share(sums[shares[i - 1].thread][m->nodes[node].domain], &shares[i - 1].counts);
    char *difference = NULL;
    for (int domain = 0; domain < VBT_DOMAINS && difference == NULL; domain++) {
        difference = totals_difference(m, domain, names);
        for (uint32_t thread = 0; thread <= m->thread_count && difference == NULL; thread++) {
            uint64_t totals[SUMS] = {0};
            if (thread > 0)
                get_totals(totals, &m->threads[thread], domain);
            for (int i = 0; i < SUMS && difference == NULL; i++)
                if (sums[thread][domain][i] != totals[i])
                    difference = vbt_text("%s of thread %" PRIu32 ": %" PRIu64 " over all call paths, %" PRIu64 " in its totals",
                                          names[i], thread, sums[thread][domain][i], totals[i]);
        }
    }
    free(sums);
    free(shares);
    return difference;
}
