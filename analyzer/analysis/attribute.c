/* See attribute.h. A parent's id is smaller than its child's, so that one pass in order of id knows
 * the answer for every parent. */
#include "attribute.h"

#include "analyzer/base/allocate.h"
#include "analyzer/symbols/user_code.h"

#include <stdlib.h>
#include <string.h>

/* Is any frame of a native site the user's own code? *cython: of a .pyx file. */
static bool is_users(const struct vbt_model *m, struct vbt_places *places, uint32_t site, bool own_program, bool *cython) {
    bool in_program = m->sites[site].b == 1;
    *cython = false;
    if (places == NULL || (in_program && !own_program))
        return in_program && own_program;
    if (!vbt_place_may_be_users(places, site))
        return false;
    const struct vbt_source_place *place = vbt_place_of_user(places, site);
    *cython = place->user && place->cython;
    return place->user;
}

static bool code_is_users(const struct vbt_model *m, const struct vbt_places *places, uint32_t code) {
    return places != NULL ? vbt_code_is_users(places, code) : vbt_model_code_is_users(&m->codes[code]);
}

/* Does a site stand for the missing callers of a stack that was cut off? */
static bool is_cut(const struct vbt_model *m, const struct vbt_model_site *site) {
    static const char start[] = "[truncated: ";
    return site->kind == VBT_SITE_SPECIAL && strncmp(vbt_model_string(m, (uint32_t)site->a), start, strlen(start)) == 0;
}

void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *m, struct vbt_places *places) {
    bool own_program = vbt_user_code_is_program(m);
    size_t count = m->node_count + 1;
    /* First find the nearest site of each sort on the path, 0 if there is none. */
    uint32_t *python = vbt_new(count, sizeof *python);   /* Python, or special but for cuts */
    uint32_t *user = vbt_new(count, sizeof *user);       /* the user's own Python or Cython, or special */
    uint32_t *program = vbt_new(count, sizeof *program); /* the user's own native code */
    for (size_t i = 1; i < count; i++) {
        uint32_t parent = m->nodes[i].parent, id = m->nodes[i].site;
        const struct vbt_model_site *site = &m->sites[id];
        python[i] = python[parent];
        user[i] = user[parent];
        program[i] = program[parent];
        if (site->kind == VBT_SITE_NATIVE) {
            bool cython;
            if (is_users(m, places, id, own_program, &cython))
                program[i] = id;
            if (cython)
                user[i] = id;
            continue;
        }
        if (!is_cut(m, site))
            python[i] = id;
        if (site->kind == VBT_SITE_SPECIAL || code_is_users(m, places, (uint32_t)site->a))
            user[i] = id;
    }
    for (size_t i = 1; i < count; i++) {
        if (python[i] != 0)
            continue;
        python[i] = m->nodes[i].site;
        if (program[i] != 0)
            user[i] = program[i]; /* else it is 0, or where the stack was cut off */
    }
    free(program);
    *attribution = (struct vbt_attribution){.leaf = python, .user = user};
}

void vbt_attribution_free(struct vbt_attribution *attribution) {
    free(attribution->leaf);
    free(attribution->user);
    *attribution = (struct vbt_attribution){0};
}
