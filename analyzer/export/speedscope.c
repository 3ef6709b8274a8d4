/* See speedscope.h.
 *
 * The format writes each call stack out, and has one profile for each measure: of millions of
 * stacks that would be more than a browser can read. So the calls with the most of a measure are
 * written, and what is below them counts there, as smaller ones: the sum stays the whole. */
#include "speedscope.h"

#include "export_names.h"
#include "folding.h"
#include "stack_tables.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>

/* Frames in all stacks of a profile: of the six of a file, that is about 70 MB. */
enum { MOST_FRAMES = 1500000 };

/* A frame goes by the number of its place; number 0 is that of stacks without a frame, and the last
 * one stands for smaller calls. */
static void print_frames(const struct vbt_call_tree *tree, FILE *out) {
    fputs("\"shared\":{\"frames\":[\n{\"name\":", out);
    vbt_export_json_text(VBT_NO_STACK, out);
    putc('}', out);
    for (size_t i = 1; i < tree->place_count; i++) {
        const struct vbt_source_place *place = tree->places[i];
        fputs(",\n{\"name\":", out);
        vbt_export_json_text(place->function, out);
        if (place->kind != VBT_PLACE_SPECIAL) {
            fputs(",\"file\":", out);
            vbt_export_json_text(place->file, out);
        }
        if (place->line > 0)
            fprintf(out, ",\"line\":%" PRId64, place->line);
        putc('}', out);
    }
    fputs(",\n{\"name\":\"" VBT_SMALLER "\"}\n]},\n", out);
}

static void print_stack(const struct vbt_call_tree *tree, uint32_t call, bool smaller, size_t limit, uint32_t *path, FILE *out) {
    size_t depth = 0;
    if (smaller)
        path[depth++] = (uint32_t)tree->place_count;
    for (; call != 0 && depth < limit; call = tree->calls[call].parent)
        path[depth++] = tree->calls[call].place;
    if (depth == 0)
        path[depth++] = 0;
    putc('[', out);
    while (depth-- > 0)
        fprintf(out, "%" PRIu32 "%s", path[depth], depth > 0 ? "," : "]");
}

/* The stacks with any of a measure, then how much each has. */
static void print_profile(struct vbt_call_tree *tree, const struct vbt_export_event *event, const struct vbt_folding *folding,
                          size_t limit, uint32_t *path, FILE *out) {
    bool bytes = event->measure == VBT_MEASURE_LIVE || vbt_measure_is_bytes(event->measure);
    fprintf(out, "{\"type\":\"sampled\",\"name\":\"%s\",\"unit\":\"%s\",\"startValue\":0,\n\"samples\":[", event->title,
            bytes ? "bytes" : "none");
    for (int weights = 0; weights < 2; weights++) {
        const char *comma = weights ? "" : "\n";
        for (uint32_t i = 0; i < tree->count; i++) {
            if (!vbt_call_is_kept(tree, i))
                continue;
            const int64_t values[] = {vbt_call_self_of(tree, i, event->measure), folding->rest[i]};
            for (int k = 0; k < 2; k++) {
                if (values[k] <= 0)
                    continue;
                fputs(comma, out);
                comma = weights ? "," : ",\n";
                if (weights)
                    fprintf(out, "%" PRId64, values[k]);
                else
                    print_stack(tree, i, k == 1, limit, path, out);
            }
        }
        fputs(weights ? "],\n" : "],\n\"weights\":[", out);
    }
    fprintf(out, "\"endValue\":%" PRId64 "}", tree->sums[event->measure][0]);
}

/* One profile after the other; says what they leave out. */
static void print_profiles(struct vbt_call_tree *tree, const struct vbt_query *query, FILE *out) {
    struct vbt_export_event events[VBT_EXPORT_EVENTS];
    size_t count = vbt_export_events(events, query, "speedscope"), limit = vbt_export_limit(tree, query);
    uint32_t deepest = 0;
    for (size_t i = 0; i < tree->count; i++)
        deepest = tree->calls[i].depth > deepest ? tree->calls[i].depth : deepest;
    uint32_t *path = vbt_new((size_t)deepest + 2, sizeof *path);
    bool negative = false;
    for (size_t i = 0; i < count; i++) {
        enum vbt_measure measure = events[i].measure;
        int64_t before = tree->totals[measure];
        vbt_call_tree_clamp(tree, measure);
        negative = negative || tree->totals[measure] != before;
        struct vbt_folding folding;
        vbt_folding_begin(&folding, tree, measure, MOST_FRAMES);
        fputs(i > 0 ? ",\n" : "", out);
        print_profile(tree, &events[i], &folding, limit, path, out);
        if (folding.folded > 0)
            vbt_warn("%s: speedscope: %s: %s of less than %" PRId64 " each count at their callers, as " VBT_SMALLER
                     ": the file would be too large for a browser",
                     query->trace, events[i].title, vbt_counted((int64_t)folding.folded, "call").text, folding.least);
        vbt_folding_end(&folding);
        vbt_call_tree_forget(tree, measure);
    }
    free(path);
    if (negative)
        vbt_warn("%s: speedscope: some numbers below 0 are left out: the format has no negative ones", query->trace);
}

void vbt_export_speedscope(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    char *command = vbt_command_line(&trace->model);
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":\"vbtrace@" VBT_VERSION
          "\",\n\"name\":",
          out);
    vbt_export_json_text(command, out);
    fputs(",\n\"activeProfileIndex\":0,\n", out);
    print_frames(&tree, out);
    fputs("\"profiles\":[\n", out);
    print_profiles(&tree, query, out);
    fputs("\n]}\n", out);
    free(command);
    vbt_call_tree_free(&tree);
}
