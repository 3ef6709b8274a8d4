/* Puts the sum of traces into an order that depends on its content alone, so that it is the same in
 * whichever order the traces were added. See merging.h. */
#include "merging.h"

#include "analyzer/base/allocate.h"
#include "analyzer/trace/process_shares.h"

#include <stdlib.h>
#include <string.h>

/* Addresses of mapped parts of files begin here, above those of any process, and are so far
 * apart. */
enum { PART_BITS = 40 };
static const uint64_t first_part = UINT64_C(1) << 48;

typedef int compare_ids(const void *left, const void *right, void *model);

/* Numbers `count` things, from `first` on, in their order: returns the new number of each, by its
 * old one, for the caller to free. *in_order, if it is asked for: the old ones in the new order. */
static uint32_t *number(size_t first, size_t count, compare_ids *compare, struct vbt_model *m, uint32_t **in_order) {
    uint32_t *order = vbt_new(count, sizeof *order), *numbers = vbt_new(first + count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)(first + i);
    if (count > 0)
        qsort_r(order, count, sizeof *order, compare, m);
    for (size_t i = 0; i < count; i++)
        numbers[order[i]] = (uint32_t)(first + i);
    *in_order = order;
    return numbers;
}

static int by_number(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static uint32_t id_at(const void *at) { return *(const uint32_t *)at; }

static int by_string(const void *left, const void *right, void *model) {
    return strcmp(vbt_model_string(model, id_at(left)), vbt_model_string(model, id_at(right)));
}

/* Moves the text, too: what strings lie where depends on the order of the traces. */
static uint32_t *order_strings(struct vbt_model *m) {
    uint32_t *order, *numbers = number(1, m->string_count, by_string, m, &order);
    char *text = vbt_new(m->text_size, 1);
    size_t *at = vbt_new(m->string_count + 1, sizeof *at), size = 1;
    for (size_t i = 1; i <= m->string_count; i++) {
        const char *string = vbt_model_string(m, order[i - 1]);
        at[i] = size;
        size = (size_t)(stpcpy(text + size, string) - text) + 1;
    }
    free(m->text);
    free(m->string_at);
    m->text = text;
    m->string_at = at;
    free(order);
    return numbers;
}

static int by_code(const void *left, const void *right, void *model) {
    const struct vbt_model *m = model;
    const struct vbt_model_code *a = &m->codes[id_at(left)], *b = &m->codes[id_at(right)];
    int order = by_number(a->file, b->file);
    order = order != 0 ? order : by_number(a->name, b->name);
    order = order != 0 ? order : by_number((uint64_t)a->first_line, (uint64_t)b->first_line);
    return order != 0 ? order : by_number(a->flags, b->flags);
}

static uint32_t *order_codes(struct vbt_model *m, const uint32_t *strings) {
    for (size_t i = 1; i <= m->code_count; i++) {
        m->codes[i].file = strings[m->codes[i].file];
        m->codes[i].name = strings[m->codes[i].name];
    }
    uint32_t *order, *numbers = number(1, m->code_count, by_code, m, &order);
    struct vbt_model_code *codes = vbt_new(m->code_count + 1, sizeof *codes);
    for (size_t i = 1; i <= m->code_count; i++)
        codes[i] = m->codes[order[i - 1]];
    free(m->codes);
    m->codes = codes;
    free(order);
    return numbers;
}

static int by_module(const void *left, const void *right, void *model) {
    const struct vbt_model *m = model;
    const struct vbt_model_module *a = &m->modules[id_at(left)], *b = &m->modules[id_at(right)];
    int order = by_number(a->id == 0, b->id == 0);
    order = order != 0 ? order : strcmp(a->path, b->path);
    order = order != 0 ? order : by_number(a->build_id_size, b->build_id_size);
    order = order != 0 ? order : memcmp(a->build_id, b->build_id, a->build_id_size);
    return order != 0 ? order : by_number(a->linked, b->linked);
}

static uint32_t *order_modules(struct vbt_model *m) {
    uint32_t *order, *numbers = number(0, m->module_count, by_module, m, &order);
    struct vbt_model_module *modules = vbt_new(m->module_count, sizeof *modules);
    m->module_by_id = vbt_grow(m->module_by_id, &m->module_id_capacity, m->module_count + 1, sizeof *m->module_by_id);
    for (size_t i = 0; i < m->module_count; i++) {
        struct vbt_model_module *module = &modules[i];
        *module = m->modules[order[i]];
        if (module->id != 0) { /* these are first */
            module->id = (uint32_t)++m->module_id_count;
            m->module_by_id[module->id] = (uint32_t)i;
        } else {
            module->start = first_part + ((uint64_t)i << PART_BITS);
            module->end += module->start;
        }
    }
    free(m->modules);
    m->modules = modules;
    free(order);
    return numbers;
}

static int by_frames(const struct vbt_model *m, uint32_t left, uint32_t right) {
    const struct vbt_named_site *a = &m->named_sites[left], *b = &m->named_sites[right];
    int order = by_number(a->count, b->count);
    order = order != 0 ? order : by_number(a->state, b->state);
    for (uint32_t i = 0; i < a->count && order == 0; i++) {
        const struct vbt_named_frame *x = &m->named_frames[a->first + i], *y = &m->named_frames[b->first + i];
        order = by_number(x->function, y->function);
        order = order != 0 ? order : by_number(x->file, y->file);
        order = order != 0 ? order : by_number(x->declared_file, y->declared_file);
        order = order != 0 ? order : by_number((uint64_t)x->line, (uint64_t)y->line);
        order = order != 0 ? order : by_number((uint64_t)x->declared_line, (uint64_t)y->declared_line);
    }
    return order;
}

static int by_site(const void *left, const void *right, void *model) {
    const struct vbt_model *m = model;
    const struct vbt_model_site *a = &m->sites[id_at(left)], *b = &m->sites[id_at(right)];
    int order = by_number(a->kind, b->kind);
    order = order != 0 ? order : by_number(a->module, b->module);
    order = order != 0 ? order : by_number(a->a, b->a);
    order = order != 0 ? order : by_number((uint64_t)a->b, (uint64_t)b->b);
    return order != 0 ? order : by_frames(m, id_at(left), id_at(right));
}

/* A native site's address becomes one in the process that the merged trace is of. */
static void place_site(const struct vbt_model *m, struct vbt_model_site *site) {
    if (site->kind != VBT_SITE_NATIVE || site->module == 0)
        return;
    const struct vbt_model_module *module = &m->modules[site->module - 1];
    site->a += module->id != 0 ? 0 : module->start;
    site->module = module->id;
}

static uint32_t *order_sites(struct vbt_model *m, const uint32_t *strings, const uint32_t *codes, const uint32_t *modules) {
    for (size_t i = 1; i <= m->site_count; i++) {
        struct vbt_model_site *site = &m->sites[i];
        if (site->kind == VBT_SITE_PYTHON)
            site->a = codes[site->a];
        else if (site->kind == VBT_SITE_SPECIAL)
            site->a = strings[site->a];
        else if (site->module != 0)
            site->module = modules[site->module - 1] + 1;
    }
    for (size_t i = 0; i < m->named_frame_count; i++) {
        struct vbt_named_frame *frame = &m->named_frames[i];
        frame->function = strings[frame->function];
        frame->file = strings[frame->file];
        frame->declared_file = strings[frame->declared_file];
    }
    uint32_t *order, *numbers = number(1, m->site_count, by_site, m, &order);
    struct vbt_model_site *sites = vbt_new(m->site_count + 1, sizeof *sites);
    struct vbt_named_site *named = vbt_new(m->site_count + 1, sizeof *named);
    sites[0] = m->sites[0];
    for (size_t i = 1; i <= m->site_count; i++) {
        sites[i] = m->sites[order[i - 1]];
        named[i] = m->named_sites[order[i - 1]];
        place_site(m, &sites[i]);
    }
    free(m->sites);
    free(m->named_sites);
    m->sites = sites;
    m->named_sites = named;
    m->named_site_count = m->site_count + 1;
    free(order);
    return numbers;
}

static int by_node(const void *left, const void *right, void *model) {
    const struct vbt_model *m = model;
    const struct vbt_model_node *a = &m->nodes[id_at(left)], *b = &m->nodes[id_at(right)];
    int order = by_number(a->site, b->site);
    return order != 0 ? order : by_number(a->domain, b->domain);
}

/* The children of each node, in order: children[begin[n]] to children[begin[n + 1] - 1]. */
static uint32_t *list_children(struct vbt_model *m, uint32_t *begin) {
    uint32_t *children = vbt_new(m->node_count, sizeof *children);
    for (size_t i = 1; i <= m->node_count; i++)
        begin[m->nodes[i].parent + 1]++;
    for (size_t i = 1; i <= m->node_count + 1; i++)
        begin[i] += begin[i - 1];
    for (uint32_t i = (uint32_t)m->node_count; i > 0; i--) /* begin[p + 1] goes down to where those of p begin */
        children[--begin[m->nodes[i].parent + 1]] = i;
    memmove(begin, begin + 1, (m->node_count + 1) * sizeof *begin);
    begin[m->node_count + 1] = (uint32_t)m->node_count;
    for (size_t i = 0; i <= m->node_count; i++)
        if (begin[i + 1] - begin[i] > 1)
            qsort_r(children + begin[i], begin[i + 1] - begin[i], sizeof *children, by_node, m);
    return children;
}

/* Depth first, a node before its children. */
static uint32_t *order_nodes(struct vbt_model *m, const uint32_t *sites) {
    for (size_t i = 1; i <= m->node_count; i++)
        m->nodes[i].site = sites[m->nodes[i].site];
    uint32_t *begin = vbt_new(m->node_count + 2, sizeof *begin), *children = list_children(m, begin);
    uint32_t *numbers = vbt_new(m->node_count + 1, sizeof *numbers), *stack = vbt_new(m->node_count + 1, sizeof *stack);
    struct vbt_model_node *nodes = vbt_new(m->node_count + 1, sizeof *nodes);
    size_t depth = 1, count = 0; /* the root lies on the stack */
    while (depth > 0) {
        uint32_t at = stack[--depth];
        if (at != 0) {
            numbers[at] = (uint32_t)++count;
            nodes[count] = m->nodes[at];
            nodes[count].parent = numbers[m->nodes[at].parent];
        }
        for (uint32_t i = begin[at + 1]; i > begin[at]; i--)
            stack[depth++] = children[i - 1];
    }
    free(m->nodes);
    m->nodes = nodes;
    m->node_capacity = m->node_count + 1;
    free(begin);
    free(children);
    free(stack);
    return numbers;
}

static int by_interval(const void *left, const void *right) {
    const struct vbt_model_interval *a = left, *b = right;
    int order = by_number(a->kind, b->kind);
    order = order != 0 ? order : by_number(a->from, b->from);
    order = order != 0 ? order : by_number(a->to, b->to);
    return order != 0 ? order : by_number(a->label, b->label);
}

static int by_interval_and_node(const void *left, const void *right) {
    const struct vbt_model_interval_site *a = left, *b = right;
    int order = by_number(a->interval, b->interval);
    return order != 0 ? order : by_number(a->node, b->node);
}

static void order_intervals(struct vbt_model *m, const uint32_t *strings, const uint32_t *sites, const uint32_t *nodes) {
    uint32_t *numbers = vbt_new(m->interval_count + 1, sizeof *numbers);
    for (size_t i = 0; i < m->interval_count; i++) {
        struct vbt_model_interval *row = &m->intervals[i];
        row->from = sites[row->from];
        row->to = sites[row->to];
        row->label = strings[row->label];
    }
    if (m->interval_count > 0)
        qsort(m->intervals, m->interval_count, sizeof *m->intervals, by_interval);
    for (size_t i = 0; i < m->interval_count; i++) {
        numbers[m->intervals[i].id] = (uint32_t)i + 1;
        m->intervals[i].id = i + 1;
        m->intervals[i].order = i;
    }
    for (size_t i = 0; i < m->interval_site_count; i++) {
        m->interval_sites[i].interval = numbers[m->interval_sites[i].interval];
        m->interval_sites[i].node = nodes[m->interval_sites[i].node];
    }
    if (m->interval_site_count > 0)
        qsort(m->interval_sites, m->interval_site_count, sizeof *m->interval_sites, by_interval_and_node);
    free(numbers);
}

static int by_line(const void *left, const void *right) {
    const struct vbt_model_line_counts *a = left, *b = right;
    return by_number(a->site, b->site);
}

static int by_source(const void *left, const void *right) {
    const struct vbt_model_source_row *a = left, *b = right;
    int order = by_number(a->file, b->file);
    return order != 0 ? order : by_number((uint64_t)a->line, (uint64_t)b->line);
}

static void order_lines(struct vbt_model *m, const uint32_t *strings, const uint32_t *sites) {
    for (size_t i = 0; i < m->line_counts_count; i++)
        m->line_counts[i].site = sites[m->line_counts[i].site];
    if (m->line_counts_count > 0) {
        qsort(m->line_counts, m->line_counts_count, sizeof *m->line_counts, by_line);
        m->line_of_site = vbt_new(m->site_count + 1, sizeof *m->line_of_site);
        m->line_of_site_count = m->line_of_site_capacity = m->site_count + 1;
    }
    for (size_t i = 0; i < m->line_counts_count; i++)
        m->line_of_site[m->line_counts[i].site] = (uint32_t)i + 1;
    for (size_t i = 0; i < m->source_row_count; i++)
        m->source_rows[i].file = strings[m->source_rows[i].file];
    if (m->source_row_count > 0)
        qsort(m->source_rows, m->source_row_count, sizeof *m->source_rows, by_source);
}

static int by_pair(const struct vbt_model *a, const struct vbt_model *b, const char *key) {
    const char *x = vbt_model_process(a, key), *y = vbt_model_process(b, key);
    return strcmp(x != NULL ? x : "", y != NULL ? y : "");
}

/* The file that a process is in does not matter. */
static int by_process(const void *left, const void *right, void *model) {
    const struct vbt_model *m = model, *a = &m->processes[id_at(left)], *b = &m->processes[id_at(right)];
    int order = by_number((uint64_t)vbt_model_process_number(a, "started"), (uint64_t)vbt_model_process_number(b, "started"));
    order = order != 0 ? order : by_pair(a, b, "host");
    order =
        order != 0 ? order : by_number((uint64_t)vbt_model_process_number(a, "pid"), (uint64_t)vbt_model_process_number(b, "pid"));
    order = order != 0 ? order : by_pair(a, b, "exe");
    return order != 0 ? order : memcmp(a->state, b->state, sizeof a->state);
}

static void order_processes(struct vbt_model *m, const uint32_t *nodes) {
    uint32_t *order, *numbers = number(0, m->process_rows, by_process, m, &order);
    struct vbt_model *rows = vbt_new(m->process_rows, sizeof *rows);
    for (size_t i = 0; i < m->process_rows; i++)
        rows[i] = m->processes[order[i]];
    free(m->processes);
    m->processes = rows;
    for (size_t i = 0; i < m->process_part_count; i++) {
        m->process_parts[i].node = nodes[m->process_parts[i].node];
        m->process_parts[i].process = numbers[m->process_parts[i].process];
    }
    vbt_process_shares_order(m);
    free(order);
    free(numbers);
}

static void order_changes(struct vbt_model *m, const uint32_t *nodes) {
    for (size_t i = 0; m->changes != NULL && i < m->changes->count; i++)
        m->changes->rows[i].node = nodes[m->changes->rows[i].node];
}

void vbt_merging_order(struct vbt_merging *g) {
    struct vbt_model *m = &g->sum;
    uint32_t *strings = order_strings(m), *codes = order_codes(m, strings), *modules = order_modules(m);
    uint32_t *sites = order_sites(m, strings, codes, modules), *nodes = order_nodes(m, sites);
    order_intervals(m, strings, sites, nodes);
    order_lines(m, strings, sites);
    order_processes(m, nodes);
    order_changes(m, nodes);
    free(strings);
    free(codes);
    free(modules);
    free(sites);
    free(nodes);
}
