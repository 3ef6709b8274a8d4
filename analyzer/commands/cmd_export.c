/* vbtrace export: the trace in the file formats of other tools. */
#include "commands.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/output.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"

#include <stdlib.h>
#include <string.h>

/* What `mprof run` of memory_profiler leaves, for `mprof plot` and `mprof peak`: the command line, then the resident set in MiB and when
 * it was measured, in seconds since 1970. */
static void print_mprof(const struct vbt_model *model, FILE *out) {
    char *command = vbt_command_line(model), *printable = vbt_utf8_printable(command, strlen(command));
    double started = (double)vbt_model_process_number(model, "started") / 1e9;
    fprintf(out, "CMDLINE %s\n", printable);
    for (size_t i = model->ticks.first; i < model->ticks.count; i++)
        fprintf(out, "MEM %.6f %.4f\n", (double)model->ticks.rows[i].rss / (1 << 20),
                started + (double)model->ticks.rows[i].time / 1e9);
    free(printable);
    free(command);
}

int vbt_cmd_export(const struct vbt_query *query) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    print_mprof(&trace.model, output.stream);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
