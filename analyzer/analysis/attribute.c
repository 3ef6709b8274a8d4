/* See attribute.h. A parent's id is smaller than its child's: one pass in order of id knows every parent's answer. */
#include "attribute.h"

#include "threads.h"
#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The main program of a Python script is the interpreter, which nobody would call their own code; that of a program which embeds
 * Python is. */
static bool main_program_is_users(const struct vbt_model *m) {
    const char *exe = vbt_model_process(m, "exe");
    const char *slash = exe != NULL ? strrchr(exe, '/') : NULL;
    return vbt_model_process(m, "python") == NULL || exe == NULL || strncmp(slash != NULL ? slash + 1 : exe, "python", 6) != 0;
}

/* Is any frame of a site of the main program code of the user's? */
static bool is_users(struct vbt_places *places, uint32_t site) { return places == NULL || vbt_place_of_user(places, site)->user; }

void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *m, struct vbt_places *places) {
    bool own_program = main_program_is_users(m);
    size_t count = m->node_count + 1;
    /* First the nearest site of each sort on the path, 0 where there is none. */
    uint32_t *python = vbt_new(count, sizeof *python);   /* Python or special */
    uint32_t *user = vbt_new(count, sizeof *user);       /* the user's own Python, or special */
    uint32_t *program = vbt_new(count, sizeof *program); /* native, in the main program */
    for (size_t i = 1; i < count; i++) {
        uint32_t parent = m->nodes[i].parent, id = m->nodes[i].site;
        const struct vbt_site *site = &m->sites[id];
        python[i] = python[parent];
        user[i] = user[parent];
        program[i] = program[parent];
        if (site->kind == VBT_SITE_NATIVE) {
            if (site->b == 1 && own_program && is_users(places, id))
                program[i] = id;
            continue;
        }
        python[i] = id;
        if (site->kind == VBT_SITE_SPECIAL || vbt_code_is_users(&m->codes[site->a]))
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

void vbt_domain_sums(const struct vbt_model *m, uint64_t sums[VBT_DOMAINS][VBT_FIELDS]) {
    memset(sums, 0, sizeof(uint64_t[VBT_DOMAINS][VBT_FIELDS]));
    for (size_t i = 1; i <= m->node_count; i++) {
        const struct vbt_counters *c = &m->counters[m->nodes[i].counters]; /* row 0 is all zero */
        uint64_t *sum = sums[m->nodes[i].domain];
        sum[VBT_FIELD_ALLOCS] += c->allocs;
        sum[VBT_FIELD_FREES] += vbt_counters_frees(c);
        sum[VBT_FIELD_ALLOCATED] += c->allocated;
        sum[VBT_FIELD_FREED] += vbt_counters_freed(c);
        sum[VBT_FIELD_TEMPORARY] += c->temporary;
        sum[VBT_FIELD_INHERITED_BLOCKS] += c->inherited_blocks;
        sum[VBT_FIELD_INHERITED_BYTES] += c->inherited_bytes;
    }
}

/* Mapped memory is counted three times over: by call path, by kind, and as the addresses that are held. */
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
    *conservation = (struct vbt_conservation){.checked = vbt_model_complete(m) && m->has_state, .holds = true};
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
