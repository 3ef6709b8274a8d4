/* vbtrace diff: what two sides, of a run each or of several, have different. */
#include "commands.h"
#include "analyzer/analysis/compare/compare_runs.h"
#include "analyzer/analysis/compare/findings.h"
#include "analyzer/base/message.h"
#include "analyzer/report/compare/diff_report.h"

#include <stdlib.h>

/* Loads all runs of a side. False after a message. */
static bool load_side(struct vbt_side *side, const struct vbt_query *query, const char *const *names, size_t count) {
    struct vbt_run_list runs;
    char *problem = vbt_runs_find(&runs, names, count, query->runs);
    bool good = problem == NULL;
    if (!good)
        vbt_fail("%s", problem);
    free(problem);
    vbt_side_begin(side, runs.count);
    for (size_t i = 0; i < runs.count && good; i++) {
        struct vbt_query one = *query;
        one.trace = runs.rows[i].name;
        one.traces = (const char *const *)runs.rows[i].paths;
        one.trace_count = runs.rows[i].count;
        good = vbt_side_add(side, &one, runs.rows[i].name);
    }
    vbt_runs_free(&runs);
    return good;
}

static bool load_sides(struct vbt_side *old, struct vbt_side *new, const struct vbt_query *query) {
    *new = (struct vbt_side){0};
    bool good = load_side(old, query, query->traces, query->old_count);
    good = good && load_side(new, query, query->traces + query->old_count, query->trace_count - query->old_count);
    if (!good) {
        vbt_side_free(old);
        vbt_side_free(new);
    }
    return good;
}

int vbt_cmd_diff(const struct vbt_query *query) {
    struct vbt_side old, new;
    struct vbt_comparison comparison;
    struct vbt_findings findings;
    struct vbt_output output;
    if (!load_sides(&old, &new, query))
        return 2;
    vbt_compare(&comparison, &old, &new);
    const struct vbt_least_effect least = VBT_LEAST_EFFECT;
    bool all = query->format == VBT_JSON || query->format == VBT_CSV;
    vbt_findings_get(&findings, &comparison, &least, query->sort, all);
    vbt_output_begin(&output, query->output);
    if (query->format == VBT_JSON)
        vbt_diff_json_print(&findings, query, output.stream);
    else if (query->format == VBT_CSV)
        vbt_diff_csv_print(&findings, query, output.stream);
    else
        vbt_diff_print(&findings, query, &output);
    vbt_findings_free(&findings);
    vbt_comparison_free(&comparison);
    return vbt_output_finish(&output);
}
