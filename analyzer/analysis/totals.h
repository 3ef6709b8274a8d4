/* The totals of the domains: from the newest STATE of the trace; without one, and of a part of the
 * run, from the call paths' counters. */
#ifndef VBT_TOTALS_H
#define VBT_TOTALS_H

#include "analyzer/trace/model.h"

struct vbt_domain_totals {
    uint64_t allocs, frees, allocated, freed, temporary;
    uint64_t inherited_blocks, inherited_bytes;
    int64_t live_blocks, live_bytes;
    int64_t at_peak_bytes; /* live at the global peak, from the call paths */
};

struct vbt_trace_totals {
    struct vbt_domain_totals domain[VBT_DOMAINS];
    struct vbt_domain_totals all;                /* heap and Python, without mapped memory, which these two take theirs from */
    struct vbt_domain_totals map[VBT_MAP_KINDS]; /* of the map domain; what each kind had at the peak is unknown */
    int64_t peak_bytes;
};

/* One domain of it, or all, without what was live at the peak. */
struct vbt_domain_totals vbt_domain_totals_of(const struct vbt_model *model, enum vbt_domain domain);
struct vbt_domain_totals vbt_all_totals(const struct vbt_model *model);

void vbt_totals_get(struct vbt_trace_totals *totals, const struct vbt_model *model);

/* The highest resident set without what vbtrace itself had of it, when it was broken down last
 * before; 0: unknown. */
int64_t vbt_peak_rss_without_vbtrace(const struct vbt_model *model);

/* The fields of every domain, summed over its call paths: what the totals should be. */
void vbt_domain_sums(const struct vbt_model *model, uint64_t sums[VBT_DOMAINS][VBT_FIELDS]);

#endif
