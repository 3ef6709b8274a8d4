/* See heaptrack.h. All numbers are hexadecimal. Strings, instructions, call stacks and sizes are
 * defined before they are used, and go by their number, from 1; sizes from 0. */
#include "heaptrack.h"

#include "export_names.h"
#include "stack_tables.h"
#include "analyzer/analysis/calls/call_history.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/base/arrays/text_buffer.h"
#include "analyzer/base/hash.h"
#include "analyzer/base/message.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_PAGE = 4096 };

/* What the heap held besides what is known by call stack: between the moments of the history, the
 * trace has only its sum. */
static const char unknown_stacks[] = "[between the moments that the trace keeps, only the sum is known]";

struct heaptrack_string {
    char *text;
    uint64_t number;
    UT_hash_handle hh;
};

struct heaptrack {
    struct vbt_call_tree tree;
    struct vbt_locations locations;
    FILE *out;
    struct heaptrack_string *strings;
    uint64_t instructions, traces, sizes;
    uint64_t *instruction_of; /* by location; 0: not written yet */
    uint64_t *trace_of;       /* by call; likewise */
    uint64_t unknown_trace;
    struct vbt_call_history history;
    struct heaptrack_block {
        int64_t bytes; /* 0: there is none */
        uint64_t number;
    } * blocks;    /* by call: what it has now */
    int64_t known; /* bytes of all of them */
    uint32_t step; /* of the history, and its row: the next */
    size_t change;
};

static uint64_t string_number(struct heaptrack *h, const char *name) {
    char *text = vbt_export_name(name);
    if (text[0] == '\0') {
        free(text);
        return 0;
    }
    struct heaptrack_string *known;
    HASH_FIND_STR(h->strings, text, known);
    if (known != NULL) {
        free(text);
        return known->number;
    }
    known = vbt_new(1, sizeof *known);
    known->text = text;
    known->number = HASH_COUNT(h->strings) + 1;
    HASH_ADD_KEYPTR(hh, h->strings, known->text, strlen(known->text), known);
    fprintf(h->out, "s %zx %s\n", strlen(text), text);
    return known->number;
}

static uint64_t put_instruction(struct heaptrack *h, uint64_t module, const char *rest) {
    h->instructions++;
    fprintf(h->out, "i %" PRIx64 " %" PRIx64 "%s\n", h->instructions, module, rest);
    return h->instructions;
}

/* An instruction without a file, for what is no code. */
static uint64_t put_named(struct heaptrack *h, const char *name) {
    char *rest = vbt_text(" %" PRIx64 " 0 0", string_number(h, name));
    uint64_t number = put_instruction(h, 0, rest);
    free(rest);
    return number;
}

/* The functions at a machine frame, the innermost first. */
static uint64_t put_location(struct heaptrack *h, uint32_t location) {
    struct vbt_text_buffer rest = {0};
    for (uint32_t at = location; at != 0; at = h->locations.rows[at].outer) {
        const struct vbt_source_place *place = h->tree.places[h->locations.rows[at].place];
        uint64_t function = string_number(h, place->function), file = string_number(h, place->file);
        char *frame = vbt_text(" %" PRIx64 " %" PRIx64 " %" PRIx64, function, file, place->line > 0 ? place->line : 0);
        vbt_buffer_text(&rest, frame);
        free(frame);
    }
    vbt_buffer_bytes(&rest, "", 1);
    const struct vbt_source_place *place = h->tree.places[h->locations.rows[location].place];
    uint64_t number = put_instruction(h, string_number(h, place->module != NULL ? place->module : place->file), rest.text);
    free(rest.text);
    return number;
}

static uint64_t put_trace(struct heaptrack *h, uint64_t instruction, uint64_t parent) {
    fprintf(h->out, "t %" PRIx64 " %" PRIx64 "\n", instruction, parent);
    return ++h->traces;
}

/* What called a call's machine frame: a call, a group, or 0. */
static uint32_t above(const struct vbt_call_tree *tree, uint32_t call) {
    while (tree->calls[call].inlined)
        call = tree->calls[call].parent;
    return tree->calls[call].parent;
}

static bool has_bytes(const struct heaptrack *h, uint32_t call, bool with_peak) {
    return (with_peak && vbt_call_self_of(&h->tree, call, VBT_MEASURE_PEAK) > 0) ||
           vbt_call_self_of(&h->tree, call, VBT_MEASURE_LIVE) > 0 || (h->history.start != NULL && h->history.start[call] > 0);
}

/* Writes the call stacks that are used, callers first: their numbers are smaller. */
static void put_traces(struct heaptrack *h, bool with_peak) {
    const struct vbt_call_tree *tree = &h->tree;
    bool *used = vbt_new(tree->count, sizeof *used);
    for (size_t i = 0; i < h->history.count && h->history.rows != NULL; i++)
        used[h->history.rows[i].node] = true;
    for (uint32_t i = (uint32_t)tree->count; i-- > 1;) {
        used[i] = used[i] || has_bytes(h, i, with_peak);
        if (used[i])
            used[above(tree, i)] = true;
    }
    for (uint32_t i = 1; i < tree->count; i++) {
        uint32_t location = h->locations.of_call[i];
        if (!used[i])
            continue;
        if (location != 0 && h->instruction_of[location] == 0)
            h->instruction_of[location] = put_location(h, location);
        uint64_t instruction = location != 0 ? h->instruction_of[location] : put_named(h, vbt_call_place(tree, i)->function);
        h->trace_of[i] = put_trace(h, instruction, h->trace_of[above(tree, i)]);
    }
    if (used[0] || has_bytes(h, 0, with_peak))
        h->trace_of[0] = put_trace(h, put_named(h, VBT_NO_STACK), 0);
    h->unknown_trace = put_trace(h, put_named(h, unknown_stacks), 0);
    free(used);
}

/* A block of so many bytes; its number, by which it is freed. */
static uint64_t allocate(struct heaptrack *h, int64_t bytes, uint64_t trace) {
    fprintf(h->out, "a %" PRIx64 " %" PRIx64 "\n+ %" PRIx64 "\n", bytes, trace, h->sizes);
    return h->sizes++;
}

static void release(struct heaptrack *h, uint32_t call) {
    struct heaptrack_block *block = &h->blocks[call];
    if (block->bytes > 0)
        fprintf(h->out, "- %" PRIx64 "\n", block->number);
    h->known = (int64_t)((uint64_t)h->known - (uint64_t)block->bytes);
    block->bytes = 0;
}

/* Makes the blocks of all calls so large: first what is replaced is freed, so that there is never
 * more than before or after. */
static void set_blocks(struct heaptrack *h, const int64_t *bytes) {
    for (uint32_t i = 0; i < h->tree.count; i++)
        if (h->blocks[i].bytes != (bytes[i] > 0 ? bytes[i] : 0))
            release(h, i);
    for (uint32_t i = 0; i < h->tree.count; i++) {
        struct heaptrack_block *block = &h->blocks[i];
        if (bytes[i] <= 0 || block->bytes == bytes[i])
            continue;
        block->bytes = bytes[i];
        block->number = allocate(h, bytes[i], h->trace_of[i]);
        h->known = __builtin_add_overflow(h->known, bytes[i], &h->known) ? INT64_MAX : h->known;
    }
}

/* Where the writing is. */
struct heaptrack_moment {
    uint64_t ms;
    uint64_t block; /* 1 + that of what is not known; 0: none */
    int64_t bytes;  /* of it */
};

/* Goes to a time, and makes what is not known of the heap so large. */
static void go_to(struct heaptrack *h, struct heaptrack_moment *now, uint64_t ns, int64_t unknown) {
    uint64_t ms = ns / 1000000;
    if (ms > now->ms)
        fprintf(h->out, "c %" PRIx64 "\n", now->ms = ms);
    if (unknown == now->bytes)
        return;
    if (now->block != 0)
        fprintf(h->out, "- %" PRIx64 "\n", now->block - 1);
    now->block = unknown > 0 ? 1 + allocate(h, unknown, h->unknown_trace) : 0;
    now->bytes = unknown;
}

static int64_t sum_of(const int64_t *values, size_t count) {
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum = __builtin_add_overflow(sum, values[i] > 0 ? values[i] : 0, &sum) ? INT64_MAX : sum;
    return sum;
}

/* What the calls have of a measure, for the caller to free. */
static int64_t *values_of(const struct vbt_call_tree *tree, enum vbt_measure measure) {
    int64_t *values = vbt_new(tree->count, sizeof *values);
    for (uint32_t i = 0; i < tree->count; i++)
        values[i] = vbt_call_self_of(tree, i, measure);
    return values;
}

/* The moments of the history up to a time. One with as much as the peak or more is not shown, so
 * that heaptrack's peak is the process's: a filter may let through more at another time. */
static void put_steps(struct heaptrack *h, struct heaptrack_moment *now, uint64_t until, int64_t peak) {
    const struct vbt_call_history *history = &h->history;
    for (; history->rows != NULL && h->step < history->steps->count && history->steps->ns[h->step] <= until; h->step++) {
        for (; h->change < history->count && history->rows[h->change].step == h->step; h->change++) {
            int64_t *live = &history->start[history->rows[h->change].node];
            *live = (int64_t)((uint64_t)*live + (uint64_t)vbt_change_live(&history->rows[h->change]));
        }
        if (sum_of(history->start, h->tree.count) >= peak)
            continue;
        go_to(h, now, history->steps->ns[h->step], 0);
        set_blocks(h, history->start);
    }
}

/* What the heap had at a tick besides what is known of it, less than makes a new peak. */
static int64_t unknown_at(const struct heaptrack *h, const struct vbt_model_tick *tick, int64_t peak) {
    int64_t bytes = (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python);
    bytes = bytes >= peak ? peak - 1 : bytes;
    return bytes > h->known ? bytes - h->known : 0;
}

/* The run: what call stacks had at the moments of the history, at the peak and at the end; at each
 * tick in between the sum. */
static void put_events(struct heaptrack *h, const struct vbt_model *m, bool with_peak) {
    int64_t page = vbt_model_process_number(m, "page_size"), page_size = page > 0 ? page : DEFAULT_PAGE;
    int64_t *at_peak = values_of(&h->tree, VBT_MEASURE_PEAK), *live = values_of(&h->tree, VBT_MEASURE_LIVE);
    int64_t peak = with_peak ? sum_of(at_peak, h->tree.count) : INT64_MAX, *nothing = vbt_new(h->tree.count, sizeof *nothing);
    uint64_t peak_time = (uint64_t)(m->state[VBT_STATE_PEAK_TIME] > 0 ? m->state[VBT_STATE_PEAK_TIME] : 0);
    struct heaptrack_moment now = {0};
    bool passed = !with_peak;
    for (size_t i = m->ticks.first; i <= m->ticks.count; i++) {
        const struct vbt_model_tick *tick = i < m->ticks.count ? &m->ticks.rows[i] : NULL;
        if (!passed && (tick == NULL || tick->time >= peak_time)) {
            put_steps(h, &now, peak_time, peak);
            go_to(h, &now, peak_time, 0);
            set_blocks(h, at_peak);
            if (h->history.rows == NULL)
                set_blocks(h, nothing);
            passed = true;
        }
        if (tick == NULL)
            break;
        put_steps(h, &now, tick->time, peak);
        go_to(h, &now, tick->time, unknown_at(h, tick, peak));
        fprintf(h->out, "R %" PRIx64 "\n", tick->rss > 0 ? tick->rss / page_size : 0);
    }
    go_to(h, &now, vbt_model_duration(m), 0);
    set_blocks(h, live);
    free(at_peak);
    free(live);
    free(nothing);
}

static void free_strings(struct heaptrack *h) {
    struct heaptrack_string *each, *next;
    HASH_ITER(hh, h->strings, each, next) {
        HASH_DEL(h->strings, each);
        free(each->text);
        free(each);
    }
}

void vbt_export_heaptrack(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    const struct vbt_model *m = &trace->model;
    bool with_peak = vbt_measure_is_known(VBT_MEASURE_PEAK);
    struct heaptrack h = {.out = out, .step = 1};
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_history_build(&h.history, &h.tree, trace, &shape, NULL);
    h.blocks = vbt_new(h.tree.count, sizeof *h.blocks);
    vbt_locations_build(&h.locations, &h.tree);
    h.instruction_of = vbt_new(h.locations.count + 1, sizeof *h.instruction_of);
    h.trace_of = vbt_new(h.tree.count, sizeof *h.trace_of);
    char *command = vbt_command_line(m), *printable = vbt_export_name(command);
    int64_t page = vbt_model_process_number(m, "page_size");
    fprintf(out, "v 10400 3\nX %s\nI %" PRIx64 " 0\n", printable, page > 0 ? page : DEFAULT_PAGE);
    put_traces(&h, with_peak);
    put_events(&h, m, with_peak);
    vbt_warn("%s: heaptrack: each call stack is one block, so that numbers of calls and of temporary allocations mean nothing",
             query->trace);
    if (!with_peak)
        vbt_warn("%s: heaptrack: the peak is left out, since it is not known of this part of the run", query->trace);
    free(printable);
    free(command);
    free_strings(&h);
    free(h.blocks);
    vbt_call_history_free(&h.history);
    free(h.instruction_of);
    free(h.trace_of);
    vbt_locations_free(&h.locations);
    vbt_call_tree_free(&h.tree);
}
