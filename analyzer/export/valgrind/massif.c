/* See massif.h. The trees of the format begin where memory was allocated, and go outwards. */
#include "massif.h"

#include "analyzer/export/export_names.h"
#include "analyzer/analysis/calls/call_history.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What has less than a thousandth of a tree is put together, and frames further out than DEEPEST
 * are left out, as Massif itself does with less. */
enum { SNAPSHOTS = 100, MOMENTS = 10, SHARE = 1000, DEEPEST = 64 };

static int64_t plus(int64_t a, int64_t b) { return __builtin_add_overflow(a, b, &a) ? INT64_MAX : a; }

/* A stack that is followed outwards. */
struct cursor {
    uint32_t call; /* 0: it has ended */
    uint32_t place;
    int64_t bytes;
};

struct level_group {
    size_t begin, end; /* of its cursors */
    int64_t bytes;
};

struct writer {
    const struct vbt_call_tree *tree;
    FILE *out;
    int64_t whole; /* of the tree in the making */
};

static int by_place(const void *left, const void *right) {
    const struct cursor *a = left, *b = right;
    return a->place < b->place ? -1 : a->place > b->place;
}

static int by_bytes(const void *left, const void *right) {
    const struct level_group *a = left, *b = right;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a->begin < b->begin ? -1 : 1;
}

/* The groups of cursors at the same place, largest first; those that have ended are in none. */
static struct level_group *group(struct cursor *cursors, size_t count, size_t *groups) {
    struct level_group *list = NULL;
    size_t capacity = 0;
    *groups = 0;
    if (count > 0)
        qsort(cursors, count, sizeof *cursors, by_place);
    for (size_t begin = 0, end; begin < count; begin = end) {
        int64_t bytes = 0;
        for (end = begin; end < count && cursors[end].place == cursors[begin].place; end++)
            bytes = plus(bytes, cursors[end].bytes);
        if (cursors[begin].call == 0)
            continue;
        list = vbt_grow(list, &capacity, *groups + 1, sizeof *list);
        list[(*groups)++] = (struct level_group){begin, end, bytes};
    }
    if (*groups > 0)
        qsort(list, *groups, sizeof *list, by_bytes);
    return list;
}

/* "0x0: work (a.c:3)"; the characters that begin comments become others. */
static void print_label(const struct writer *w, uint32_t place) {
    const struct vbt_source_place *of = w->tree->places[place];
    char *text = of->kind == VBT_PLACE_SPECIAL ? vbt_text("%s", of->function)
                 : of->line > 0                ? vbt_text("0x0: %s (%s:%" PRId64 ")", of->function, of->file, of->line)
                                               : vbt_text("0x0: %s (in %s)", of->function, of->file);
    char *printable = vbt_export_name(text);
    for (char *at = printable; (at = strchr(at, '#')) != NULL;)
        *at = '_';
    fputs(printable, w->out);
    free(printable);
    free(text);
}

/* Prints what a line is followed by: its children, each with its own. The line itself ends with
 * `label`. */
static void print_node(const struct writer *w, unsigned depth, int64_t bytes, struct cursor *cursors, size_t count,
                       uint32_t place) {
    size_t groups, shown = 0;
    struct level_group *list = depth < DEEPEST ? group(cursors, count, &groups) : (groups = 0, NULL);
    int64_t rest = 0;
    while (shown < groups && list[shown].bytes >= w->whole / SHARE + (w->whole % SHARE != 0))
        shown++;
    for (size_t i = shown; i < groups; i++)
        rest = plus(rest, list[i].bytes);
    fprintf(w->out, "%*sn%zu: %" PRId64 " ", (int)depth, "", shown + (shown < groups), bytes);
    if (depth == 0)
        fputs("(heap allocation functions) malloc/new/new[], --alloc-fns, etc.", w->out);
    else
        print_label(w, place);
    putc('\n', w->out);
    for (size_t i = 0; i < shown; i++) {
        uint32_t at = cursors[list[i].begin].place;
        for (size_t k = list[i].begin; k < list[i].end; k++) {
            uint32_t parent = w->tree->calls[cursors[k].call].parent;
            cursors[k].call = parent;
            cursors[k].place = w->tree->calls[parent].place;
        }
        print_node(w, depth + 1, list[i].bytes, cursors + list[i].begin, list[i].end - list[i].begin, at);
    }
    if (shown < groups)
        fprintf(w->out, "%*sn0: %" PRId64 " in %zu place%s, %sbelow massif's threshold (%.2f%%)\n", (int)depth + 1, "", rest,
                groups - shown, groups - shown == 1 ? "" : "s", groups - shown == 1 ? "" : "all ", 100.0 / SHARE);
    free(list);
}

/* Prints the tree of what was live at each call. */
static void print_tree(struct writer *w, const int64_t *live) {
    struct cursor *cursors = NULL;
    size_t count = 0, capacity = 0;
    w->whole = 0;
    for (uint32_t i = 0; i < w->tree->count; i++) {
        if (live[i] <= 0)
            continue;
        cursors = vbt_grow(cursors, &capacity, count + 1, sizeof *cursors);
        cursors[count++] = (struct cursor){i, w->tree->calls[i].place, live[i]};
        w->whole = plus(w->whole, live[i]);
    }
    print_node(w, 0, w->whole, cursors, count, 0);
    free(cursors);
}

/* What the calls have of a measure, for the caller to free. Counts those with less than 0. */
static int64_t *values_of(const struct vbt_call_tree *tree, enum vbt_measure measure, uint64_t *negative) {
    int64_t *values = vbt_new(tree->count, sizeof *values);
    for (uint32_t i = 0; i < tree->count; i++) {
        values[i] = vbt_call_self_of(tree, i, measure);
        *negative += values[i] < 0;
    }
    return values;
}

static int64_t sum_of(const struct vbt_call_tree *tree, const int64_t *values) {
    int64_t sum = 0;
    for (size_t i = 0; i < tree->count; i++)
        sum = plus(sum, values[i] > 0 ? values[i] : 0);
    return sum;
}

enum snapshot_kind { SNAPSHOT_OF_TICK, SNAPSHOT_OF_STEP, SNAPSHOT_OF_PEAK, SNAPSHOT_OF_END };

struct snapshot {
    uint64_t time;       /* ns */
    int64_t bytes;       /* of a step: not known yet */
    const int64_t *live; /* by call; of a tick or a step: NULL */
    enum snapshot_kind kind;
    uint32_t step; /* of the history */
};

static int by_time(const void *left, const void *right) {
    const struct snapshot *a = left, *b = right;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* Adds the tick with most of each of so many equal parts of the run. */
static void add_ticks(struct snapshot *chosen, size_t *count, const struct vbt_model *m, uint64_t end) {
    size_t part = SIZE_MAX, first = *count;
    for (size_t i = m->ticks.first; i < m->ticks.count; i++) {
        const struct vbt_model_tick *tick = &m->ticks.rows[i];
        int64_t bytes = (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python);
        size_t in = end > 0 ? (size_t)((double)tick->time / (double)end * SNAPSHOTS) : 0;
        if (tick->time >= end)
            break;
        if (in == part && bytes <= chosen[*count - 1].bytes)
            continue;
        *count += in != part && *count < first + SNAPSHOTS;
        part = in;
        chosen[*count - 1] = (struct snapshot){.time = tick->time, .bytes = bytes > 0 ? bytes : 0};
    }
}

/* Adds moments of the history, evenly over those that there are. Returns how many. */
static size_t add_steps(struct snapshot *chosen, size_t *count, const struct vbt_call_history *history, uint64_t end) {
    size_t steps = history->rows != NULL ? history->steps->count - 2 : 0, most = steps < MOMENTS ? steps : MOMENTS, added = 0;
    for (size_t i = 1; i <= most; i++) {
        uint32_t step = (uint32_t)(i * (steps + 1) / (most + 1));
        if (history->steps->ns[step] >= end)
            break;
        chosen[(*count)++] = (struct snapshot){.time = history->steps->ns[step], .kind = SNAPSHOT_OF_STEP, .step = step};
        added++;
    }
    return added;
}

static void begin_snapshot(FILE *out, size_t number, const struct snapshot *at) {
    static const char *const trees[] = {"empty", "detailed", "peak", "detailed"};
    fprintf(out,
            "#-----------\nsnapshot=%zu\n#-----------\ntime=%.3f\nmem_heap_B=%" PRId64
            "\nmem_heap_extra_B=0\nmem_stacks_B=0\nheap_tree=%s\n",
            number, (double)at->time / 1e6, at->bytes, trees[at->kind]);
}

/* Prints the snapshots in order; what is live at a step follows from the history up to it. */
static void print_snapshots(struct writer *w, const struct snapshot *rows, size_t count, const struct vbt_call_history *history) {
    size_t at = 0, changes = history->rows != NULL && history->start != NULL ? history->count : 0;
    for (size_t i = 0; i < count; i++) {
        struct snapshot row = rows[i];
        for (; at < changes && row.kind == SNAPSHOT_OF_STEP && history->rows[at].step <= row.step; at++) {
            int64_t *live = &history->start[history->rows[at].node];
            *live = (int64_t)((uint64_t)*live + (uint64_t)vbt_change_live(&history->rows[at]));
        }
        if (row.kind == SNAPSHOT_OF_STEP) {
            row.live = history->start;
            row.bytes = sum_of(w->tree, row.live);
        }
        begin_snapshot(w->out, i, &row);
        if (row.live != NULL)
            print_tree(w, row.live);
    }
}

static void print_header(const struct vbt_model *m, FILE *out) {
    char *command = vbt_command_line(m), *printable = vbt_export_name(command);
    for (char *at = printable; (at = strchr(at, '#')) != NULL;)
        *at = '_';
    fprintf(out, "desc: vbtrace " VBT_VERSION "\ncmd: %s\ntime_unit: ms\n", printable);
    free(printable);
    free(command);
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Says of which moments call stacks are known. */
static void say(const struct vbt_query *query, bool with_peak, size_t moments, uint64_t negative) {
    char *more = moments > 0 ? vbt_text(", and of %s between", vbt_counted((int64_t)moments, "moment").text) : vbt_copy("", 0);
    vbt_warn("%s: massif: call stacks are those of the %send%s; at other times there are sums only", query->trace,
             with_peak ? "peak and of the " : "", more);
    if (negative > 0)
        vbt_warn("%s: massif: stacks with less than 0 bytes are left out: the format has no negative numbers", query->trace);
    free(more);
}

void vbt_export_massif(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    const struct vbt_model *m = &trace->model;
    struct vbt_trace_totals totals;
    vbt_totals_get(&totals, m);
    bool with_peak = vbt_measure_is_known(VBT_MEASURE_PEAK);
    uint64_t duration = vbt_model_duration(m), last = duration > 1000 ? duration : 1000, negative = 0;
    struct vbt_call_tree tree;
    struct vbt_call_history history;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_history_build(&history, &tree, trace, &shape, NULL);
    struct writer w = {.tree = &tree, .out = out};
    int64_t *live = values_of(&tree, VBT_MEASURE_LIVE, &negative);
    int64_t *at_peak = with_peak ? values_of(&tree, VBT_MEASURE_PEAK, &negative) : NULL;
    struct snapshot rows[SNAPSHOTS + MOMENTS + 2];
    size_t count = 0;
    add_ticks(rows, &count, m, last);
    size_t moments = add_steps(rows, &count, &history, last);
    if (with_peak) {
        uint64_t time = (uint64_t)larger(m->state[VBT_STATE_PEAK_TIME], 0);
        rows[count++] = (struct snapshot){.time = time < last ? time : last,
                                          .kind = SNAPSHOT_OF_PEAK,
                                          .bytes = larger(totals.peak_bytes, sum_of(&tree, at_peak)),
                                          .live = at_peak};
    }
    rows[count++] = (struct snapshot){
        .time = last, .kind = SNAPSHOT_OF_END, .bytes = larger(totals.all.live_bytes, sum_of(&tree, live)), .live = live};
    qsort(rows, count, sizeof *rows, by_time);
    print_header(m, out);
    print_snapshots(&w, rows, count, &history);
    say(query, with_peak, moments, negative);
    free(live);
    free(at_peak);
    vbt_call_history_free(&history);
    vbt_call_tree_free(&tree);
}
