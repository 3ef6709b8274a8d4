/* See decode_maps.h. */
#include "decode_maps.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <string.h>

static char *get_resident(struct vbt_payload *p, struct vbt_model_resident resident[VBT_RESIDENT_TIMES]) {
    uint64_t classes, which = vbt_get_varint(&p->r);
    struct vbt_model_resident at = {.known = true, .time = vbt_get_varint(&p->r)};
    at.live_heap = vbt_get_zigzag(&p->r);
    at.live_python = vbt_get_zigzag(&p->r);
    char *wrong = vbt_get_count(p, &classes, 1, 0, VBT_MAX_MAP_ROWS);
    if (wrong != NULL)
        return wrong;
    for (uint64_t i = 0; i < classes; i++)
        at.bytes[i < VBT_RESIDENT_UNKNOWN ? i : VBT_RESIDENT_UNKNOWN] += vbt_get_varint(&p->r);
    if (which < VBT_RESIDENT_TIMES)
        resident[which] = at;
    return NULL;
}

char *vbt_decode_maps(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t kinds, times, totals[VBT_MAP_KINDS][VBT_FIELDS] = {0};
    struct vbt_model_resident resident[VBT_RESIDENT_TIMES];
    memcpy(resident, m->resident, sizeof resident);
    vbt_get_varint(&p->r); /* the time of the totals: that of the newest STATE is close enough */
    char *wrong = vbt_get_count(p, &kinds, VBT_FIELDS, 0, VBT_MAX_MAP_ROWS);
    if (wrong != NULL)
        return wrong;
    for (uint64_t kind = 0; kind < kinds; kind++)
        for (int field = 0; field < VBT_FIELDS; field++)
            totals[kind < VBT_MAP_KINDS ? kind : VBT_MAP_ANONYMOUS][field] += vbt_get_varint(&p->r);
    wrong = vbt_get_count(p, &times, 5, 0, VBT_MAX_MAP_ROWS);
    for (uint64_t i = 0; i < times && wrong == NULL; i++)
        wrong = get_resident(p, resident);
    if (wrong != NULL || p->r.bad)
        return wrong != NULL ? wrong : vbt_payload_too_short(p);
    memcpy(m->maps, totals, sizeof totals);
    memcpy(m->resident, resident, sizeof resident);
    m->has_maps = true;
    return NULL;
}
