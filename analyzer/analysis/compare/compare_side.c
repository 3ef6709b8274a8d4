/* See compare_side.h. */
#include "analyzer/base/hash.h"

#include "compare_side.h"

#include "compare_libraries.h"

#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/analysis/intervals.h"
#include "analyzer/analysis/lines.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/symbols/module_name.h"

#include <stdlib.h>
#include <string.h>

void vbt_side_begin(struct vbt_side *side, size_t run_count) {
    *side = (struct vbt_side){.runs = vbt_new(run_count, sizeof *side->runs), .run_count = run_count};
    vbt_values_begin(&side->lines, run_count, VBT_C_KINDS);
    vbt_values_begin(&side->path_values, run_count, VBT_C_KINDS);
    vbt_values_begin(&side->module_values, run_count, VBT_C_KINDS);
    vbt_values_begin(&side->section_values, run_count, VBT_S_NUMBERS);
    side->paths = vbt_grow(side->paths, &side->path_capacity, 1, sizeof *side->paths);
    side->paths[side->path_count++] = (struct vbt_compared_path){0};
}

static void free_run(struct vbt_compared_run *run) {
    char *const texts[] = {run->name, run->program, run->python, run->libc,      run->vbtrace,  run->exe,
                           run->host, run->native,  run->cwd,    run->allocator, run->libraries};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

void vbt_side_free(struct vbt_side *side) {
    for (size_t i = 0; i < side->added; i++)
        free_run(&side->runs[i]);
    for (size_t i = 1; i <= side->module_count; i++)
        free(side->modules[i]);
    for (size_t i = 0; i < side->section_count; i++)
        free(side->sections[i].label);
    free(side->runs);
    free(side->modules);
    free(side->sections);
    free(side->paths);
    vbt_id_table_free(&side->path_table);
    vbt_id_table_free(&side->section_table);
    vbt_compared_places_free(&side->places);
    vbt_values_free(&side->lines);
    vbt_values_free(&side->path_values);
    vbt_values_free(&side->module_values);
    vbt_values_free(&side->section_values);
    *side = (struct vbt_side){0};
}

/* A run that is being added: its trace, and the ids of its places and their modules by their
 * index. */
struct adding {
    struct vbt_side *side;
    struct vbt_trace *trace;
    size_t run;
    uint32_t *ids, *modules;
    size_t count, capacity, module_count, module_capacity;
};

/* The element of an array that grows with zeros. */
static uint32_t *element(uint32_t **array, size_t *capacity, size_t *count, size_t index) {
    *array = vbt_grow(*array, capacity, index + 1, sizeof **array);
    while (*count <= index)
        (*array)[(*count)++] = 0;
    return &(*array)[index];
}

/* The first line of a function, if it holds limits; for the caller to free. */
static char *head_of(struct adding *a, const struct vbt_source_place *place, int64_t first_line) {
    size_t size = 0;
    const char *source = place->user && first_line > 0 ? vbt_source_line(a->trace->sources, place->file, first_line, &size) : NULL;
    return source != NULL && memmem(source, size, "vbtrace:", 8) != NULL ? vbt_copy(source, size) : NULL;
}

/* first_line: of its function; 0: unknown. */
static uint32_t know_place(struct adding *a, const struct vbt_source_place *place, int64_t first_line) {
    uint32_t *id = element(&a->ids, &a->capacity, &a->count, place->index);
    if (*id != 0)
        return *id;
    struct vbt_compared_places *places = &a->side->places;
    const struct vbt_compared_function function = {.file = vbt_compared_file_id(places, place->file),
                                                   .name = (char *)(uintptr_t)place->function,
                                                   .head = head_of(a, place, first_line),
                                                   .first_line = first_line,
                                                   .kind = place->kind,
                                                   .user = place->user};
    uint32_t owner = vbt_compared_function_id(places, &function);
    free(function.head);
    size_t size, before = places->count;
    const char *source = vbt_source_line(a->trace->sources, place->file, place->line, &size);
    if (source != NULL && vbt_source_changed(a->trace->sources, place->file))
        source = NULL;
    *id = vbt_compared_place_id(places, owner, place->line, source, size);
    a->side->without_source += places->count > before && place->user && place->line > 0 && source == NULL;
    return *id;
}

/* Only the frames of a site know where a function begins. */
static void know_places(struct adding *a) {
    const struct vbt_model *m = &a->trace->model;
    bool *asked = vbt_new(m->site_count + 1, sizeof *asked), *leads = vbt_new(m->node_count + 1, sizeof *leads);
    for (size_t i = m->node_count; i > 0; i--) {
        leads[i] = leads[i] || a->trace->counts[i];
        leads[m->nodes[i].parent] = leads[m->nodes[i].parent] || leads[i];
        asked[m->nodes[i].site] = asked[m->nodes[i].site] || leads[i];
    }
    for (uint32_t site = 1; site <= m->site_count; site++) {
        size_t count = 0;
        const struct vbt_source_frame *frames = asked[site] ? vbt_frames_of_site(a->trace->places, site, &count) : NULL;
        for (size_t i = 0; i < count; i++)
            know_place(a, frames[i].place, frames[i].function->line);
    }
    free(asked);
    free(leads);
}

static void take_lines(struct adding *a, bool by_leaf) {
    struct vbt_trace *trace = a->trace;
    struct vbt_lines lines;
    vbt_lines_build(&lines, &trace->model, trace->places, by_leaf ? trace->attribution.leaf : trace->attribution.user,
                    trace->counts, !by_leaf);
    for (size_t i = 0; i < lines.count; i++) {
        const struct vbt_sums *s = &lines.rows[i].sums;
        const int64_t counts[VBT_C_KINDS] = {
            [VBT_C_ALLOCS] = (int64_t)s->allocs, [VBT_C_BYTES] = (int64_t)s->allocated, [VBT_C_PEAK] = s->at_peak_bytes,
            [VBT_C_LEFT] = s->live_bytes,        [VBT_C_BLOCKS] = s->live_blocks,       [VBT_C_TEMPORARY] = (int64_t)s->temporary};
        vbt_counts_add(vbt_values_at(&a->side->lines, know_place(a, lines.rows[i].place, 0), a->run), counts);
    }
    vbt_lines_free(&lines);
}

struct section_wish {
    const struct vbt_side *side;
    struct vbt_compared_section section;
};

/* Ids are 1 more than rows. */
static bool is_section(const void *context, uint32_t id) {
    const struct section_wish *wish = context;
    const struct vbt_compared_section *a = &wish->side->sections[id - 1], *b = &wish->section;
    return a->section == b->section && a->from == b->from && a->to == b->to && strcmp(a->label, b->label) == 0;
}

static uint32_t section_id(struct vbt_side *side, const struct vbt_interval_row *row, uint32_t from, uint32_t to) {
    const struct section_wish wish = {side, {row->section, (char *)(uintptr_t)row->label, from, to}};
    uint64_t key = ((uint64_t)from << 32 | to) ^ vbt_hash_key();
    uint32_t hash = (uint32_t)XXH64(row->label, strlen(row->label), key);
    struct vbt_id_slot *slot = vbt_id_table_find(&side->section_table, hash, is_section, &wish);
    if (slot->id != 0)
        return slot->id - 1;
    side->sections = vbt_grow(side->sections, &side->section_capacity, side->section_count + 1, sizeof *side->sections);
    side->sections[side->section_count] = wish.section;
    side->sections[side->section_count].label = vbt_copy(row->label, strlen(row->label));
    vbt_id_table_take(&side->section_table, slot, (uint32_t)++side->section_count);
    return slot->id - 1;
}

static void take_sections(struct adding *a) {
    static const int of[VBT_S_NUMBERS] = {
        [VBT_S_ALLOCS] = VBT_Q_ALLOCS, [VBT_S_FREES] = VBT_Q_FREES, [VBT_S_BYTES] = VBT_Q_ALLOCATED,
        [VBT_S_FREED] = VBT_Q_FREED,   [VBT_S_NET] = VBT_Q_NET,     [VBT_S_TIME] = VBT_Q_TIME};
    struct vbt_trace *trace = a->trace;
    struct vbt_interval_list list;
    vbt_interval_list_build(&list, &trace->model, trace->places, trace->attribution.leaf,
                            vbt_filter_selects_stacks(trace->filter) ? trace->counts : NULL);
    for (size_t i = 0; i < list.count; i++) {
        const struct vbt_interval_row *row = &list.rows[i];
        uint32_t from = know_place(a, row->from, 0), to = know_place(a, row->to, 0);
        int64_t *values = vbt_values_at(&a->side->section_values, section_id(a->side, row, from, to), a->run);
        values[VBT_S_COUNT] = (int64_t)row->count;
        values[VBT_S_ITERATIONS] = (int64_t)row->iterations;
        values[VBT_S_HIGH] = row->of[VBT_Q_HIGH].max;
        for (int number = VBT_S_ALLOCS; number < VBT_S_NUMBERS; number++)
            if (number != VBT_S_HIGH)
                values[number] = row->of[of[number]].total;
    }
    vbt_interval_list_free(&list);
}

static void counts_of(const struct vbt_measures *measures, int64_t counts[VBT_C_KINDS]) {
    static const enum vbt_measure of[VBT_C_KINDS] = {
        [VBT_C_ALLOCS] = VBT_MEASURE_ALLOCS, [VBT_C_BYTES] = VBT_MEASURE_BYTES,        [VBT_C_PEAK] = VBT_MEASURE_PEAK,
        [VBT_C_LEFT] = VBT_MEASURE_LIVE,     [VBT_C_BLOCKS] = VBT_MEASURE_LIVE_BLOCKS, [VBT_C_TEMPORARY] = VBT_MEASURE_TEMPORARY};
    for (int i = 0; i < VBT_C_KINDS; i++)
        counts[i] = measures->of[of[i]];
}

/* The module of a place; NULL: there is no call stack. */
static uint32_t module_id(struct adding *a, const struct vbt_source_place *place) {
    struct vbt_side *side = a->side;
    uint32_t *id = element(&a->modules, &a->module_capacity, &a->module_count, place != NULL ? (size_t)place->index + 1 : 0);
    if (*id != 0)
        return *id;
    char *name = place != NULL ? vbt_module_name(place) : vbt_text("(no call stack)");
    uint32_t found = 1;
    while (found <= side->module_count && strcmp(side->modules[found], name) != 0)
        found++;
    if (found > side->module_count) {
        side->modules = vbt_grow(side->modules, &side->module_capacity, side->module_count + 2, sizeof *side->modules);
        side->modules[++side->module_count] = name;
    } else {
        free(name);
    }
    return *id = found;
}

struct path_wish {
    const struct vbt_side *side;
    struct vbt_compared_path path;
};

static bool is_path(const void *context, uint32_t id) {
    const struct path_wish *wish = context;
    const struct vbt_compared_path *a = &wish->side->paths[id], *b = &wish->path;
    return a->parent == b->parent && a->place == b->place && a->inlined == b->inlined;
}

static uint32_t path_id(struct vbt_side *side, struct vbt_compared_path path) {
    const struct path_wish wish = {side, path};
    const uint64_t key[2] = {(uint64_t)path.parent << 32 | path.place, path.inlined};
    struct vbt_id_slot *slot =
        vbt_id_table_find(&side->path_table, (uint32_t)XXH64(key, sizeof key, vbt_hash_key()), is_path, &wish);
    if (slot->id != 0)
        return slot->id;
    side->paths = vbt_grow(side->paths, &side->path_capacity, side->path_count + 1, sizeof *side->paths);
    side->paths[side->path_count] = path;
    vbt_id_table_take(&side->path_table, slot, (uint32_t)side->path_count);
    return (uint32_t)side->path_count++;
}

static void take_paths(struct adding *a) {
    const struct vbt_call_tree_shape shape = {.unit = VBT_CALL_LINE, .by = VBT_BY_NOTHING};
    struct vbt_call_tree tree;
    vbt_call_tree_build(&tree, a->trace, &shape);
    uint32_t *ids = vbt_new(tree.count, sizeof *ids);
    for (uint32_t i = 0; i < tree.count; i++) {
        const struct vbt_source_place *place = i > 0 ? vbt_call_place(&tree, i) : NULL;
        if (i > 0)
            ids[i] = path_id(a->side, (struct vbt_compared_path){.parent = ids[tree.calls[i].parent],
                                                                 .place = know_place(a, place, 0),
                                                                 .inlined = tree.calls[i].inlined});
        const struct vbt_measures self = vbt_call_self(&tree, i);
        int64_t counts[VBT_C_KINDS];
        counts_of(&self, counts);
        vbt_counts_add(vbt_values_at(&a->side->path_values, ids[i], a->run), counts);
        if (tree.calls[i].counts != 0)
            vbt_counts_add(vbt_values_at(&a->side->module_values, module_id(a, place), a->run), counts);
    }
    struct vbt_compared_run *run = &a->side->runs[a->run];
    const struct vbt_measures all = {{0}};
    int64_t sums[VBT_C_KINDS];
    struct vbt_measures totals = all;
    memcpy(totals.of, tree.totals, sizeof totals.of);
    counts_of(&totals, sums);
    for (int i = 0; i < VBT_C_KINDS; i++)
        if (!run->apart || i == VBT_C_PEAK)
            run->counts[i] = sums[i];
    free(ids);
    vbt_call_tree_free(&tree);
}

static char *value_of(const struct vbt_model *m, const char *key) {
    const char *value = vbt_model_process(m, key);
    return value != NULL ? vbt_copy(value, strlen(value)) : NULL;
}

static void describe(struct vbt_compared_run *run, const struct vbt_trace *trace, const struct vbt_query *query, const char *name) {
    const struct vbt_model *m = &trace->model;
    const struct vbt_domain_totals all = vbt_all_totals(m);
    *run = (struct vbt_compared_run){.name = vbt_copy(name, strlen(name)),
                                     .program = vbt_process_program(m),
                                     .python = value_of(m, "python"),
                                     .libc = value_of(m, "libc"),
                                     .vbtrace = value_of(m, "vbtrace"),
                                     .exe = value_of(m, "exe"),
                                     .host = value_of(m, "host"),
                                     .native = value_of(m, "native"),
                                     .cwd = value_of(m, "cwd"),
                                     .allocator = vbt_allocator_of(m),
                                     .libraries = vbt_libraries_of(m),
                                     .processes = vbt_model_is_merged(m) ? m->process_rows : 1,
                                     .threads = m->state[VBT_STATE_THREADS],
                                     .complete = vbt_model_complete(m),
                                     .lost = vbt_lost_total(m),
                                     .duration = vbt_model_duration(m),
                                     .peak = m->state[VBT_STATE_PEAK],
                                     .peak_error = m->state[VBT_STATE_PEAK_ERROR],
                                     .max_rss = m->state[VBT_STATE_MAX_RSS]};
    run->apart = run->complete && query->filter_count == 0;
    run->counts[VBT_C_ALLOCS] = (int64_t)all.allocs;
    run->counts[VBT_C_BYTES] = (int64_t)all.allocated;
    run->counts[VBT_C_LEFT] = all.live_bytes;
    run->counts[VBT_C_BLOCKS] = all.live_blocks;
    run->counts[VBT_C_TEMPORARY] = (int64_t)all.temporary;
    vbt_course_get(&run->course, m);
}

bool vbt_side_add(struct vbt_side *side, const struct vbt_query *query, const char *name) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return false;
    struct adding adding = {.side = side, .trace = &trace, .run = side->added};
    vbt_trace_attribute(&trace);
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    describe(&side->runs[side->added++], &trace, query, name);
    if (side->places.program == NULL)
        side->places.program = value_of(&trace.model, "exe");
    const char *native = vbt_model_process(&trace.model, "native");
    side->any_full = side->any_full || (native != NULL && strcmp(native, "full") == 0);
    know_places(&adding);
    take_lines(&adding, query->by_leaf);
    take_sections(&adding);
    take_paths(&adding);
    free(adding.ids);
    free(adding.modules);
    vbt_trace_free(&trace);
    return true;
}
