/* See decode_lines.h. */
#include "decode_lines.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <stdlib.h>

static void get_sums(struct vbt_payload *p, struct vbt_model_line_counts *rows, uint64_t count, bool called) {
    static const size_t columns[] = {
        offsetof(struct vbt_model_line_sums, time),      offsetof(struct vbt_model_line_sums, events),
        offsetof(struct vbt_model_line_sums, allocs),    offsetof(struct vbt_model_line_sums, frees),
        offsetof(struct vbt_model_line_sums, allocated), offsetof(struct vbt_model_line_sums, freed),
        offsetof(struct vbt_model_line_sums, temporary),
    };
    for (size_t column = 0; column < VBT_COUNT(columns); column++)
        for (uint64_t i = 0; i < count; i++) {
            struct vbt_model_line_sums *sums = called ? &rows[i].called : &rows[i].own;
            *(int64_t *)((char *)sums + columns[column]) = vbt_get_zigzag(&p->r);
        }
}

char *vbt_decode_lines(struct vbt_payload *p) {
    enum { COLUMNS = 21 };
    struct vbt_model *m = p->model;
    uint64_t count, foreign = 0, site = 0;
    char *wrong = vbt_get_count(p, &count, COLUMNS, 0, UINT64_MAX);
    if (wrong != NULL)
        return wrong;
    struct vbt_model_line_counts *rows = vbt_new(count, sizeof *rows);
    for (uint64_t i = 0; i < count; i++) {
        site += (uint64_t)vbt_get_zigzag(&p->r);
        bool good = site > 0 && site <= m->site_count && m->sites[site].kind == VBT_SITE_PYTHON;
        if (!good && foreign == 0)
            foreign = site | 1;
        rows[i].site = good ? (uint32_t)site : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].decorated = vbt_get_varint(&p->r) & 1;
    for (uint64_t i = 0; i < count; i++)
        rows[i].hits = vbt_get_varint(&p->r);
    get_sums(p, rows, count, false);
    get_sums(p, rows, count, true);
    for (uint64_t i = 0; i < count; i++)
        rows[i].least = vbt_get_zigzag(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].most = vbt_get_zigzag(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].high = vbt_get_zigzag(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].rss = vbt_get_varint(&p->r);
    bool with_objects = p->r.at < p->r.end;
    for (uint64_t i = 0; i < count && with_objects; i++)
        rows[i].own.objects = vbt_get_zigzag(&p->r);
    for (uint64_t i = 0; i < count && with_objects; i++)
        rows[i].called.objects = vbt_get_zigzag(&p->r);
    bool with_entries = p->r.at < p->r.end;
    for (uint64_t i = 0; i < count && with_entries; i++)
        rows[i].entries = vbt_get_varint(&p->r);
    wrong = vbt_check_ids(p, foreign, "a Python line");
    if (wrong == NULL && count > 0) {
        m->line_of_site = vbt_grow(m->line_of_site, &m->line_of_site_capacity, m->site_count + 1, sizeof *m->line_of_site);
        while (m->line_of_site_count <= m->site_count)
            m->line_of_site[m->line_of_site_count++] = 0;
        m->line_counts = vbt_grow(m->line_counts, &m->line_counts_capacity, m->line_counts_count + count, sizeof *m->line_counts);
    }
    for (uint64_t i = 0; i < count && wrong == NULL; i++) {
        uint32_t *index = &m->line_of_site[rows[i].site];
        if (*index == 0)
            *index = (uint32_t)++m->line_counts_count;
        m->line_counts[*index - 1] = rows[i];
    }
    free(rows);
    return wrong;
}
