/* See dhat.h.
 *
 * The format takes lifetimes, the most that each stack ever had, and blocks live at the peak only
 * together with what is live at the end ("bklt"). The first three are in no trace, so all are left
 * out. */
#include "dhat.h"

#include "analyzer/export/export_names.h"
#include "analyzer/export/stack_tables.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>

/* Frames differ by their place, and by whether they are inlined: no two stacks are the same. Number
 * 0 is the root's, 1 that of stacks without a frame. */
static uint32_t frame_number(const struct vbt_call_tree *tree, uint32_t call) {
    return 2 * tree->calls[call].place + tree->calls[call].inlined;
}

static void print_frame(const struct vbt_source_place *place, bool inlined, FILE *out) {
    const char *mark = inlined ? ", inlined" : "";
    char *text = place->kind == VBT_PLACE_SPECIAL ? vbt_text("%s", place->function)
                 : place->line > 0 ? vbt_text("0x0: %s%s (%s:%" PRId64 ")", place->function, mark, place->file, place->line)
                                   : vbt_text("0x0: %s%s (in %s)", place->function, mark, place->file);
    vbt_export_json_text(text, out);
    free(text);
}

static void print_stacks(const struct vbt_call_tree *tree, size_t limit, FILE *out) {
    const char *comma = "\n";
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct vbt_measures self = vbt_call_self(tree, i);
        if (self.of[VBT_MEASURE_ALLOCS] <= 0)
            continue;
        fprintf(out, "%s{\"tb\":%" PRId64 ",\"tbk\":%" PRId64 ",\"fs\":[", comma, self.of[VBT_MEASURE_BYTES],
                self.of[VBT_MEASURE_ALLOCS]);
        const char *separator = "";
        size_t frames = 0;
        for (uint32_t call = i; call != 0 && frames < limit; call = tree->calls[call].parent, frames++) {
            fprintf(out, "%s%" PRIu32, separator, frame_number(tree, call));
            separator = ",";
        }
        fprintf(out, "%s]}", i == 0 ? "1" : "");
        comma = ",\n";
    }
}

void vbt_export_dhat(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    const struct vbt_model *m = &trace->model;
    struct vbt_call_tree tree;
    const struct vbt_call_tree_shape shape = vbt_call_tree_shape_of(query);
    vbt_call_tree_build(&tree, trace, &shape);
    char *command = vbt_command_line(m);
    fputs("{\"dhatFileVersion\":2,\"mode\":\"heap\",\"verb\":\"Allocated\",\"bklt\":false,\"bkacc\":false,\n"
          "\"tu\":\"us\",\"Mtu\":\"s\",\"cmd\":",
          out);
    vbt_export_json_text(command, out);
    fprintf(out, ",\"pid\":%" PRId64 ",\"te\":%" PRIu64 ",\n\"pps\":[", vbt_model_process_number(m, "pid"),
            vbt_model_duration(m) / 1000);
    print_stacks(&tree, vbt_export_limit(&tree, query), out);
    fputs("],\n\"ftbl\":[\"[root]\",\n", out);
    vbt_export_json_text(VBT_NO_STACK, out);
    for (size_t i = 1; i < tree.place_count; i++)
        for (int inlined = 0; inlined < 2; inlined++) {
            fputs(",\n", out);
            print_frame(tree.places[i], inlined == 1, out);
        }
    fputs("]}\n", out);
    vbt_warn("%s: dhat: what was live at the peak and at the end is left out: the format takes it with lifetimes only, which a "
             "trace does not hold",
             query->trace);
    free(command);
    vbt_call_tree_free(&tree);
}
