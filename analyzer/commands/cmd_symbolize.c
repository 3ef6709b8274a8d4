/* vbtrace symbolize: stores names and source lines in a trace. */
#include "commands.h"
#include "analyzer/analysis/symbolize/symbolize_file.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"

int vbt_cmd_symbolize(const struct vbt_query *query) {
    const char *to = query->output != NULL ? query->output : query->trace;
    struct vbt_symbolized_file done = {0};
    struct vbt_progress progress;
    vbt_progress_begin(&progress, "vbtrace: looking up names");
    int status = vbt_symbolize_file(query->trace, to, true, NULL, &progress, &done);
    if (!done.written)
        return status;
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fprintf(output.stream, "%s: the functions of %s, %s\n", to, vbt_counted((int64_t)done.sites, "native call site").text,
            vbt_counted((int64_t)done.lines, "source line").text);
    int finished = vbt_output_finish(&output);
    return finished != 0 ? finished : status;
}
