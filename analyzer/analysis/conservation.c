/* See conservation.h. */
#include "conservation.h"

#include "threads.h"
#include "totals.h"
#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>

/* Mapped memory is counted in three ways: by call path, by kind, and as the addresses that are
 * held. */
static void check_maps(struct vbt_conservation *conservation, const struct vbt_model *m, const char *const fields[VBT_FIELDS]) {
    uint64_t live = 0;
    for (int field = 0; field < VBT_FIELDS && conservation->holds; field++) {
        uint64_t sum = 0, total = (uint64_t)vbt_model_domain(m, VBT_DOMAIN_MAP, (enum vbt_domain_field)field);
        for (int kind = 0; kind < VBT_MAP_KINDS; kind++)
            sum += m->maps[kind][field];
        if (field == VBT_FIELD_ALLOCATED || field == VBT_FIELD_INHERITED_BYTES)
            live += total;
        if (field == VBT_FIELD_FREED)
            live -= total;
        if (sum == total)
            continue;
        conservation->holds = false;
        conservation->difference =
            vbt_text("map %s: %" PRIu64 " over all kinds, %" PRIu64 " in the totals", fields[field], sum, total);
    }
    uint64_t held = (uint64_t)m->state[VBT_STATE_MAPS_HELD];
    if (conservation->holds && live != held) {
        conservation->holds = false;
        conservation->difference = vbt_text("map: %" PRIu64 " bytes live, addresses of %" PRIu64 " bytes held", live, held);
    }
}

void vbt_conservation_check(struct vbt_conservation *conservation, const struct vbt_model *m) {
    static const char *const domains[VBT_DOMAINS] = {"heap", "Python", "map"};
    static const char *const fields[VBT_FIELDS] = {
        "allocations", "frees", "bytes allocated", "bytes freed", "temporary allocations", "inherited blocks", "inherited bytes"};
    *conservation =
        (struct vbt_conservation){.checked = vbt_model_complete(m) && m->has_state && !m->window.is_part, .holds = true};
    if (!conservation->checked)
        return;
    uint64_t sums[VBT_DOMAINS][VBT_FIELDS];
    vbt_domain_sums(m, sums);
    if (m->has_maps)
        check_maps(conservation, m, fields);
    if (!conservation->holds)
        return;
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        for (int field = 0; field < VBT_FIELDS; field++) {
            uint64_t sum = sums[domain][field];
            uint64_t total = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, (enum vbt_domain_field)field);
            if (sum == total)
                continue;
            conservation->holds = false;
            conservation->difference = vbt_text("%s %s: %" PRIu64 " over all call paths, %" PRIu64 " in the totals",
                                                domains[domain], fields[field], sum, total);
            return;
        }
    conservation->difference = vbt_thread_difference(m);
    conservation->holds = conservation->difference == NULL;
}

void vbt_conservation_free(struct vbt_conservation *conservation) {
    free(conservation->difference);
    conservation->difference = NULL;
}
