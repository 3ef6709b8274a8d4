/* See attribute.h. A parent's id is smaller than its child's: one pass in order of id knows every parent's answer. */
#include "attribute.h"

#include "allocate.h"

#include <inttypes.h>
#include <stdlib.h>

void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *m) {
    size_t count = m->node_count + 1;
    /* First the nearest site of each sort on the path, 0 where there is none. */
    uint32_t *python = vbt_new(count, sizeof *python); /* Python or special */
    uint32_t *user = vbt_new(count, sizeof *user);     /* the user's own Python, or special */
    uint32_t *program = vbt_new(count, sizeof *program); /* native, in the main program */
    for (size_t i = 1; i < count; i++) {
        uint32_t parent = m->nodes[i].parent, id = m->nodes[i].site;
        const struct vbt_site *site = &m->sites[id];
        python[i] = python[parent];
        user[i] = user[parent];
        program[i] = program[parent];
        if (site->kind == VBT_SITE_NATIVE) {
            if (site->b == 1)
                program[i] = id;
            continue;
        }
        python[i] = id;
        if (site->kind == VBT_SITE_SPECIAL || (m->codes[site->a].flags & VBT_CODE_USER) != 0)
            user[i] = id;
    }
    for (size_t i = 1; i < count; i++) {
        if (python[i] != 0)
            continue;
        python[i] = m->nodes[i].site;
        user[i] = program[i];
    }
    free(program);
    *attribution = (struct vbt_attribution){.leaf = python, .user = user};
}

void vbt_attribution_free(struct vbt_attribution *attribution) {
    free(attribution->leaf);
    free(attribution->user);
    *attribution = (struct vbt_attribution){0};
}

static uint64_t field_of(const struct vbt_counters *c, enum vbt_domain_field field) {
    switch (field) {
    case VBT_FIELD_ALLOCS:
        return c->allocs;
    case VBT_FIELD_FREES:
        return vbt_counters_frees(c);
    case VBT_FIELD_ALLOCATED:
        return c->allocated;
    case VBT_FIELD_FREED:
        return vbt_counters_freed(c);
    case VBT_FIELD_TEMPORARY:
        return c->temporary;
    case VBT_FIELD_INHERITED_BLOCKS:
        return c->inherited_blocks;
    case VBT_FIELD_INHERITED_BYTES:
        return c->inherited_bytes;
    default:
        return 0;
    }
}

uint64_t vbt_domain_sum(const struct vbt_model *m, enum vbt_domain domain, enum vbt_domain_field field) {
    uint64_t sum = 0;
    for (size_t i = 1; i <= m->node_count; i++)
        if (m->nodes[i].counters != 0 && m->nodes[i].domain == domain)
            sum += field_of(&m->counters[m->nodes[i].counters], field);
    return sum;
}

void vbt_conservation_check(struct vbt_conservation *conservation, const struct vbt_model *m) {
    static const char *const domains[VBT_DOMAINS] = {"heap", "Python", "map"};
    static const char *const fields[VBT_FIELDS] = {"allocations",           "frees",            "bytes allocated", "bytes freed",
                                                   "temporary allocations", "inherited blocks", "inherited bytes"};
    *conservation = (struct vbt_conservation){.checked = vbt_model_complete(m) && m->has_state, .holds = true};
    if (!conservation->checked)
        return;
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        for (int field = 0; field < VBT_FIELDS; field++) {
            uint64_t sum = vbt_domain_sum(m, (enum vbt_domain)domain, (enum vbt_domain_field)field);
            uint64_t total = (uint64_t)vbt_model_domain(m, (enum vbt_domain)domain, (enum vbt_domain_field)field);
            if (sum == total)
                continue;
            conservation->holds = false;
            conservation->difference =
                vbt_text("%s %s: %" PRIu64 " over all call paths, %" PRIu64 " in the totals", domains[domain], fields[field], sum, total);
            return;
        }
}

void vbt_conservation_free(struct vbt_conservation *conservation) {
    free(conservation->difference);
    conservation->difference = NULL;
}
