/* See decode_names.h. */
#include "decode_names.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Reads the columns of the frames, which follow those of the sites. */
static char *get_frames(struct vbt_payload *p, struct vbt_named_frame *frames, uint64_t count) {
    const struct vbt_model *m = p->model;
    uint64_t bad_string = 0;
    bool nameless = false;
    for (uint64_t i = 0; i < count; i++) {
        frames[i].function = vbt_get_id(p, m->string_count, &bad_string);
        nameless = nameless || vbt_model_string(m, frames[i].function)[0] == '\0';
    }
    for (uint64_t i = 0; i < count; i++)
        frames[i].file = vbt_get_id(p, m->string_count, &bad_string);
    for (uint64_t i = 0; i < count; i++)
        frames[i].line = vbt_get_line(p);
    for (uint64_t i = 0; i < count; i++)
        frames[i].declared_file = vbt_get_id(p, m->string_count, &bad_string);
    for (uint64_t i = 0; i < count; i++)
        frames[i].declared_line = vbt_get_line(p);
    char *wrong = vbt_check_ids(p, bad_string, "string");
    return wrong == NULL && nameless ? vbt_text("%s: a function without a name", p->chunk) : wrong;
}

char *vbt_decode_frames(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, site = 0, bad_state = 0, frames = 0;
    bool bad_site = false, bad_count = false;
    char *wrong = vbt_get_count(p, &count, 8, 0, m->site_count);
    if (wrong != NULL)
        return wrong;
    uint32_t *sites = vbt_new(count, sizeof *sites);
    struct vbt_named_site *named = vbt_new(count, sizeof *named);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t more = vbt_get_varint(&p->r);
        bad_site = bad_site || more == 0 || more > m->site_count - site || m->sites[site + more].kind != VBT_SITE_NATIVE;
        site = bad_site ? 0 : site + more;
        sites[i] = (uint32_t)site;
    }
    for (uint64_t i = 0; i < count; i++)
        named[i].state = (enum vbt_binary_state)vbt_get_id(p, VBT_BINARY_STATES - 1, &bad_state);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t of_site = vbt_get_varint(&p->r);
        named[i].first = (uint32_t)(m->named_frame_count + frames);
        named[i].count = (uint32_t)of_site;
        bad_count = bad_count || of_site == 0 || of_site > VBT_FRAMES_MAX;
        frames += bad_count ? 0 : of_site;
    }
    uint64_t room = (uint64_t)(p->r.end - p->r.at) / 5;
    if (p->r.bad)
        wrong = vbt_payload_too_short(p);
    else if (bad_site)
        wrong = vbt_text("%s names call sites that are not native, not defined before it, or out of order", p->chunk);
    else if (bad_state != 0)
        wrong = vbt_text("%s: a file in state %" PRIu64 ", expected 0 to %d", p->chunk, bad_state, VBT_BINARY_STATES - 1);
    else if (bad_count)
        wrong = vbt_text("%s: a call site without frames, or with more than %d", p->chunk, VBT_FRAMES_MAX);
    else if (frames > room)
        wrong = vbt_text("%s claims %" PRIu64 " frames, has room for %" PRIu64, p->chunk, frames, room);
    else if (frames > VBT_MAX_FRAMES - m->named_frame_count)
        wrong = vbt_text("%s: more than %u frames in all, which no trace has", p->chunk, VBT_MAX_FRAMES);
    if (wrong == NULL) {
        m->named_frames =
            vbt_grow(m->named_frames, &m->named_frame_capacity, m->named_frame_count + frames, sizeof *m->named_frames);
        wrong = get_frames(p, m->named_frames + m->named_frame_count, frames);
    }
    if (wrong == NULL) {
        m->symbolized = true;
        m->named_frame_count += frames;
        m->named_sites = vbt_grow(m->named_sites, &m->named_site_capacity, m->site_count + 1, sizeof *m->named_sites);
        for (; m->named_site_count <= m->site_count; m->named_site_count++)
            m->named_sites[m->named_site_count] = (struct vbt_named_site){0};
        for (uint64_t i = 0; i < count; i++)
            m->named_sites[sites[i]] = named[i];
    }
    free(sites);
    free(named);
    return wrong;
}

char *vbt_decode_sources(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, bad_string = 0;
    char *wrong = vbt_get_count(p, &count, 4, m->source_row_count, VBT_MAX_SOURCES);
    if (wrong != NULL)
        return wrong;
    m->source_rows = vbt_grow(m->source_rows, &m->source_row_capacity, m->source_row_count + count, sizeof *m->source_rows);
    struct vbt_model_source_row *rows = m->source_rows + m->source_row_count;
    for (uint64_t i = 0; i < count; i++)
        rows[i] = (struct vbt_model_source_row){.file = vbt_get_id(p, m->string_count, &bad_string)};
    for (uint64_t i = 0; i < count; i++)
        rows[i].line = vbt_get_line(p);
    for (uint64_t i = 0; i < count; i++)
        rows[i].changed = vbt_get_varint(&p->r) != 0;
    size_t text_size = m->source_text_size;
    for (uint64_t i = 0; i < count; i++) {
        const char *bytes = vbt_get_string(&p->r, &rows[i].size);
        rows[i].text = text_size;
        m->source_text = vbt_grow(m->source_text, &m->source_text_capacity, text_size + rows[i].size + 1, 1);
        memcpy(m->source_text + text_size, bytes, rows[i].size);
        text_size += rows[i].size;
    }
    wrong = vbt_check_ids(p, bad_string, "string");
    if (wrong == NULL && text_size > VBT_MAX_TEXT)
        wrong = vbt_text("%s: more than %u bytes of text in all, which no trace has", p->chunk, VBT_MAX_TEXT);
    if (wrong != NULL)
        return wrong;
    m->symbolized = true;
    m->source_row_count += count;
    m->source_text_size = text_size;
    return NULL;
}
