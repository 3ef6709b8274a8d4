/* vbtrace export: the trace in the file formats of other tools. */
#include "commands.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/output.h"
#include "analyzer/export/exporter.h"

int vbt_cmd_export(const struct vbt_query *given) {
    const struct vbt_exporter *exporter = vbt_exporter_find(given->exporter);
    struct vbt_trace trace;
    struct vbt_query all = *given, *query = &all;
    all.everything = exporter->everything;
    all.history = exporter->history;
    all.by_process = exporter->processes;
    if (!vbt_trace_load(&trace, query, false))
        return 2;
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    struct vbt_output output;
    vbt_output_begin(&output, query->output);
    exporter->write(&trace, query, output.stream);
    vbt_trace_free(&trace);
    return vbt_output_finish(&output);
}
