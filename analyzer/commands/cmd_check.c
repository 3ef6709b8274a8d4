/* vbtrace check: a gate. Do runs hold what is asked of them, by limits and by a baseline? */
#include "commands.h"
#include "analyzer/analysis/check/baseline.h"
#include "analyzer/analysis/check/budgets.h"
#include "analyzer/analysis/check/gate.h"
#include "analyzer/analysis/compare/compare_runs.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/units.h"
#include "analyzer/report/check/check_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is checked against a baseline if no limit is given. */
static const char *const usual[] = {"own: +allocs <= 0", "own: +bytes <= 0", "own: +left <= 0", "+peak <= 0 ±1% and ±4KiB"};
static const char *const usual_of_sections[] = {"section *: +allocs/iter <= 0", "section *: +bytes/iter <= 0"};

static bool is_there(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

/* Writes the baseline beside the file first, so that it is replaced as a whole or not at all. */
static int approve(const struct vbt_side *side, const struct vbt_query *query) {
    const char *path = query->against;
    if (is_there(path) && !vbt_is_baseline(path))
        return vbt_fail("%s: is no baseline that vbtrace check --approve wrote; choose another name for --against", path);
    char *beside = vbt_text("%s.%ld", path, (long)getpid());
    FILE *file = fopen(beside, "wxe");
    int status = 0;
    if (file != NULL)
        vbt_baseline_write(side, file);
    if (file == NULL || fclose(file) != 0 || rename(beside, path) != 0) {
        status = vbt_fail("%s: cannot be written: %m", path);
        unlink(beside);
    } else {
        struct vbt_output output;
        vbt_output_begin(&output, query->output);
        fprintf(output.stream, "%s: approved, of %s%s\n", path, vbt_counted((int64_t)side->run_count, "run").text,
                side->run_count == 1 ? "; several show what varies from run to run by itself" : "");
        status = vbt_output_finish(&output);
    }
    free(beside);
    return status;
}

/* The old side: traces or a text. *missing: there is nothing of that name. False after a
 * message. */
static bool load_baseline(struct vbt_side *side, const struct vbt_query *query, bool *missing) {
    *missing = query->against != NULL && !is_there(query->against);
    vbt_side_begin(side, 0);
    if (query->against == NULL || *missing)
        return true;
    vbt_side_free(side);
    if (!vbt_is_baseline(query->against))
        return vbt_side_load(side, query, &query->against, 1);
    char *problem = vbt_baseline_read(side, query->against);
    if (problem != NULL) {
        vbt_fail("%s", problem);
        vbt_side_free(side);
    }
    bool good = problem == NULL;
    free(problem);
    return good;
}

/* Adds the limits that were given, or the usual ones. They were checked when the command line was
 * read. */
static void add_limits(struct vbt_budgets *limits, const struct vbt_query *query, const struct vbt_side *new, bool missing) {
    const char *texts[VBT_MAX_LIMITS];
    size_t count = query->limit_count;
    memcpy(texts, query->limits, count * sizeof *texts);
    if (count == 0 && query->against != NULL) {
        bool sections = false;
        for (size_t i = 0; i < new->section_count; i++)
            sections = sections || new->sections[i].section;
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
            texts[count++] = usual[i];
        for (size_t i = 0; sections && i < sizeof usual_of_sections / sizeof usual_of_sections[0]; i++)
            texts[count++] = usual_of_sections[i];
    }
    for (size_t i = 0; i < count; i++) {
        limits->rows = vbt_grow(limits->rows, &limits->capacity, limits->count + 1, sizeof *limits->rows);
        struct vbt_limit *limit = &limits->rows[limits->count++];
        free(vbt_limit_parse(limit, texts[i]));
        if (limit->growth && missing) { /* that there is no baseline is said once */
            vbt_limit_free(limit);
            limits->count--;
        }
    }
}

static int check(struct vbt_side *old, struct vbt_side *new, const struct vbt_query *query, const struct vbt_budgets *limits,
                 bool missing) {
    struct vbt_comparison comparison;
    struct vbt_gate gate;
    struct vbt_output output;
    vbt_compare(&comparison, old, new);
    vbt_gate_check(&gate, &comparison, limits->rows, limits->count, comparison.old.run_count > 0, query->allow, query->self_test);
    if (missing)
        vbt_gate_miss(&gate, query->against);
    vbt_output_begin(&output, query->output);
    vbt_check_print(&gate, query, &output);
    bool good = gate.planted ? gate.failed == gate.count : vbt_gate_holds(&gate);
    vbt_gate_free(&gate);
    vbt_comparison_free(&comparison);
    int status = vbt_output_finish(&output);
    return status != 0 ? status : good ? 0 : 1;
}

/* Says what is missing on the command line. Returns a status, or -1. */
static int check_usage(const struct vbt_query *query) {
    if (query->approve && query->against == NULL)
        return vbt_fail("check: --approve needs --against FILE, the baseline that it writes");
    if (query->approve && (query->limit_count > 0 || query->budgets || query->self_test))
        return vbt_fail("check: --approve only writes the baseline; it takes no limits");
    if (query->against == NULL && query->limit_count == 0 && !query->budgets)
        return vbt_fail("check: expected --against BASELINE, --limit EXPR or --budgets: what should hold");
    for (size_t i = 0; i < query->limit_count && query->against == NULL; i++) {
        struct vbt_limit limit;
        free(vbt_limit_parse(&limit, query->limits[i]));
        bool growth = limit.growth;
        vbt_limit_free(&limit);
        if (growth)
            return vbt_fail("check: --limit %s: is about a difference; it needs --against BASELINE", query->limits[i]);
    }
    return -1;
}

int vbt_cmd_check(const struct vbt_query *query) {
    struct vbt_side old, new;
    struct vbt_budgets limits = {0};
    bool missing = false;
    int status = check_usage(query);
    if (status >= 0)
        return status;
    if (!vbt_side_load(&new, query, query->traces, query->trace_count))
        return 2;
    if (query->approve) {
        status = approve(&new, query);
        vbt_side_free(&new);
        return status;
    }
    char *problem = query->budgets ? vbt_budgets_find(&limits, &new) : NULL;
    if (problem != NULL)
        vbt_fail("%s", problem);
    bool good = problem == NULL && load_baseline(&old, query, &missing);
    add_limits(&limits, query, &new, missing);
    free(problem);
    if (good)
        status = check(&old, &new, query, &limits, missing);
    else
        vbt_side_free(&new);
    vbt_budgets_free(&limits);
    return good ? status : 2;
}
