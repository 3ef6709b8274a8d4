/* See decode_definitions.h. Rows become part of the model only if their whole chunk is valid. */
#include "decode_definitions.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t name_size(size_t size) { return size < VBT_NAME_MAX ? size : VBT_NAME_MAX; }

static void add_string(struct vbt_model *m, size_t row, size_t *text_size, const char *bytes, size_t size) {
    m->text = vbt_grow(m->text, &m->text_capacity, *text_size + size + 1, 1);
    m->string_at[row] = *text_size;
    if (size > 0)
        memcpy(m->text + *text_size, bytes, size);
    m->text[*text_size + size] = '\0';
    *text_size += size + 1;
}

void vbt_decode_definitions_begin(struct vbt_model *m) {
    m->string_at = vbt_grow(NULL, &m->string_capacity, 1, sizeof *m->string_at);
    add_string(m, 0, &m->text_size, "", 0);
    m->codes = vbt_grow(NULL, &m->code_capacity, 1, sizeof *m->codes);
    m->codes[0] = (struct vbt_model_code){0};
    m->sites = vbt_grow(NULL, &m->site_capacity, 1, sizeof *m->sites);
    m->sites[0] = (struct vbt_model_site){.kind = VBT_SITE_SPECIAL};
    m->nodes = vbt_grow(NULL, &m->node_capacity, 1, sizeof *m->nodes);
    m->nodes[0] = (struct vbt_model_node){0};
}

char *vbt_decode_strings(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count;
    char *wrong = vbt_get_definitions(p, &count, 1, m->string_count, VBT_MAX_STRINGS);
    if (wrong != NULL)
        return wrong;
    m->string_at = vbt_grow(m->string_at, &m->string_capacity, m->string_count + count + 1, sizeof *m->string_at);
    size_t text_size = m->text_size;
    for (uint64_t i = 1; i <= count; i++) {
        size_t size;
        const char *bytes = vbt_get_string(&p->r, &size);
        add_string(m, m->string_count + i, &text_size, bytes, name_size(size));
    }
    if (p->r.bad)
        return vbt_payload_too_short(p);
    if (text_size > VBT_MAX_TEXT)
        return vbt_text("%s: more than %u bytes of text in all, which no trace has", p->chunk, VBT_MAX_TEXT);
    m->text_size = text_size;
    m->string_count += count;
    return NULL;
}

char *vbt_decode_codes(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, foreign = 0;
    char *wrong = vbt_get_definitions(p, &count, 4, m->code_count, VBT_MAX_CODES);
    if (wrong != NULL)
        return wrong;
    m->codes = vbt_grow(m->codes, &m->code_capacity, m->code_count + count + 1, sizeof *m->codes);
    struct vbt_model_code *rows = m->codes + m->code_count + 1;
    for (uint64_t i = 0; i < count; i++)
        rows[i].file = vbt_get_id(p, m->string_count, &foreign);
    for (uint64_t i = 0; i < count; i++)
        rows[i].name = vbt_get_id(p, m->string_count, &foreign);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t line = vbt_get_varint(&p->r);
        rows[i].first_line = line <= INT32_MAX ? (int64_t)line : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].flags = (uint32_t)vbt_get_varint(&p->r);
    wrong = vbt_check_ids(p, foreign, "string");
    if (wrong == NULL)
        m->code_count += count;
    return wrong;
}

char *vbt_decode_sites(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, bad_code = 0, bad_string = 0, bad_module = 0, bad_kind = 0;
    char *wrong = vbt_get_definitions(p, &count, 3, m->site_count, VBT_MAX_SITES);
    if (wrong != NULL)
        return wrong;
    m->sites = vbt_grow(m->sites, &m->site_capacity, m->site_count + count + 1, sizeof *m->sites);
    struct vbt_model_site *rows = m->sites + m->site_count + 1;
    for (uint64_t i = 0; i < count; i++)
        rows[i].kind = (uint8_t)vbt_get_id(p, VBT_SITE_SPECIAL, &bad_kind);
    for (uint64_t i = 0; i < count; i++) {
        if (rows[i].kind == VBT_SITE_PYTHON)
            rows[i].a = vbt_get_id(p, m->code_count, &bad_code);
        else if (rows[i].kind == VBT_SITE_SPECIAL)
            rows[i].a = vbt_get_id(p, m->string_count, &bad_string);
        else
            rows[i].a = vbt_get_varint(&p->r);
    }
    for (uint64_t i = 0; i < count; i++) {
        int64_t b = vbt_get_zigzag(&p->r);
        rows[i].b = rows[i].kind == VBT_SITE_PYTHON && b > INT32_MAX ? 0 : b; /* no line */
    }
    bool with_modules = p->r.at < p->r.end;
    for (uint64_t i = 0; i < count; i++)
        rows[i].module = with_modules ? vbt_get_id(p, m->module_id_count, &bad_module) : 0;
    if (bad_kind != 0) /* first, because what a site refers to depends on it */
        return vbt_text("%s holds a call site of kind %" PRIu64 ", expected 0 to 2", p->chunk, bad_kind);
    wrong = vbt_check_ids(p, bad_code, "code");
    if (wrong == NULL)
        wrong = vbt_check_ids(p, bad_string, "string");
    if (wrong == NULL)
        wrong = vbt_check_ids(p, bad_module, "module");
    if (wrong == NULL)
        m->site_count += count;
    return wrong;
}

char *vbt_decode_nodes(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t count, bad_site = 0, bad_parent = 0, bad_domain = 0;
    char *wrong = vbt_get_definitions(p, &count, 3, m->node_count, VBT_MAX_NODES - 1);
    if (wrong != NULL)
        return wrong;
    m->nodes = vbt_grow(m->nodes, &m->node_capacity, m->node_count + count + 1, sizeof *m->nodes);
    struct vbt_model_node *rows = m->nodes + m->node_count + 1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = m->node_count + 1 + i, up = vbt_get_varint(&p->r);
        if ((up == 0 || up > id) && bad_parent == 0)
            bad_parent = id;
        rows[i] = (struct vbt_model_node){.parent = up == 0 || up > id ? 0 : (uint32_t)(id - up)};
    }
    uint64_t site = 0;
    for (uint64_t i = 0; i < count; i++) {
        site += (uint64_t)vbt_get_zigzag(&p->r);
        if (site > m->site_count && bad_site == 0)
            bad_site = site;
        rows[i].site = site <= m->site_count ? (uint32_t)site : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].domain = vbt_get_id(p, VBT_DOMAINS - 1, &bad_domain) & 3;
    wrong = vbt_check_ids(p, bad_site, "call site");
    if (wrong == NULL && bad_parent != 0)
        wrong = vbt_text("%s: the parent of node %" PRIu64 " does not come before it", p->chunk, bad_parent);
    if (wrong == NULL && bad_domain != 0)
        wrong = vbt_text("%s holds domain %" PRIu64 ", expected 0 to %d", p->chunk, bad_domain, VBT_DOMAINS - 1);
    if (wrong == NULL)
        m->node_count += count;
    return wrong;
}

static char *get_module_columns(struct vbt_payload *p, struct vbt_model_module *rows, uint64_t count) {
    const struct vbt_model *m = p->model;
    uint64_t last = m->module_id_count;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = vbt_get_varint(&p->r);
        if (id != 0 && id != ++last && !p->r.bad)
            return vbt_text("%s defines id %" PRIu64 ", expected %" PRIu64, p->chunk, id, last);
        rows[i].id = (uint32_t)id;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].linked = vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].generation = vbt_get_varint(&p->r);
    for (uint64_t i = 0; i < count; i++) {
        size_t size;
        const char *bytes = vbt_get_string(&p->r, &size);
        rows[i].build_id_size = (uint32_t)(size < VBT_BUILD_ID_MAX ? size : VBT_BUILD_ID_MAX);
        memcpy(rows[i].build_id, bytes, rows[i].build_id_size);
    }
    return NULL;
}

char *vbt_decode_modules(struct vbt_payload *p) {
    struct vbt_model *m = p->model;
    uint64_t first = vbt_get_varint(&p->r), count;
    char *wrong = vbt_get_count(p, &count, 4, m->module_count, VBT_MAX_MODULES);
    if (wrong == NULL && first != 0)
        wrong = vbt_text("%s starts with id %" PRIu64 ", expected 0", p->chunk, first);
    if (wrong != NULL)
        return wrong;
    m->modules = vbt_grow(m->modules, &m->module_capacity, m->module_count + count, sizeof *m->modules);
    struct vbt_model_module *rows = m->modules + m->module_count;
    for (uint64_t i = 0; i < count; i++) {
        rows[i] = (struct vbt_model_module){.start = vbt_get_varint(&p->r)};
        rows[i].end = vbt_get_varint(&p->r);
        rows[i].offset = vbt_get_varint(&p->r);
        size_t size;
        const char *path = vbt_get_string(&p->r, &size);
        rows[i].path = vbt_copy(path, name_size(size));
    }
    if (p->r.at < p->r.end)
        wrong = get_module_columns(p, rows, count);
    if (wrong == NULL && p->r.bad)
        wrong = vbt_payload_too_short(p);
    if (wrong != NULL) {
        for (uint64_t i = 0; i < count; i++)
            free(rows[i].path);
        return wrong;
    }
    for (uint64_t i = 0; i < count; i++) {
        if (rows[i].id == 0)
            continue;
        m->module_by_id = vbt_grow(m->module_by_id, &m->module_id_capacity, rows[i].id + 1, sizeof *m->module_by_id);
        m->module_by_id[rows[i].id] = (uint32_t)(m->module_count + i);
        m->module_id_count = rows[i].id;
    }
    m->module_count += count;
    return NULL;
}
