/* vbtrace diff: what two sides, of a run each or of several, have different. */
#include "commands.h"
#include "analyzer/analysis/compare/findings.h"
#include "analyzer/analysis/compare/compare_runs.h"
#include "analyzer/report/compare/diff_report.h"

static bool load_sides(struct vbt_side *old, struct vbt_side *new, const struct vbt_query *query) {
    if (!vbt_side_load(old, query, query->traces, query->old_count))
        return false;
    bool good = vbt_side_load(new, query, query->traces + query->old_count, query->trace_count - query->old_count);
    if (!good)
        vbt_side_free(old);
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
