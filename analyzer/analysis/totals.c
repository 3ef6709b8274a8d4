/* See totals.h. */
#include "totals.h"

#include "analyzer/trace/counters.h"

#include <string.h>

static void add(struct vbt_domain_totals *to, const struct vbt_domain_totals *d) {
    to->allocs += d->allocs;
    to->frees += d->frees;
    to->allocated += d->allocated;
    to->freed += d->freed;
    to->temporary += d->temporary;
    to->inherited_blocks += d->inherited_blocks;
    to->inherited_bytes += d->inherited_bytes;
    to->live_blocks = (int64_t)((uint64_t)to->live_blocks + (uint64_t)d->live_blocks);
    to->live_bytes = (int64_t)((uint64_t)to->live_bytes + (uint64_t)d->live_bytes);
    to->at_peak_bytes = (int64_t)((uint64_t)to->at_peak_bytes + (uint64_t)d->at_peak_bytes);
}

static struct vbt_domain_totals totals_of(const uint64_t values[VBT_FIELDS]) {
    return (struct vbt_domain_totals){
        .allocs = values[VBT_FIELD_ALLOCS],
        .frees = values[VBT_FIELD_FREES],
        .allocated = values[VBT_FIELD_ALLOCATED],
        .freed = values[VBT_FIELD_FREED],
        .temporary = values[VBT_FIELD_TEMPORARY],
        .inherited_blocks = values[VBT_FIELD_INHERITED_BLOCKS],
        .inherited_bytes = values[VBT_FIELD_INHERITED_BYTES],
        .live_blocks = (int64_t)(values[VBT_FIELD_INHERITED_BLOCKS] + values[VBT_FIELD_ALLOCS] - values[VBT_FIELD_FREES]),
        .live_bytes = (int64_t)(values[VBT_FIELD_INHERITED_BYTES] + values[VBT_FIELD_ALLOCATED] - values[VBT_FIELD_FREED]),
    };
}

void vbt_domain_sums(const struct vbt_model *m, uint64_t sums[VBT_DOMAINS][VBT_FIELDS]) {
    memset(sums, 0, sizeof(uint64_t[VBT_DOMAINS][VBT_FIELDS]));
    for (size_t i = 1; i <= m->node_count; i++) {
        if (m->nodes[i].counters == 0)
            continue;
        const struct vbt_model_counters c = vbt_counters_of(m, i);
        uint64_t *sum = sums[m->nodes[i].domain];
        sum[VBT_FIELD_ALLOCS] += c.allocs;
        sum[VBT_FIELD_FREES] += vbt_model_frees(&c);
        sum[VBT_FIELD_ALLOCATED] += c.allocated;
        sum[VBT_FIELD_FREED] += vbt_model_freed(&c);
        sum[VBT_FIELD_TEMPORARY] += c.temporary;
        sum[VBT_FIELD_INHERITED_BLOCKS] += c.inherited_blocks;
        sum[VBT_FIELD_INHERITED_BYTES] += c.inherited_bytes;
    }
}

/* What was live at the beginning of a part of the run, and not inherited. */
static void add_started(const struct vbt_model *m, struct vbt_domain_totals totals[VBT_DOMAINS]) {
    for (size_t i = 1; i <= m->node_count && m->window.is_part; i++) {
        if (m->nodes[i].counters == 0)
            continue;
        const struct vbt_model_counters c = vbt_counters_of(m, i);
        struct vbt_domain_totals *sum = &totals[m->nodes[i].domain];
        sum->live_blocks = (int64_t)((uint64_t)sum->live_blocks + (uint64_t)c.start_blocks - c.inherited_blocks);
        sum->live_bytes = (int64_t)((uint64_t)sum->live_bytes + (uint64_t)c.start_bytes - c.inherited_bytes);
    }
}

/* The totals of every domain, as the newest state has them. Without one, and of a part of the run,
 * as the call paths do: these are written slightly before or after a state. */
static void get_domains(const struct vbt_model *m, struct vbt_domain_totals totals[VBT_DOMAINS]) {
    uint64_t values[VBT_DOMAINS][VBT_FIELDS];
    bool by_path = !m->has_state || m->window.is_part;
    if (by_path)
        vbt_domain_sums(m, values);
    for (int i = 0; i < VBT_DOMAINS; i++) {
        for (int field = 0; !by_path && field < VBT_FIELDS; field++)
            values[i][field] = (uint64_t)vbt_model_domain(m, (enum vbt_domain)i, (enum vbt_domain_field)field);
        totals[i] = totals_of(values[i]);
    }
    add_started(m, totals);
}

struct vbt_domain_totals vbt_domain_totals_of(const struct vbt_model *m, enum vbt_domain domain) {
    struct vbt_domain_totals totals[VBT_DOMAINS];
    get_domains(m, totals);
    return totals[domain];
}

struct vbt_domain_totals vbt_all_totals(const struct vbt_model *m) {
    struct vbt_domain_totals totals[VBT_DOMAINS];
    get_domains(m, totals);
    struct vbt_domain_totals all = totals[VBT_DOMAIN_HEAP];
    add(&all, &totals[VBT_DOMAIN_PYTHON]);
    return all;
}

void vbt_totals_get(struct vbt_trace_totals *totals, const struct vbt_model *m) {
    memset(totals, 0, sizeof *totals);
    get_domains(m, totals->domain);
    for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
        totals->map[kind] = totals_of(m->maps[kind]);
    for (size_t i = 1; i <= m->node_count; i++) {
        int64_t *sum = &totals->domain[m->nodes[i].domain].at_peak_bytes;
        *sum = (int64_t)((uint64_t)*sum + (uint64_t)vbt_counters_at_peak(m, i));
    }
    add(&totals->all, &totals->domain[VBT_DOMAIN_HEAP]);
    add(&totals->all, &totals->domain[VBT_DOMAIN_PYTHON]);
    totals->peak_bytes = m->has_state ? m->state[VBT_STATE_PEAK] : totals->all.at_peak_bytes;
}

int64_t vbt_peak_rss_without_vbtrace(const struct vbt_model *m) {
    const struct vbt_model_resident *at = &m->resident[VBT_RESIDENT_HIGHEST];
    if (!at->known)
        at = &m->resident[VBT_RESIDENT_LATEST];
    uint64_t ours = at->bytes[VBT_RESIDENT_OURS], peak = (uint64_t)m->state[VBT_STATE_MAX_RSS];
    return at->known && ours < peak ? (int64_t)(peak - ours) : 0;
}
