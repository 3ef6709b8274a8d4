/* See mprof.h. */
#include "mprof.h"

#include "analyzer/base/message.h"
#include "analyzer/base/utf8.h"
#include "analyzer/report/command_line.h"

#include <stdlib.h>
#include <string.h>

void vbt_export_mprof(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    const struct vbt_model *model = &trace->model;
    char *command = vbt_command_line(model), *printable = vbt_utf8_printable(command, strlen(command));
    double started = (double)vbt_model_process_number(model, "started") / 1e9;
    fprintf(out, "CMDLINE %s\n", printable);
    for (size_t i = model->ticks.first; i < model->ticks.count; i++)
        fprintf(out, "MEM %.6f %.4f\n", (double)model->ticks.rows[i].rss / (1 << 20),
                started + (double)model->ticks.rows[i].time / 1e9);
    vbt_warn("%s: mprof: call stacks and what was allocated are left out: the format has the resident set only", query->trace);
    free(printable);
    free(command);
}
