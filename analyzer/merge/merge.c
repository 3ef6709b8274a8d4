/* See merge.h. The steps are in files of their own: merged_definitions.c, merged_counts.c,
 * merged_details.c, merged_processes.c, merged_order.c. */
#include "merge.h"

#include "merging.h"
#include "process_list.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/trace/decode/decode.h"

#include <stdlib.h>
#include <string.h>

struct vbt_merging *vbt_merge_begin(bool with_sizes, bool by_process) {
    struct vbt_merging *g = vbt_new(1, sizeof *g);
    g->sum.with_sizes = with_sizes;
    g->by_process = by_process;
    vbt_decode_begin(&g->sum);
    vbt_counters_begin_chunk(&g->sum, UINT64_MAX, 0); /* after the peak: what was live then is always given */
    g->sum.named_sites = vbt_grow(NULL, &g->sum.named_site_capacity, 1, sizeof *g->sum.named_sites);
    g->sum.named_sites[0] = (struct vbt_named_site){0};
    g->sum.named_site_count = 1;
    return g;
}

/* The latest of the states that the parts of the run were taken at, from the start of the first
 * process; until the end, that of each process. */
static void add_window(struct vbt_model_window *window, const struct vbt_model *from) {
    uint64_t began = (uint64_t)vbt_model_process_number(from, "started");
    window->details = window->asked ? window->details & from->window.details : from->window.details;
    window->asked = window->asked || from->window.asked;
    window->is_part = window->is_part || from->window.is_part;
    window->peak_unknown = window->peak_unknown || from->window.peak_unknown;
    window->rss_unknown = window->rss_unknown || from->window.rss_unknown;
    window->begun = from->window.begun;
    window->ended = from->window.ended;
    if (from->window.from > 0 && began + from->window.from > window->from)
        window->from = began + from->window.from;
    if (from->window.to > 0 && began + from->window.to > window->to)
        window->to = began + from->window.to;
}

void vbt_merge_choose_moment(struct vbt_merging *g, int64_t started, uint64_t time) {
    g->with_moment = true;
    g->moment_started = started;
    g->moment = time;
}

void vbt_merge_add(struct vbt_merging *g, struct vbt_model *from, const bool *keep) {
    struct vbt_translation t;
    g->sum.file_bytes += from->file_bytes;
    for (int kind = 0; kind < VBT_CHUNK_KINDS; kind++) {
        g->sum.chunks[kind].count += from->chunks[kind].count;
        g->sum.chunks[kind].stored += from->chunks[kind].stored;
        g->sum.chunks[kind].raw += from->chunks[kind].raw;
    }
    add_window(&g->sum.window, from);
    vbt_translation_begin(&t, g, from);
    vbt_merging_add_nodes(g, &t);
    vbt_merging_add_details(g, &t, keep == NULL);
    if (keep != NULL)
        g->sum.with_sizes = false; /* they are not known by process */
    struct vbt_moment moment = {0};
    if (g->with_moment)
        vbt_moment_find(&moment, from, g->moment_started, g->moment);
    vbt_merging_add_processes(g, &t, from, keep);
    vbt_merging_add_counts(g, &t, keep, g->with_moment ? &moment : NULL);
    if (moment.distance > g->farthest)
        g->farthest = moment.distance;
    vbt_moment_free(&moment);
    if (from->changes != NULL && !vbt_model_is_merged(from)) /* which was merged has no history */
        vbt_changes_add(&g->sum, from, t.nodes);
    vbt_translation_end(&t);
}

/* Two rows of one process: it is in the sum twice. */
static char *find_twice(const struct vbt_model *sum) {
    for (size_t i = 1; i < sum->process_rows; i++) {
        const struct vbt_model *a = &sum->processes[i - 1], *b = &sum->processes[i];
        const char *host_a = vbt_model_process(a, "host"), *host_b = vbt_model_process(b, "host");
        int64_t started = vbt_model_process_number(a, "started"), pid = vbt_model_process_number(a, "pid");
        if (started == 0 || pid == 0 || started != vbt_model_process_number(b, "started") ||
            pid != vbt_model_process_number(b, "pid") || strcmp(host_a != NULL ? host_a : "", host_b != NULL ? host_b : "") != 0)
            continue;
        char *label = vbt_process_label(a);
        char *problem = strcmp(a->path, b->path) <= 0 ? vbt_text("%s and %s both hold the process %s", a->path, b->path, label)
                                                      : vbt_text("%s and %s both hold the process %s", b->path, a->path, label);
        free(label);
        return problem;
    }
    return NULL;
}

static void free_tables(struct vbt_merging *g) {
    vbt_id_table_free(&g->strings);
    vbt_id_table_free(&g->codes);
    vbt_id_table_free(&g->modules);
    vbt_id_table_free(&g->sites);
    vbt_id_table_free(&g->nodes);
    vbt_id_table_free(&g->intervals);
    vbt_id_table_free(&g->interval_sites);
    vbt_id_table_free(&g->lines);
    vbt_id_table_free(&g->sources);
}

/* How much of what all had together is known by call path. */
static void add_moment(struct vbt_model *sum, uint64_t farthest) {
    sum->together.by_path = true;
    sum->together.farthest = farthest;
    for (size_t i = 1; i <= sum->node_count; i++)
        if (sum->nodes[i].counters != 0 && sum->nodes[i].domain != VBT_DOMAIN_MAP)
            sum->together.by_path_bytes += vbt_counters_at_peak(sum, i);
}

char *vbt_merge_end(struct vbt_merging *g, struct vbt_model *model) {
    free_tables(g);
    vbt_merging_order(g);
    if (g->sum.process_rows > 0)
        vbt_merging_describe(g);
    if (g->with_moment)
        add_moment(&g->sum, g->farthest);
    uint64_t began = (uint64_t)vbt_model_process_number(&g->sum, "started");
    g->sum.window.from -= g->sum.window.from > 0 ? began : 0;
    g->sum.window.to -= g->sum.window.to > 0 ? began : 0;
    bool knows_maps = !g->sum.window.is_part || vbt_part_knows(&g->sum.window, VBT_DETAIL_MAPS);
    g->sum.has_maps = g->sum.has_maps && knows_maps;
    g->sum.symbolized = !g->any_unnamed && (g->sum.named_frame_count > 0 || g->sum.source_row_count > 0);
    char *problem = find_twice(&g->sum);
    *model = g->sum;
    free(g);
    return problem;
}
