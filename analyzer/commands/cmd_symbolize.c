/* vbtrace symbolize: puts names and source lines into a trace. */
#include "options.h"
#include "analyzer/analysis/symbolize/symbolize_file.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"

static int run(const struct vbt_query *query) {
    const char *to = query->output != NULL ? query->output : query->trace;
    struct vbt_symbolized_file done;
    struct vbt_progress progress;
    vbt_progress_begin(&progress, "vbtrace: looking up names");
    int status = vbt_symbolize_file(query->trace, to, true, &progress, &done);
    if (status != 0)
        return status;
    struct vbt_output output;
    vbt_output_begin(&output, NULL);
    fprintf(output.stream, "%s: the functions of %s native call sites, %s source lines\n", to, vbt_count((int64_t)done.sites).text,
            vbt_count((int64_t)done.lines).text);
    return vbt_output_finish(&output);
}

const struct vbt_command vbt_command_symbolize = {
    .name = "symbolize",
    .summary = "put names and source lines into a trace, for another machine",
    .help = "Writes the trace anew, with the functions of its native code and the source lines that reports show: then it reads "
            "the same\n"
            "where binaries and sources are others or none. Run it where they are those that ran. Without --output the trace "
            "itself is\n"
            "replaced, in one step. A trace that was symbolized before is left as it is, but for code whose file was missing then.",
    .formats = 1U << VBT_TEXT,
    .output = "replacing TRACE",
    .run = run,
};
