/* See speedscope.h. */
#include "speedscope.h"

#include "export_names.h"
#include "stack_tables.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>

/* A frame goes by the number of its place; number 0 is that of stacks without a frame. */
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
    fputs("\n]},\n", out);
}

static void print_stack(const struct vbt_call_tree *tree, uint32_t call, size_t limit, uint32_t *path, FILE *out) {
    size_t depth = 0;
    for (; call != 0 && depth < limit; call = tree->calls[call].parent)
        path[depth++] = tree->calls[call].place;
    if (depth == 0)
        path[depth++] = 0;
    putc('[', out);
    while (depth-- > 0)
        fprintf(out, "%" PRIu32 "%s", path[depth], depth > 0 ? "," : "]");
}

/* The stacks with any of a measure, then how much each has. Returns how many have less than 0,
 * which the format does not know. */
static uint64_t print_profile(const struct vbt_call_tree *tree, const struct vbt_export_event *event, size_t limit, uint32_t *path,
                              FILE *out) {
    bool bytes = event->measure == VBT_MEASURE_LIVE || vbt_measure_is_bytes(event->measure);
    uint64_t negative = 0, sum = 0;
    fprintf(out, "{\"type\":\"sampled\",\"name\":\"%s\",\"unit\":\"%s\",\"startValue\":0,\n\"samples\":[", event->title,
            bytes ? "bytes" : "none");
    const char *comma = "\n";
    for (uint32_t i = 0; i < tree->count; i++) {
        int64_t value = vbt_call_self_of(tree, i, event->measure);
        negative += value < 0;
        if (value <= 0)
            continue;
        fputs(comma, out);
        print_stack(tree, i, limit, path, out);
        comma = ",\n";
    }
    fputs("],\n\"weights\":[", out);
    comma = "";
    for (uint32_t i = 0; i < tree->count; i++) {
        int64_t value = vbt_call_self_of(tree, i, event->measure);
        if (value <= 0)
            continue;
        fprintf(out, "%s%" PRId64, comma, value);
        comma = ",";
        sum += (uint64_t)value;
    }
    fprintf(out, "],\n\"endValue\":%" PRIu64 "}", sum);
    return negative;
}

void vbt_export_speedscope(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    struct vbt_export_event events[VBT_EXPORT_EVENTS];
    size_t count = vbt_export_events(events, query, "speedscope");
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    size_t limit = vbt_export_limit(&tree, query);
    uint32_t deepest = 0;
    for (size_t i = 0; i < tree.count; i++)
        deepest = tree.calls[i].depth > deepest ? tree.calls[i].depth : deepest;
    uint32_t *path = vbt_new((size_t)deepest + 1, sizeof *path);
    char *command = vbt_command_line(&trace->model);
    fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n\"exporter\":\"vbtrace@" VBT_VERSION
          "\",\n\"name\":",
          out);
    vbt_export_json_text(command, out);
    fputs(",\n\"activeProfileIndex\":0,\n", out);
    print_frames(&tree, out);
    fputs("\"profiles\":[\n", out);
    uint64_t negative = 0;
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n" : "", out);
        negative += print_profile(&tree, &events[i], limit, path, out);
    }
    fputs("\n]}\n", out);
    if (negative > 0)
        vbt_warn("%s: speedscope: some numbers below 0 are left out: the format has no negative ones", query->trace);
    free(command);
    free(path);
    vbt_call_tree_free(&tree);
}
