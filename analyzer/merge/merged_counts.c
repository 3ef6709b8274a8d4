/* Adds what a trace counted to the sum of traces. See merging.h.
 *
 * A forked process inherited its parent's blocks: what of them may still be live is the parent's,
 * and is taken off the child's live memory, and off what it had at its peak, so that nothing is
 * counted twice. Mapped memory is left as it is: each process has its own addresses. */
#include "merging.h"

#include "analyzer/base/allocate.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* How much of what is live may be inherited. */
static uint64_t inherited_of(int64_t live, uint64_t inherited) { return live > 0 ? smaller((uint64_t)live, inherited) : 0; }

/* Of what is taken off, how much may be the process's own: as much is live as it requested at
 * most, and what is left is its own. */
static uint64_t undecided_of(int64_t live, uint64_t taken, uint64_t requested) {
    if (live <= 0 || taken == 0)
        return 0;
    uint64_t own = (uint64_t)live - taken, most = smaller((uint64_t)live, requested);
    return most > own ? most - own : 0;
}

static void take_inherited(struct vbt_model_counters *c, unsigned domain, struct vbt_model_taken *taken) {
    if (domain == VBT_DOMAIN_MAP || (c->inherited_blocks == 0 && c->inherited_bytes == 0))
        return;
    uint64_t blocks = inherited_of(c->live_blocks, c->inherited_blocks), bytes = inherited_of(c->live_bytes, c->inherited_bytes);
    uint64_t peak = inherited_of(c->at_peak_bytes, c->inherited_bytes);
    taken->undecided_blocks += undecided_of(c->live_blocks, blocks, c->allocs);
    taken->undecided_bytes += undecided_of(c->live_bytes, bytes, c->allocated);
    c->live_blocks -= (int64_t)blocks;
    c->live_bytes -= (int64_t)bytes;
    c->at_peak_bytes -= (int64_t)peak;
    c->inherited_blocks -= blocks;
    c->inherited_bytes -= bytes;
    c->start_blocks = (int64_t)((uint64_t)c->start_blocks - blocks);
    c->start_bytes = (int64_t)((uint64_t)c->start_bytes - bytes);
    taken->blocks[domain] += blocks;
    taken->bytes[domain] += bytes;
    taken->peak += peak;
}

/* Allocations by bucket of a row, whose histogram may be implied. */
static void get_sizes(const struct vbt_model_counters *c, uint64_t sizes[VBT_SIZE_BUCKETS]) {
    uint32_t count = c->sizes != NULL ? c->sizes->count : 0;
    if (count == 0 && c->allocs > 0)
        sizes[vbt_size_bucket(c->smallest)] += c->allocs;
    for (uint32_t i = 0; i < count; i++)
        sizes[c->sizes->rows[i].bucket] += c->sizes->rows[i].allocs;
}

static void put_sizes(struct vbt_model *sum, uint32_t node, const uint64_t sizes[VBT_SIZE_BUCKETS]) {
    uint32_t count = 0;
    for (int i = 0; i < VBT_SIZE_BUCKETS; i++)
        count += sizes[i] > 0;
    struct vbt_model_bucket *rows = vbt_counters_put_sizes(sum, node, count > 1 ? count : 0);
    for (uint32_t i = 0; i < VBT_SIZE_BUCKETS && rows != NULL && count > 1; i++)
        if (sizes[i] > 0)
            *rows++ = (struct vbt_model_bucket){i, sizes[i]};
}

static bool is_in_one_bucket(const struct vbt_model_counters *c) { return c->sizes == NULL || c->sizes->count == 0; }

/* Does what is in one bucket remain in one? Then it needs no histogram. */
static bool is_alike(const struct vbt_model_counters *a, const struct vbt_model_counters *b) {
    bool both = a->allocs > 0 && b->allocs > 0;
    return is_in_one_bucket(a) && is_in_one_bucket(b) && (!both || vbt_size_bucket(a->smallest) == vbt_size_bucket(b->smallest));
}

static void add_to_node(struct vbt_model *sum, uint32_t node, const struct vbt_model_counters *c) {
    struct vbt_model_counters total = {0};
    if (sum->nodes[node].counters != 0)
        total = vbt_counters_of(sum, node);
    if (!sum->with_sizes || is_alike(&total, c)) {
        vbt_counters_add(&total, c);
        vbt_counters_put(sum, node, &total);
        return;
    }
    uint64_t sizes[VBT_SIZE_BUCKETS] = {0};
    get_sizes(&total, sizes);
    get_sizes(c, sizes);
    vbt_counters_add(&total, c);
    vbt_counters_put(sum, node, &total);
    put_sizes(sum, node, sizes);
}

/* Adds a node of a merged trace, of which only some processes may be wanted. */
static void add_shares(struct vbt_merging *g, const struct vbt_translation *t, uint32_t node, const bool *keep,
                       struct vbt_process_share *shares) {
    size_t count = vbt_process_shares(t->from, node, shares);
    struct vbt_model_counters kept = {0};
    for (size_t i = 0; i < count; i++) {
        if (keep != NULL && !keep[shares[i].process])
            continue;
        vbt_counters_add(&kept, &shares[i].counts);
        if (g->by_process)
            vbt_process_shares_add(&g->sum, t->nodes[node], t->processes[shares[i].process], &shares[i].counts);
    }
    if (keep != NULL)
        add_to_node(&g->sum, t->nodes[node], &kept);
}

void vbt_merging_add_counts(struct vbt_merging *g, const struct vbt_translation *t, const bool *keep,
                            const struct vbt_moment *moment) {
    const struct vbt_model *from = t->from;
    bool is_merged = from->process_rows > 0;
    struct vbt_model_taken taken = {0};
    struct vbt_process_share *shares = is_merged ? vbt_new(from->process_rows, sizeof *shares) : NULL;
    for (uint32_t node = 1; node <= from->node_count; node++) {
        if (from->nodes[node].counters == 0)
            continue;
        if (is_merged && (g->by_process || keep != NULL))
            add_shares(g, t, node, keep, shares);
        if (keep != NULL)
            continue;
        struct vbt_model_counters c = vbt_counters_of(from, node);
        if (moment != NULL)
            c.at_peak_bytes = vbt_moment_live(moment, node, c.at_peak_bytes);
        if (!is_merged) {
            take_inherited(&c, from->nodes[node].domain, &taken);
            if (g->by_process)
                vbt_process_shares_add(&g->sum, t->nodes[node], t->processes[0], &c);
        }
        add_to_node(&g->sum, t->nodes[node], &c);
    }
    free(shares);
    if (!is_merged)
        g->sum.processes[t->processes[0]].taken = taken;
    vbt_counters_tidy(&g->sum);
}
