/* See resident_report.h.
 *
 * Of the pages in which allocators keep their blocks, as many bytes are in use as were requested
 * and not freed. The rest is fragmentation: freed and kept, lost to rounding, headers. If more
 * bytes are in use than are resident, some blocks were never written to or were paged out, and
 * nothing is known about the rest. */
#include "resident_report.h"

#include "paragraph.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "format/count.h"

#include <stdlib.h>

struct share {
    const char *name; /* in JSON */
    const char *text;
    uint64_t bytes[VBT_RESIDENT_TIMES];
};

enum { COLUMNS = 1 + VBT_RESIDENT_TIMES };

enum { IN_USE, FRAGMENTED, FIRST_CLASS, SHARES = FIRST_CLASS + VBT_RESIDENT_CLASSES - 1 };

static uint64_t live_of(const struct vbt_model_resident *at) {
    int64_t live = (int64_t)((uint64_t)at->live_heap + (uint64_t)at->live_python);
    return live > 0 ? (uint64_t)live : 0;
}

static uint64_t total_of(const struct vbt_model_resident *at) {
    uint64_t total = 0;
    for (int class = 0; class < VBT_RESIDENT_CLASSES; class ++)
        total += at->bytes[class];
    return total;
}

static void get_shares(const struct vbt_model *m, struct share shares[SHARES]) {
    static const struct share names[SHARES] = {
        [IN_USE] = {.name = "in_use_bytes", .text = "heap, in use"},
        [FRAGMENTED] = {.name = "fragmentation_bytes", .text = "heap, fragmentation"},
        [FIRST_CLASS + VBT_RESIDENT_ANONYMOUS - 1] = {.name = "anonymous_bytes", .text = "mapped memory"},
        [FIRST_CLASS + VBT_RESIDENT_FILE - 1] = {.name = "file_bytes", .text = "mapped files"},
        [FIRST_CLASS + VBT_RESIDENT_STACK - 1] = {.name = "stack_bytes", .text = "stacks"},
        [FIRST_CLASS + VBT_RESIDENT_PROGRAM - 1] = {.name = "program_bytes", .text = "program and libraries"},
        [FIRST_CLASS + VBT_RESIDENT_OURS - 1] = {.name = "vbtrace_bytes", .text = "vbtrace"},
        [FIRST_CLASS + VBT_RESIDENT_UNKNOWN - 1] = {.name = "unknown_bytes", .text = "unknown"},
    };
    for (int i = 0; i < SHARES; i++)
        shares[i] = names[i];
    for (int time = 0; time < VBT_RESIDENT_TIMES; time++) {
        const struct vbt_model_resident *at = &m->resident[time];
        uint64_t heap = at->bytes[VBT_RESIDENT_HEAP], live = live_of(at);
        shares[IN_USE].bytes[time] = live < heap ? live : heap;
        shares[FRAGMENTED].bytes[time] = heap - shares[IN_USE].bytes[time];
        for (int class = VBT_RESIDENT_HEAP + 1; class < VBT_RESIDENT_CLASSES; class ++)
            shares[FIRST_CLASS + class - 1].bytes[time] = at->bytes[class];
    }
}

static void put_bytes(struct vbt_text_table *table, const struct vbt_model_resident *at, uint64_t bytes) {
    vbt_text_table_cell(table, "%s", at->known ? vbt_bytes((int64_t)bytes).text : "");
}

/* Is the highest breakdown one of the peak, or almost? A peak may pass between two of them. */
static bool is_at_peak(const struct vbt_model *m) {
    enum { NEAR = 8 };
    uint64_t taken = total_of(&m->resident[VBT_RESIDENT_HIGHEST]);
    return m->state[VBT_STATE_MAX_RSS] <= (int64_t)(taken + taken / NEAR);
}

bool vbt_resident_known(const struct vbt_model *m) {
    return m->has_maps && (m->resident[VBT_RESIDENT_LATEST].known || m->resident[VBT_RESIDENT_HIGHEST].known);
}

void vbt_resident_print(const struct vbt_model *m, struct vbt_output *output) {
    const char *title = is_at_peak(m) ? "At its highest" : "Highest taken";
    const struct vbt_model_resident *latest = &m->resident[VBT_RESIDENT_LATEST], *highest = &m->resident[VBT_RESIDENT_HIGHEST];
    if (!vbt_resident_known(m))
        return;
    bool without_highest = m->window.is_part && !highest->known;                  /* it was before this part of the run */
    bool same = latest->known && highest->known && latest->time == highest->time; /* one of the two says it all */
    struct vbt_column columns[COLUMNS] = {{.title = "Resident set", .width = 22}};
    const struct vbt_model_resident *which[COLUMNS] = {NULL};
    size_t count = 1;
    if (!without_highest) {
        columns[count] = (struct vbt_column){.title = title, .align = VBT_RIGHT, .gap = 2};
        which[count++] = highest;
    }
    if (!same) {
        const char *last = m->window.is_part ? "Latest taken" : "At the end";
        columns[count] = (struct vbt_column){.title = last, .align = VBT_RIGHT, .gap = 2};
        which[count++] = latest;
    }
    struct share shares[SHARES];
    get_shares(m, shares);
    struct vbt_text_table *table = vbt_text_table_new(columns, count);
    for (int i = 0; i < SHARES; i++) {
        if (shares[i].bytes[VBT_RESIDENT_LATEST] == 0 && shares[i].bytes[VBT_RESIDENT_HIGHEST] == 0)
            continue;
        vbt_text_table_cell(table, "%s", shares[i].text);
        for (size_t c = 1; c < count; c++)
            put_bytes(table, which[c], shares[i].bytes[which[c] - m->resident]);
    }
    vbt_text_table_cell(table, "all");
    for (size_t c = 1; c < count; c++)
        put_bytes(table, which[c], total_of(which[c]));
    vbt_text_table_print(table, output, 0);
    vbt_text_table_free(table);
    if (without_highest) {
        char *taken = vbt_text("Latest taken: breakdown taken at %s.", vbt_time((double)latest->time).text);
        putc('\n', output->stream);
        vbt_paragraph_print(output, "", taken, false);
        free(taken);
    }
    if (!highest->known)
        return;
    uint64_t live = live_of(highest), heap = highest->bytes[VBT_RESIDENT_HEAP];
    char *apart =
        is_at_peak(m) ? vbt_copy("", 0) : vbt_text(", not at the peak of %s", vbt_bytes(m->state[VBT_STATE_MAX_RSS]).text);
    char *more = live > heap ? vbt_text("; %s of the blocks in use were not resident", vbt_bytes((int64_t)(live - heap)).text)
                             : vbt_copy("", 0);
    char *text = vbt_text("%s: breakdown taken at %s%s%s.", title, vbt_time((double)highest->time).text, apart, more);
    putc('\n', output->stream);
    vbt_paragraph_print(output, "", text, false);
    free(text);
    free(more);
    free(apart);
}

static json_t *json_of(const struct vbt_model_resident *at, const struct share shares[SHARES], enum vbt_resident_time time) {
    if (!at->known)
        return json_null();
    uint64_t heap = at->bytes[VBT_RESIDENT_HEAP], live = live_of(at);
    json_t *object = json_object();
    json_object_set_new(object, "time_ns", vbt_json_unsigned(at->time));
    json_object_set_new(object, "rss_bytes", vbt_json_unsigned(total_of(at)));
    json_object_set_new(object, "heap_bytes", vbt_json_unsigned(heap));
    json_object_set_new(object, "live_bytes", vbt_json_unsigned(live));
    json_object_set_new(object, "not_resident_bytes", vbt_json_unsigned(live > heap ? live - heap : 0));
    for (int i = 0; i < SHARES; i++)
        json_object_set_new(object, shares[i].name, vbt_json_unsigned(shares[i].bytes[time]));
    return object;
}

json_t *vbt_json_resident(const struct vbt_model *m) {
    struct share shares[SHARES];
    get_shares(m, shares);
    json_t *object = json_object();
    json_object_set_new(object, "latest", json_of(&m->resident[VBT_RESIDENT_LATEST], shares, VBT_RESIDENT_LATEST));
    json_object_set_new(object, "highest", json_of(&m->resident[VBT_RESIDENT_HIGHEST], shares, VBT_RESIDENT_HIGHEST));
    return object;
}
