/* See decode.h. Payloads are laid out as FORMAT.md says; a row becomes part of the model only when its whole chunk was sound. */
#include "decode.h"

#include "allocate.h"
#include "varint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* More than any trace has, and few enough to keep: a small file can claim, by compression, a thousand times its size. */
enum {
    MAX_STRINGS = 1 << 24,
    MAX_TEXT = 1 << 29,
    MAX_CODES = 1 << 22,
    MAX_SITES = 1 << 24,
    MAX_MODULES = 1 << 20,
    MAX_TICKS = 1 << 24,
    MAX_INTERVALS = 1 << 20,
    MAX_INTERVAL_SITES = 1 << 24,
};

struct decoder {
    struct vbt_model *model;
    struct vbt_reader r;
    const char *chunk; /* its name, for messages */
};

static char *too_short(const struct decoder *d) { return vbt_text("%s ends too early, or holds a malformed number", d->chunk); }

/* A count of rows that take at least `least` bytes each: NULL if the payload has room for them and the model too. */
static char *get_count(struct decoder *d, uint64_t *count, size_t least, uint64_t have, uint64_t limit) {
    *count = vbt_get_varint(&d->r);
    if (d->r.bad)
        return too_short(d);
    uint64_t room = (uint64_t)(d->r.end - d->r.at) / least;
    if (*count > room)
        return vbt_text("%s claims %" PRIu64 " rows, has room for %" PRIu64, d->chunk, *count, room);
    if (*count > limit - have)
        return vbt_text("%s: more than %" PRIu64 " rows in all, which no trace has", d->chunk, limit);
    return NULL;
}

/* The two numbers a definition chunk begins with. */
static char *get_definitions(struct decoder *d, uint64_t *count, size_t least, uint64_t have, uint64_t limit) {
    uint64_t first = vbt_get_varint(&d->r);
    char *wrong = get_count(d, count, least, have, limit);
    if (wrong == NULL && first != have + 1)
        wrong = vbt_text("%s starts with id %" PRIu64 ", expected %" PRIu64, d->chunk, first, have + 1);
    return wrong;
}

/* An id that must be one of 0 … highest. */
static uint32_t get_id(struct decoder *d, uint64_t highest, uint64_t *foreign) {
    uint64_t id = vbt_get_varint(&d->r);
    if (id > highest && *foreign == 0)
        *foreign = id;
    return id <= highest ? (uint32_t)id : 0;
}

/* What became of a column or row of ids. */
static char *check_ids(struct decoder *d, uint64_t foreign, const char *what) {
    if (d->r.bad)
        return too_short(d);
    if (foreign != 0)
        return vbt_text("%s refers to %s %" PRIu64 ", which is not defined before it", d->chunk, what, foreign);
    return NULL;
}

static char *get_text(struct decoder *d) {
    size_t size;
    const char *bytes = vbt_get_string(&d->r, &size);
    return vbt_copy(bytes, size);
}

static void free_pairs(struct vbt_pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].key);
        free(pairs[i].value);
    }
    free(pairs);
}

static char *decode_process(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count;
    char *wrong = get_count(d, &count, 2, 0, UINT64_MAX);
    if (wrong != NULL)
        return wrong;
    struct vbt_pair *pairs = vbt_new(count, sizeof *pairs);
    for (uint64_t i = 0; i < count; i++)
        pairs[i] = (struct vbt_pair){.key = get_text(d), .value = get_text(d)};
    if (d->r.bad) {
        free_pairs(pairs, count);
        return too_short(d);
    }
    free_pairs(m->process, m->process_count);
    m->process = pairs;
    m->process_count = count;
    return NULL;
}

static void add_string(struct vbt_model *m, size_t row, size_t *text_size, const char *bytes, size_t size) {
    m->text = vbt_grow(m->text, &m->text_capacity, *text_size + size + 1, 1);
    m->string_at[row] = *text_size;
    if (size > 0)
        memcpy(m->text + *text_size, bytes, size);
    m->text[*text_size + size] = '\0';
    *text_size += size + 1;
}

static char *decode_strings(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count;
    char *wrong = get_definitions(d, &count, 1, m->string_count, MAX_STRINGS);
    if (wrong != NULL)
        return wrong;
    m->string_at = vbt_grow(m->string_at, &m->string_capacity, m->string_count + count + 1, sizeof *m->string_at);
    size_t text_size = m->text_size;
    for (uint64_t i = 1; i <= count; i++) {
        size_t size;
        const char *bytes = vbt_get_string(&d->r, &size);
        add_string(m, m->string_count + i, &text_size, bytes, size);
    }
    if (d->r.bad)
        return too_short(d);
    if (text_size > MAX_TEXT)
        return vbt_text("%s: more than %d bytes of text in all, which no trace has", d->chunk, MAX_TEXT);
    m->text_size = text_size;
    m->string_count += count;
    return NULL;
}

static char *decode_codes(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, foreign = 0;
    char *wrong = get_definitions(d, &count, 4, m->code_count, MAX_CODES);
    if (wrong != NULL)
        return wrong;
    m->codes = vbt_grow(m->codes, &m->code_capacity, m->code_count + count + 1, sizeof *m->codes);
    struct vbt_code *rows = m->codes + m->code_count + 1;
    for (uint64_t i = 0; i < count; i++)
        rows[i].file = get_id(d, m->string_count, &foreign);
    for (uint64_t i = 0; i < count; i++)
        rows[i].name = get_id(d, m->string_count, &foreign);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t line = vbt_get_varint(&d->r);
        rows[i].first_line = line <= INT32_MAX ? (int64_t)line : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].flags = (uint32_t)vbt_get_varint(&d->r);
    wrong = check_ids(d, foreign, "string");
    if (wrong == NULL)
        m->code_count += count;
    return wrong;
}

static char *decode_sites(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, bad_code = 0, bad_string = 0, bad_module = 0, bad_kind = 0;
    char *wrong = get_definitions(d, &count, 3, m->site_count, MAX_SITES);
    if (wrong != NULL)
        return wrong;
    m->sites = vbt_grow(m->sites, &m->site_capacity, m->site_count + count + 1, sizeof *m->sites);
    struct vbt_site *rows = m->sites + m->site_count + 1;
    for (uint64_t i = 0; i < count; i++)
        rows[i].kind = (uint8_t)get_id(d, VBT_SITE_SPECIAL, &bad_kind);
    for (uint64_t i = 0; i < count; i++) {
        if (rows[i].kind == VBT_SITE_PYTHON)
            rows[i].a = get_id(d, m->code_count, &bad_code);
        else if (rows[i].kind == VBT_SITE_SPECIAL)
            rows[i].a = get_id(d, m->string_count, &bad_string);
        else
            rows[i].a = vbt_get_varint(&d->r);
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].b = vbt_get_zigzag(&d->r);
    bool with_modules = d->r.at < d->r.end;
    for (uint64_t i = 0; i < count; i++)
        rows[i].module = with_modules ? get_id(d, m->module_id_count, &bad_module) : 0;
    if (bad_kind != 0) /* first: what a site refers to depends on it */
        return vbt_text("%s holds a call site of kind %" PRIu64 ", expected 0 to 2", d->chunk, bad_kind);
    wrong = check_ids(d, bad_code, "code");
    if (wrong == NULL)
        wrong = check_ids(d, bad_string, "string");
    if (wrong == NULL)
        wrong = check_ids(d, bad_module, "module");
    if (wrong == NULL)
        m->site_count += count;
    return wrong;
}

static char *decode_nodes(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, bad_site = 0, bad_parent = 0, bad_domain = 0;
    char *wrong = get_definitions(d, &count, 3, m->node_count, VBT_MAX_NODES - 1);
    if (wrong != NULL)
        return wrong;
    m->nodes = vbt_grow(m->nodes, &m->node_capacity, m->node_count + count + 1, sizeof *m->nodes);
    struct vbt_node *rows = m->nodes + m->node_count + 1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = m->node_count + 1 + i, up = vbt_get_varint(&d->r);
        if ((up == 0 || up > id) && bad_parent == 0)
            bad_parent = id;
        rows[i] = (struct vbt_node){.parent = up == 0 || up > id ? 0 : (uint32_t)(id - up)};
    }
    uint64_t site = 0;
    for (uint64_t i = 0; i < count; i++) {
        site += (uint64_t)vbt_get_zigzag(&d->r);
        if (site > m->site_count && bad_site == 0)
            bad_site = site;
        rows[i].site = site <= m->site_count ? (uint32_t)site : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].domain = (uint8_t)get_id(d, VBT_DOMAINS - 1, &bad_domain);
    wrong = check_ids(d, bad_site, "call site");
    if (wrong == NULL && bad_parent != 0)
        wrong = vbt_text("%s: the parent of node %" PRIu64 " does not come before it", d->chunk, bad_parent);
    if (wrong == NULL && bad_domain != 0)
        wrong = vbt_text("%s holds domain %" PRIu64 ", expected 0 to %d", d->chunk, bad_domain, VBT_DOMAINS - 1);
    if (wrong == NULL)
        m->node_count += count;
    return wrong;
}

static char *get_module_columns(struct decoder *d, struct vbt_module *rows, uint64_t count) {
    const struct vbt_model *m = d->model;
    uint64_t last = m->module_id_count;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = vbt_get_varint(&d->r);
        if (id != 0 && id != ++last && !d->r.bad)
            return vbt_text("%s defines id %" PRIu64 ", expected %" PRIu64, d->chunk, id, last);
        rows[i].id = (uint32_t)id;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].linked = vbt_get_varint(&d->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].generation = vbt_get_varint(&d->r);
    for (uint64_t i = 0; i < count; i++) {
        size_t size;
        const char *bytes = vbt_get_string(&d->r, &size);
        rows[i].build_id_size = (uint32_t)(size < VBT_BUILD_ID_MAX ? size : VBT_BUILD_ID_MAX);
        memcpy(rows[i].build_id, bytes, rows[i].build_id_size);
    }
    return NULL;
}

static char *decode_modules(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t first = vbt_get_varint(&d->r), count;
    char *wrong = get_count(d, &count, 4, m->module_count, MAX_MODULES);
    if (wrong == NULL && first != 0)
        wrong = vbt_text("%s starts with id %" PRIu64 ", expected 0", d->chunk, first);
    if (wrong != NULL)
        return wrong;
    m->modules = vbt_grow(m->modules, &m->module_capacity, m->module_count + count, sizeof *m->modules);
    struct vbt_module *rows = m->modules + m->module_count;
    for (uint64_t i = 0; i < count; i++) {
        rows[i] = (struct vbt_module){.start = vbt_get_varint(&d->r)};
        rows[i].end = vbt_get_varint(&d->r);
        rows[i].offset = vbt_get_varint(&d->r);
        rows[i].path = get_text(d);
    }
    if (d->r.at < d->r.end)
        wrong = get_module_columns(d, rows, count);
    if (wrong == NULL && d->r.bad)
        wrong = too_short(d);
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

static void add_tick(struct vbt_ticks *ticks, struct vbt_tick tick) {
    if (ticks->count > ticks->first && tick.time <= ticks->rows[ticks->count - 1].time)
        return; /* the same tick again; or time running backwards, not written by us */
    if (ticks->count - ticks->first == MAX_TICKS)
        return;
    ticks->rows = vbt_grow(ticks->rows, &ticks->capacity, ticks->count + 1, sizeof *ticks->rows);
    ticks->rows[ticks->count++] = tick;
}

/* Forgets the ticks up to a time. Moves the rest only when that frees half of the memory, so that it costs nothing in the long run. */
static void forget_ticks(struct vbt_ticks *ticks, uint64_t time) {
    while (ticks->first < ticks->count && ticks->rows[ticks->first].time <= time)
        ticks->first++;
    if (ticks->first <= ticks->count / 2)
        return;
    ticks->count -= ticks->first;
    memmove(ticks->rows, ticks->rows + ticks->first, ticks->count * sizeof *ticks->rows);
    ticks->first = 0;
}

static int64_t live_in_state(const struct vbt_model *m, enum vbt_domain domain) {
    return (int64_t)((uint64_t)vbt_model_domain(m, domain, VBT_FIELD_INHERITED_BYTES) +
                     (uint64_t)vbt_model_domain(m, domain, VBT_FIELD_ALLOCATED) -
                     (uint64_t)vbt_model_domain(m, domain, VBT_FIELD_FREED));
}

static char *decode_state(struct decoder *d) {
    struct vbt_model *m = d->model;
    int64_t state[VBT_STATE_KEYS];
    memcpy(state, m->state, sizeof state);
    while (d->r.at < d->r.end) {
        uint64_t key = vbt_get_varint(&d->r);
        int64_t value = vbt_get_zigzag(&d->r);
        if (key < VBT_STATE_KEYS)
            state[key] = value;
    }
    if (d->r.bad)
        return too_short(d);
    memcpy(m->state, state, sizeof state);
    m->has_state = true;
    add_tick(&m->ticks, (struct vbt_tick){.time = (uint64_t)state[VBT_STATE_TIME],
                                          .rss = state[VBT_STATE_RSS],
                                          .heap = live_in_state(m, VBT_DOMAIN_HEAP),
                                          .python = live_in_state(m, VBT_DOMAIN_PYTHON)});
    return NULL;
}

static char *decode_timeline(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count;
    char *wrong = get_count(d, &count, 4, 0, MAX_TICKS);
    if (wrong != NULL)
        return wrong;
    struct vbt_tick last = {0};
    struct vbt_tick *rows = vbt_new(count, sizeof *rows);
    for (uint64_t i = 0; i < count; i++)
        rows[i].time = last.time += vbt_get_varint(&d->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].rss = last.rss = (int64_t)((uint64_t)last.rss + (uint64_t)vbt_get_zigzag(&d->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].heap = last.heap = (int64_t)((uint64_t)last.heap + (uint64_t)vbt_get_zigzag(&d->r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].python = last.python = (int64_t)((uint64_t)last.python + (uint64_t)vbt_get_zigzag(&d->r));
    if (d->r.bad) {
        free(rows);
        return too_short(d);
    }
    m->thinned.first = m->thinned.count = 0;
    for (uint64_t i = 0; i < count; i++)
        add_tick(&m->thinned, rows[i]);
    forget_ticks(&m->ticks, last.time);
    free(rows);
    return NULL;
}

/* The twelve columns, one number a row each, before the histogram's. */
static char *get_counter_columns(struct decoder *d, struct vbt_counters *rows, uint32_t *nodes, uint64_t count) {
    struct vbt_reader *r = &d->r;
    uint64_t node = 0;
    bool order = true;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = vbt_get_varint(r);
        order = order && step > 0 && step <= d->model->node_count - node;
        node = order ? node + step : 0;
        nodes[i] = (uint32_t)node;
        rows[i] = (struct vbt_counters){0};
    }
    if (!r->bad && !order)
        return vbt_text("%s counts nodes that are not defined before it, or out of order", d->chunk);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocs = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].live_blocks = vbt_get_zigzag(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocated = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].live_bytes = vbt_get_zigzag(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].at_peak_bytes = (int64_t)((uint64_t)rows[i].live_bytes + (uint64_t)vbt_get_zigzag(r));
    for (uint64_t i = 0; i < count; i++)
        rows[i].temporary = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].smallest = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].largest = rows[i].smallest + vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].max_rss_kib = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].inherited_blocks = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].inherited_bytes = vbt_get_varint(r);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t entries = vbt_get_varint(r);
        if (entries > VBT_SIZE_BUCKETS)
            return vbt_text("%s: a histogram of %" PRIu64 " entries, expected at most %d", d->chunk, entries, VBT_SIZE_BUCKETS);
        rows[i].size_count = (uint32_t)entries;
    }
    return r->bad ? too_short(d) : NULL;
}

static char *check_histograms(struct decoder *d, const struct vbt_counters *rows, uint64_t count) {
    for (uint64_t i = 0; i < count && !d->r.bad; i++)
        for (uint32_t k = 0; k < rows[i].size_count; k++) {
            uint64_t bucket = vbt_get_varint(&d->r);
            vbt_get_varint(&d->r);
            if (bucket >= VBT_SIZE_BUCKETS)
                return vbt_text("%s: histogram bucket %" PRIu64 ", expected less than %d", d->chunk, bucket, VBT_SIZE_BUCKETS);
        }
    return d->r.bad ? too_short(d) : NULL;
}

static void keep_histogram(struct vbt_reader *pairs, struct vbt_counters *to, uint32_t count, bool wanted) {
    if (wanted && count > to->size_count)
        to->sizes = vbt_grow(to->sizes, &(size_t){0}, count, sizeof *to->sizes);
    for (uint32_t k = 0; k < count; k++) {
        uint32_t bucket = (uint32_t)vbt_get_varint(pairs);
        uint64_t allocs = vbt_get_varint(pairs);
        if (wanted)
            to->sizes[k] = (struct vbt_bucket){.bucket = bucket, .allocs = allocs};
    }
    to->size_count = wanted ? count : 0;
}

static char *decode_counters(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count;
    uint64_t time = vbt_get_varint(&d->r);
    char *wrong = get_count(d, &count, 13, 0, VBT_MAX_NODES);
    if (wrong != NULL)
        return wrong;
    m->scratch = vbt_grow(m->scratch, &m->scratch_capacity, count, sizeof *m->scratch);
    uint32_t *nodes = vbt_new(count, sizeof *nodes);
    wrong = get_counter_columns(d, m->scratch, nodes, count);
    struct vbt_reader pairs = d->r;
    if (wrong == NULL)
        wrong = check_histograms(d, m->scratch, count);
    for (uint64_t i = 0; i < count && wrong == NULL; i++) {
        struct vbt_node *node = &m->nodes[nodes[i]];
        if (node->counters == 0) {
            m->counters = vbt_grow(m->counters, &m->counters_capacity, m->counters_count + 1, sizeof *m->counters);
            node->counters = (uint32_t)m->counters_count++;
            m->counters[node->counters] = (struct vbt_counters){0};
        }
        struct vbt_counters *to = &m->counters[node->counters], from = m->scratch[i];
        uint32_t entries = from.size_count;
        from.time = time;
        from.sizes = to->sizes;
        from.size_count = to->size_count;
        *to = from;
        keep_histogram(&pairs, to, entries, m->with_sizes);
    }
    free(nodes);
    return wrong;
}

static int by_interval(const void *left, const void *right) {
    const struct vbt_interval *a = left, *b = right;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Sorts, and leaves of rows with the same id the newest. */
static void compact_intervals(struct vbt_model *m) {
    if (m->interval_count == 0)
        return;
    qsort(m->intervals, m->interval_count, sizeof *m->intervals, by_interval);
    size_t kept = 0;
    for (size_t i = 0; i < m->interval_count; i++) {
        if (kept > 0 && m->intervals[kept - 1].id == m->intervals[i].id)
            kept--;
        m->intervals[kept++] = m->intervals[i];
    }
    m->interval_count = m->interval_compacted = kept;
}

static char *decode_intervals(struct decoder *d) {
    struct vbt_model *m = d->model;
    struct vbt_reader *r = &d->r;
    uint64_t count, bad_kind = 0, bad_site = 0, bad_string = 0;
    /* A file repeats an interval whenever it changed. Forgetting the old rows each time the number has doubled costs little. */
    if (m->interval_count > 2 * m->interval_compacted + 1024)
        compact_intervals(m);
    char *wrong = get_count(d, &count, 7 + 8 + 3 * VBT_QUANTITIES, m->interval_count, MAX_INTERVALS);
    if (wrong != NULL)
        return wrong;
    m->intervals = vbt_grow(m->intervals, &m->interval_capacity, m->interval_count + count, sizeof *m->intervals);
    for (uint64_t i = 0; i < count; i++) {
        struct vbt_interval *row = &m->intervals[m->interval_count + i];
        row->order = m->rows_seen + i;
        row->id = vbt_get_varint(r);
        row->kind = get_id(d, VBT_INTERVAL_SECTION, &bad_kind);
        row->from = get_id(d, m->site_count, &bad_site);
        row->to = get_id(d, m->site_count, &bad_site);
        row->label = get_id(d, m->string_count, &bad_string);
        row->count = vbt_get_varint(r);
        row->iterations = vbt_get_varint(r);
        row->time_m2 = vbt_get_f64(r);
        for (int q = 0; q < VBT_QUANTITIES; q++) {
            row->of[q].min = vbt_get_zigzag(r);
            row->of[q].max = vbt_get_zigzag(r);
            row->of[q].total = vbt_get_zigzag(r);
        }
    }
    wrong = check_ids(d, bad_site, "call site");
    if (wrong == NULL)
        wrong = check_ids(d, bad_string, "string");
    if (wrong == NULL && bad_kind != 0)
        wrong = vbt_text("%s holds an interval of kind %" PRIu64 ", expected 0 or 1", d->chunk, bad_kind);
    if (wrong != NULL)
        return wrong;
    m->interval_count += count;
    m->rows_seen += count;
    return NULL;
}

static int by_interval_and_node(const void *left, const void *right) {
    const struct vbt_interval_site *a = left, *b = right;
    if (a->interval != b->interval)
        return a->interval < b->interval ? -1 : 1;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void compact_interval_sites(struct vbt_model *m) {
    if (m->interval_site_count == 0)
        return;
    struct vbt_interval_site *rows = m->interval_sites;
    qsort(rows, m->interval_site_count, sizeof *rows, by_interval_and_node);
    size_t kept = 0;
    for (size_t i = 0; i < m->interval_site_count; i++) {
        if (kept > 0 && rows[kept - 1].interval == rows[i].interval && rows[kept - 1].node == rows[i].node)
            kept--;
        rows[kept++] = rows[i];
    }
    m->interval_site_count = m->interval_site_compacted = kept;
}

static char *decode_interval_sites(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, bad_node = 0;
    if (m->interval_site_count > 2 * m->interval_site_compacted + 4096)
        compact_interval_sites(m);
    char *wrong = get_count(d, &count, 6, m->interval_site_count, MAX_INTERVAL_SITES);
    if (wrong != NULL)
        return wrong;
    m->interval_sites =
        vbt_grow(m->interval_sites, &m->interval_site_capacity, m->interval_site_count + count, sizeof *m->interval_sites);
    struct vbt_interval_site *rows = m->interval_sites + m->interval_site_count;
    uint64_t interval = 0, node = 0;
    for (uint64_t i = 0; i < count; i++) {
        interval += (uint64_t)vbt_get_zigzag(&d->r);
        rows[i] = (struct vbt_interval_site){.order = m->rows_seen + i, .interval = interval};
    }
    for (uint64_t i = 0; i < count; i++) {
        node += (uint64_t)vbt_get_zigzag(&d->r);
        if (node > m->node_count && bad_node == 0)
            bad_node = node;
        rows[i].node = node <= m->node_count ? (uint32_t)node : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocs = vbt_get_varint(&d->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].frees = rows[i].allocs + (uint64_t)vbt_get_zigzag(&d->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].allocated = vbt_get_varint(&d->r);
    for (uint64_t i = 0; i < count; i++)
        rows[i].freed = rows[i].allocated + (uint64_t)vbt_get_zigzag(&d->r);
    wrong = check_ids(d, bad_node, "node");
    if (wrong != NULL)
        return wrong;
    m->interval_site_count += count;
    m->rows_seen += count;
    return NULL;
}

static char *decode_end(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t time = vbt_get_varint(&d->r);
    size_t size;
    const char *reason = vbt_get_string(&d->r, &size);
    if (d->r.bad)
        return too_short(d);
    free(m->end_reason);
    m->end_reason = vbt_copy(reason, size);
    m->end_time = time;
    m->ended = true;
    return NULL;
}

static int64_t get_line(struct decoder *d) {
    uint64_t line = vbt_get_varint(&d->r);
    return line <= INT32_MAX ? (int64_t)line : 0;
}

/* The columns of the frames, behind those of the sites. */
static char *get_frames(struct decoder *d, struct vbt_named_frame *frames, uint64_t count) {
    const struct vbt_model *m = d->model;
    uint64_t bad_string = 0;
    for (uint64_t i = 0; i < count; i++)
        frames[i].function = get_id(d, m->string_count, &bad_string);
    for (uint64_t i = 0; i < count; i++)
        frames[i].file = get_id(d, m->string_count, &bad_string);
    for (uint64_t i = 0; i < count; i++)
        frames[i].line = get_line(d);
    for (uint64_t i = 0; i < count; i++)
        frames[i].declared_file = get_id(d, m->string_count, &bad_string);
    for (uint64_t i = 0; i < count; i++)
        frames[i].declared_line = get_line(d);
    return check_ids(d, bad_string, "string");
}

static char *decode_frames(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, site = 0, bad_site = 0, bad_state = 0, frames = 0;
    char *wrong = get_count(d, &count, 8, 0, m->site_count);
    if (wrong != NULL)
        return wrong;
    uint32_t *sites = vbt_new(count, sizeof *sites);
    struct vbt_named_site *named = vbt_new(count, sizeof *named);
    for (uint64_t i = 0; i < count; i++) {
        site += vbt_get_varint(&d->r);
        if ((site == 0 || site > m->site_count || m->sites[site].kind != VBT_SITE_NATIVE) && bad_site == 0)
            bad_site = site | 1;
        sites[i] = bad_site == 0 ? (uint32_t)site : 0;
    }
    for (uint64_t i = 0; i < count; i++)
        named[i].state = (enum vbt_binary_state)get_id(d, VBT_BINARY_STATES - 1, &bad_state);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t of_site = vbt_get_varint(&d->r);
        named[i].first = (uint32_t)(m->named_frame_count + frames);
        named[i].count = (uint32_t)of_site;
        frames = of_site > 0 && of_site <= MAX_SITES && frames <= MAX_SITES ? frames + of_site : UINT64_MAX;
    }
    uint64_t room = (uint64_t)(d->r.end - d->r.at) / 5;
    if (d->r.bad)
        wrong = too_short(d);
    else if (bad_site != 0)
        wrong = vbt_text("%s names call sites that are not native, not defined before it, or out of order", d->chunk);
    else if (bad_state != 0)
        wrong = vbt_text("%s: a file in state %" PRIu64 ", expected 0 to %d", d->chunk, bad_state, VBT_BINARY_STATES - 1);
    else if (frames > room || frames > MAX_SITES - m->named_frame_count)
        wrong = vbt_text("%s claims more frames than it has room for, or a call site without any", d->chunk);
    if (wrong == NULL) {
        m->named_frames =
            vbt_grow(m->named_frames, &m->named_frame_capacity, m->named_frame_count + frames, sizeof *m->named_frames);
        wrong = get_frames(d, m->named_frames + m->named_frame_count, frames);
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

static char *decode_sources(struct decoder *d) {
    struct vbt_model *m = d->model;
    uint64_t count, bad_string = 0;
    char *wrong = get_count(d, &count, 4, m->source_row_count, MAX_SITES);
    if (wrong != NULL)
        return wrong;
    m->source_rows = vbt_grow(m->source_rows, &m->source_row_capacity, m->source_row_count + count, sizeof *m->source_rows);
    struct vbt_source_row *rows = m->source_rows + m->source_row_count;
    for (uint64_t i = 0; i < count; i++)
        rows[i] = (struct vbt_source_row){.file = get_id(d, m->string_count, &bad_string)};
    for (uint64_t i = 0; i < count; i++)
        rows[i].line = get_line(d);
    for (uint64_t i = 0; i < count; i++)
        rows[i].changed = vbt_get_varint(&d->r) != 0;
    size_t text_size = m->source_text_size;
    for (uint64_t i = 0; i < count; i++) {
        const char *bytes = vbt_get_string(&d->r, &rows[i].size);
        rows[i].text = text_size;
        m->source_text = vbt_grow(m->source_text, &m->source_text_capacity, text_size + rows[i].size + 1, 1);
        memcpy(m->source_text + text_size, bytes, rows[i].size);
        text_size += rows[i].size;
    }
    wrong = check_ids(d, bad_string, "string");
    if (wrong == NULL && text_size > MAX_TEXT)
        wrong = vbt_text("%s: more than %d bytes of text in all, which no trace has", d->chunk, MAX_TEXT);
    if (wrong != NULL)
        return wrong;
    m->symbolized = true;
    m->source_row_count += count;
    m->source_text_size = text_size;
    return NULL;
}

char *vbt_decode(struct vbt_model *model, const struct vbt_chunk *chunk) {
    static char *(*const decoders[VBT_CHUNK_KINDS])(struct decoder *) = {
        [VBT_CHUNK_PROCESS] = decode_process,     [VBT_CHUNK_STRINGS] = decode_strings,
        [VBT_CHUNK_CODES] = decode_codes,         [VBT_CHUNK_SITES] = decode_sites,
        [VBT_CHUNK_NODES] = decode_nodes,         [VBT_CHUNK_MODULES] = decode_modules,
        [VBT_CHUNK_STATE] = decode_state,         [VBT_CHUNK_COUNTERS] = decode_counters,
        [VBT_CHUNK_INTERVALS] = decode_intervals, [VBT_CHUNK_INTERVAL_SITES] = decode_interval_sites,
        [VBT_CHUNK_TIMELINE] = decode_timeline,   [VBT_CHUNK_END] = decode_end,
        [VBT_CHUNK_FRAMES] = decode_frames,       [VBT_CHUNK_SOURCES] = decode_sources,
    };
    struct decoder decoder = {
        .model = model,
        .r = {.at = chunk->raw, .end = chunk->raw + chunk->header.raw_size, .bad = false},
        .chunk = vbt_chunk_name((int)chunk->header.kind),
    };
    return decoders[chunk->header.kind](&decoder);
}

void vbt_decode_begin(struct vbt_model *m) {
    m->string_at = vbt_grow(NULL, &m->string_capacity, 1, sizeof *m->string_at);
    add_string(m, 0, &m->text_size, "", 0);
    m->codes = vbt_grow(NULL, &m->code_capacity, 1, sizeof *m->codes);
    m->codes[0] = (struct vbt_code){0};
    m->sites = vbt_grow(NULL, &m->site_capacity, 1, sizeof *m->sites);
    m->sites[0] = (struct vbt_site){.kind = VBT_SITE_SPECIAL};
    m->nodes = vbt_grow(NULL, &m->node_capacity, 1, sizeof *m->nodes);
    m->nodes[0] = (struct vbt_node){0};
    m->counters = vbt_grow(NULL, &m->counters_capacity, 1, sizeof *m->counters);
    m->counters[0] = (struct vbt_counters){0};
    m->counters_count = 1;
}

/* One timeline: the thinned ticks, and behind them those that came later. */
static void join_ticks(struct vbt_model *m) {
    for (size_t i = m->ticks.first; i < m->ticks.count; i++)
        add_tick(&m->thinned, m->ticks.rows[i]);
    free(m->ticks.rows);
    m->ticks = m->thinned;
    m->thinned = (struct vbt_ticks){0};
}

/* Nodes that were last written before the newest peak have not changed since: what they have live they had then. */
static void settle_peak(struct vbt_model *m) {
    for (size_t i = 0; i < m->counters_count; i++)
        if (m->counters[i].time < (uint64_t)m->state[VBT_STATE_PEAK_TIME])
            m->counters[i].at_peak_bytes = m->counters[i].live_bytes;
}

void vbt_decode_finish(struct vbt_model *m) {
    if (m->has_state)
        settle_peak(m);
    join_ticks(m);
    compact_intervals(m);
    compact_interval_sites(m);
    free(m->scratch);
    m->scratch = NULL;
    m->scratch_capacity = 0;
}
