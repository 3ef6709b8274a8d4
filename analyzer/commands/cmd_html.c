/* vbtrace html: the whole report as one page for a browser. */
#include "commands.h"
#include "analyzer/analysis/line_mode/line_fold.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/report/page/page.h"
#include "analyzer/report/page/page_template.h"

#include <stdlib.h>
#include <unistd.h>

/* Loads what the query names, and makes data of it. False after a message. */
static bool collect(const struct vbt_query *query, struct vbt_text_buffer *data) {
    struct vbt_trace trace;
    if (!vbt_trace_load(&trace, query, false))
        return false;
    vbt_trace_warn_if_empty(&trace, query, SIZE_MAX);
    vbt_trace_attribute(&trace);
    struct vbt_conservation conservation;
    struct vbt_interval_list intervals;
    struct vbt_line_profile profile;
    struct vbt_cells cells;
    vbt_conservation_check(&conservation, &trace.model);
    vbt_interval_list_build(&intervals, &trace.model, trace.places, trace.attribution.leaf,
                            vbt_filter_selects_stacks(trace.filter) ? trace.counts : NULL);
    vbt_interval_list_filter(&intervals, trace.filter);
    vbt_interval_list_sort(&intervals, vbt_interval_keys[0]);
    vbt_line_profile_build(&profile, &trace.model, trace.places, trace.filter);
    vbt_fold_costs(&profile, true);
    vbt_cells_build(&cells, &trace);
    const struct vbt_page_content content = {&trace, query, &cells, &conservation, &intervals, &profile};
    *data = vbt_page_data(&content);
    vbt_cells_free(&cells);
    vbt_line_profile_free(&profile);
    vbt_interval_list_free(&intervals);
    vbt_conservation_free(&conservation);
    vbt_trace_free(&trace);
    return true;
}

int vbt_cmd_html(const struct vbt_query *given) {
    struct vbt_query query = *given;
    struct vbt_text_buffer data = {0}, against = {0};
    if (vbt_page_template == NULL)
        return vbt_fail("html: this vbtrace was built without the page, which takes Node.js 18 or newer and npm");
    if (query.output == NULL && isatty(STDOUT_FILENO))
        return vbt_fail("html: expected a file for the page, as in: vbtrace html -o page.html %s", query.trace);
    query.everything = true;
    query.by = VBT_BY_PROCESS; /* so that it is known what each did */
    bool good = collect(&query, &data);
    if (good && query.against != NULL) {
        query.trace = query.against;
        query.traces = &query.against;
        query.trace_count = 1;
        query.no_source = true; /* it is that of the newer one, if anything */
        good = collect(&query, &against);
    }
    struct vbt_output output;
    int status = 2;
    if (good) {
        vbt_output_begin(&output, query.output);
        vbt_page_print(&data, &against, output.stream);
        status = vbt_output_finish(&output);
    }
    free(data.text);
    free(against.text);
    return status;
}
