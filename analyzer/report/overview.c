/* See overview.h. */
#include "overview.h"

#include "command_line.h"
#include "merged_report.h"
#include "json_rows.h"
#include "paragraph.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

static const char *const domain_names[VBT_DOMAINS] = {"heap", "python", "map"};
static const char *const map_kind_names[VBT_MAP_KINDS] = {"anonymous", "file", "arena"};

/* Prints the next of several facts in a line, or in the next line if it does not fit. Takes
 * ownership of the fact, which is text of the trace. *used: columns of the line so far. */
static void put_fact(struct vbt_output *output, size_t *used, char *fact) {
    static const char separator[] = " · ";
    char *printable = vbt_utf8_printable(fact, strlen(fact));
    size_t width = vbt_utf8_width(printable), gap = vbt_utf8_width(separator);
    bool fits = *used + gap + width <= output->width;
    fprintf(output->stream, "%s%s", *used == 0 ? "" : fits ? separator : "\n", printable);
    *used = *used > 0 && fits ? *used + gap + width : width;
    free(printable);
    free(fact);
}

void vbt_program_print(const struct vbt_model *m, struct vbt_output *output) {
    FILE *out = output->stream;
    char *command = vbt_model_is_merged(m) ? vbt_processes_title(m) : vbt_command_line(m);
    char *printable = vbt_utf8_cut_end(vbt_utf8_printable(command, strlen(command)), output->width);
    fprintf(out, "%s%s%s\n", output->bold, printable[0] != '\0' ? printable : "(unknown program)", output->normal);
    free(printable);
    free(command);

    const char *python = vbt_model_process(m, "python"), *libc = vbt_model_process(m, "libc"), *pid = vbt_model_process(m, "pid");
    const char *host = vbt_model_process(m, "host");
    int64_t started = vbt_model_process_number(m, "started");
    size_t used = 0;
    if (python != NULL || libc != NULL)
        put_fact(output, &used, vbt_text("%s%s", python != NULL ? "Python " : "", python != NULL ? python : libc));
    if (pid != NULL)
        put_fact(output, &used, vbt_text("pid %s%s%s", pid, host != NULL ? " on " : "", host != NULL ? host : ""));
    if (started > 0)
        put_fact(output, &used, vbt_text("started %s", vbt_date(started).text));
    put_fact(output, &used, vbt_text("ran %s", vbt_time((double)vbt_model_duration(m)).text));
    if (vbt_model_is_merged(m))
        put_fact(output, &used, vbt_text("%s", vbt_model_complete(m) ? "all complete" : "not all complete"));
    else if (vbt_model_complete(m))
        put_fact(output, &used, vbt_text("complete, %s%s", vbt_model_ended_how(m), m->end_reason));
    else
        put_fact(output, &used, vbt_text("%s", m->damage != NULL ? "damaged" : "cut off"));
    uint64_t missing = vbt_lost_total(m);
    if (missing > 0)
        put_fact(output, &used, vbt_text("%s lost", vbt_counted((int64_t)missing, "event").text));
    putc('\n', out);
}

static void put_domain(struct vbt_text_table *table, const char *name, const struct vbt_domain_totals *d, bool peak) {
    vbt_text_table_cell(table, "%s", name);
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)d->allocs).text);
    vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)d->allocated).text);
    vbt_text_table_cell(table, "%s", peak ? vbt_bytes(d->at_peak_bytes).text : "");
    vbt_text_table_cell(table, "%s", vbt_bytes(d->live_bytes).text);
    vbt_text_table_cell(table, "%s", vbt_count(d->live_blocks).text);
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)d->temporary).text);
    vbt_text_table_cell(table, "%s", vbt_count((int64_t)d->frees).text);
}

/* Prints all mapped memory, and each kind if there are several. */
static void put_mapped(struct vbt_text_table *table, const struct vbt_trace_totals *totals) {
    static const char *const names[VBT_MAP_KINDS] = {"  memory", "  files", "  arenas"};
    const struct vbt_domain_totals *all = &totals->domain[VBT_DOMAIN_MAP];
    put_domain(table, "mapped", all, true);
    for (int i = 0; i < VBT_MAP_KINDS; i++)
        if (totals->map[i].allocs + totals->map[i].inherited_blocks > 0 && totals->map[i].allocs != all->allocs)
            put_domain(table, names[i], &totals->map[i], false);
}

static bool has_several(const struct vbt_trace_totals *totals) {
    return totals->domain[VBT_DOMAIN_HEAP].allocs != 0 && totals->domain[VBT_DOMAIN_PYTHON].allocs != 0;
}

static bool has_maps(const struct vbt_trace_totals *totals) {
    return totals->domain[VBT_DOMAIN_MAP].allocs + totals->domain[VBT_DOMAIN_MAP].inherited_blocks != 0;
}

bool vbt_domains_differ(const struct vbt_model *m) {
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    return has_several(&totals) || has_maps(&totals);
}

bool vbt_domains_print(const struct vbt_model *m, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "", .width = 10},
        {.title = "Allocs", .align = VBT_RIGHT, .gap = 2},
        {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 1},
        {.title = "Left", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "Blocks left", .align = VBT_RIGHT, .gap = 2, .drop = 3},
        {.title = "Temp", .align = VBT_RIGHT, .gap = 2, .drop = 2},
        {.title = "Frees", .align = VBT_RIGHT, .gap = 2, .drop = 4},
    };
    static const char *const names[VBT_DOMAIN_MAP] = {"heap", "Python"};
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    bool several = has_several(&totals), maps = has_maps(&totals);
    if (!several && !maps)
        return false;
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    if (!vbt_measure_is_known(VBT_MEASURE_PEAK))
        vbt_text_table_omit(table, "At peak");
    for (int i = 0; i < VBT_DOMAIN_MAP; i++)
        if (totals.domain[i].allocs != 0)
            put_domain(table, names[i], &totals.domain[i], true);
    if (several)
        put_domain(table, "total", &totals.all, true);
    if (maps)
        put_mapped(table, &totals);
    vbt_text_table_print(table, output, 0);
    vbt_text_table_free(table);
    return true;
}

void vbt_part_print(const struct vbt_model *m, const struct vbt_query *query, struct vbt_output *output) {
    char *text = query->format == VBT_TEXT ? vbt_part_text(m, query) : NULL;
    if (text == NULL)
        return;
    vbt_paragraph_print(output, "", text, false);
    putc('\n', output->stream);
    free(text);
}

void vbt_incomplete_print(const struct vbt_model *m, const struct vbt_query *query, struct vbt_output *output) {
    char *text = query->format == VBT_TEXT && query->like == VBT_LIKE_OURS ? vbt_trace_incomplete(m) : NULL;
    if (text == NULL)
        return;
    putc('\n', output->stream);
    vbt_paragraph_print(output, "", text, false);
    free(text);
}

/* All values of a key that may be repeated. */
static json_t *values_of(const struct vbt_model *m, const char *key) {
    json_t *list = json_array();
    for (size_t i = 0; i < m->process_count; i++)
        if (strcmp(m->process[i].key, key) == 0)
            json_array_append_new(list, vbt_json_text(m->process[i].value));
    return list;
}

json_t *vbt_json_program(const struct vbt_model *m) {
    static const char *const texts[] = {"python", "python_status", "exe", "cwd", "host", "native", "libc", "vbtrace"};
    static const char *const numbers[] = {"pid", "ppid", "tick_ns", "page_size"};
    json_t *program = json_object();
    char *command = vbt_command_line(m);
    json_object_set_new(program, "command", vbt_json_text(command));
    free(command);
    json_object_set_new(program, "args", values_of(m, "arg"));
    for (size_t i = 0; i < VBT_COUNT(texts); i++)
        json_object_set_new(program, texts[i], vbt_json_text(vbt_model_process(m, texts[i])));
    for (size_t i = 0; i < VBT_COUNT(numbers); i++)
        json_object_set_new(program, numbers[i],
                            vbt_model_process(m, numbers[i]) != NULL ? json_integer(vbt_model_process_number(m, numbers[i]))
                                                                     : json_null());
    int64_t started = vbt_model_process_number(m, "started");
    json_object_set_new(program, "started", started > 0 ? vbt_json_text(vbt_iso_date(started).text) : json_null());
    json_object_set_new(program, "started_ns", json_integer(started));
    json_object_set_new(program, "duration_ns", vbt_json_unsigned(vbt_model_duration(m)));
    json_object_set_new(program, "options", values_of(m, "option"));
    return program;
}

static json_t *domain_of(const struct vbt_domain_totals *d, int64_t peak) {
    json_t *object = json_object();
    json_object_set_new(object, "allocs", vbt_json_unsigned(d->allocs));
    json_object_set_new(object, "frees", vbt_json_unsigned(d->frees));
    json_object_set_new(object, "allocated_bytes", vbt_json_unsigned(d->allocated));
    json_object_set_new(object, "freed_bytes", vbt_json_unsigned(d->freed));
    json_object_set_new(object, "live_blocks", json_integer(d->live_blocks));
    json_object_set_new(object, "live_bytes", json_integer(d->live_bytes));
    json_object_set_new(object, "peak_bytes", vbt_json_measure(VBT_MEASURE_PEAK, peak));
    json_object_set_new(object, "temporary_allocs", vbt_json_unsigned(d->temporary));
    json_object_set_new(object, "inherited_blocks", vbt_json_unsigned(d->inherited_blocks));
    json_object_set_new(object, "inherited_bytes", vbt_json_unsigned(d->inherited_bytes));
    return object;
}

json_t *vbt_json_totals(const struct vbt_model *m) {
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    json_t *object = domain_of(&totals.all, totals.peak_bytes);
    json_object_set_new(object, "peak_error_bytes", vbt_json_measure(VBT_MEASURE_PEAK, m->state[VBT_STATE_PEAK_ERROR]));
    json_object_set_new(object, "peak_time_ns", vbt_json_measure(VBT_MEASURE_PEAK, m->state[VBT_STATE_PEAK_TIME]));
    json_object_set_new(object, "max_rss_bytes", m->window.rss_unknown ? json_null() : json_integer(m->state[VBT_STATE_MAX_RSS]));
    int64_t without = vbt_peak_rss_without_vbtrace(m);
    json_object_set_new(object, "max_rss_without_vbtrace_bytes", without > 0 ? json_integer(without) : json_null());
    json_object_set_new(object, "rss_bytes", json_integer(m->state[VBT_STATE_RSS]));
    json_object_set_new(object, "pauses", json_integer(m->state[VBT_STATE_PAUSES]));
    json_object_set_new(object, "paused_ns", json_integer(m->state[VBT_STATE_PAUSED_TIME]));
    json_object_set_new(object, "threads", json_integer(m->state[VBT_STATE_THREADS]));
    json_object_set_new(object, "lost_events", vbt_json_unsigned(vbt_lost_total(m)));
    json_t *lost = json_object();
    for (int i = 0; i < VBT_LOST_KINDS; i++)
        json_object_set_new(lost, vbt_lost_name((enum vbt_lost)i), json_integer(m->state[VBT_STATE_LOST + i]));
    json_object_set_new(object, "lost", lost);
    json_t *unknown = json_object();
    for (int i = 0; i < VBT_DOMAINS; i++)
        json_object_set_new(unknown, domain_names[i], json_integer(m->state[VBT_STATE_UNKNOWN_FREES + i]));
    json_object_set_new(object, "unknown_frees", unknown);
    json_t *domains = json_object();
    for (int i = 0; i < VBT_DOMAINS; i++)
        json_object_set_new(domains, domain_names[i], domain_of(&totals.domain[i], totals.domain[i].at_peak_bytes));
    json_t *mapped = json_object_get(domains, domain_names[VBT_DOMAIN_MAP]), *kinds = json_object();
    for (int i = 0; i < VBT_MAP_KINDS; i++)
        json_object_set_new(kinds, map_kind_names[i], domain_of(&totals.map[i], 0));
    if (m->window.is_part && !m->has_maps) {
        json_decref(kinds);
        kinds = json_null();
    }
    json_object_set_new(mapped, "kinds", kinds);
    json_object_set_new(mapped, "highest_bytes", m->window.from > 0 ? json_null() : json_integer(m->state[VBT_STATE_MAPS_PEAK]));
    json_object_set_new(object, "domains", domains);
    return object;
}

json_t *vbt_json_conservation(const struct vbt_conservation *conservation) {
    json_t *object = json_object();
    json_object_set_new(object, "checked", json_boolean(conservation->checked));
    json_object_set_new(object, "holds", conservation->checked ? json_boolean(conservation->holds) : json_null());
    json_object_set_new(object, "difference", vbt_json_text(conservation->difference));
    return object;
}
