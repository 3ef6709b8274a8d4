/* See compare_options.h. */
#include "compare_options.h"

#include "analyzer/analysis/check/environment.h"
#include "analyzer/analysis/check/limit.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"

const char *const vbt_runs_choices[] = {"auto", "one", "each", NULL};

char *vbt_set_runs(const struct vbt_setting *s) {
    s->query->runs = (enum vbt_runs_how)s->index;
    return NULL;
}

const char *const vbt_diff_tables[] = {"totals", "lines", "functions", "tree", "sections", "modules", "timeline", NULL};

char *vbt_set_diff_table(const struct vbt_setting *s) {
    s->query->table = (enum vbt_diff_table)(VBT_DIFF_TOTALS + s->index);
    return NULL;
}

char *vbt_add_limit(const struct vbt_setting *s) {
    struct vbt_limit limit;
    char *wrong = s->query->limit_count == VBT_MAX_LIMITS ? vbt_text("expected at most %d limits", VBT_MAX_LIMITS) : NULL;
    wrong = wrong != NULL ? wrong : vbt_limit_parse(&limit, s->value);
    if (wrong != NULL)
        return wrong;
    vbt_limit_free(&limit);
    s->query->limits[s->query->limit_count++] = s->value;
    return NULL;
}

char *vbt_set_allow(const struct vbt_setting *s) {
    s->query->allow = s->value;
    return vbt_allow_wrong(s->value);
}

char *vbt_set_approve(const struct vbt_setting *s) {
    s->query->approve = true;
    return NULL;
}

char *vbt_set_budgets(const struct vbt_setting *s) {
    s->query->budgets = true;
    return NULL;
}

char *vbt_set_self_test(const struct vbt_setting *s) {
    s->query->self_test = true;
    return NULL;
}

int vbt_divide_sides(const struct vbt_command *command, struct vbt_query *query, size_t after_dashes) {
    size_t count = query->trace_count;
    if (after_dashes < count && after_dashes > 0) {
        query->old_count = count - after_dashes;
        return -1;
    }
    query->old_count = 1;
    if (count == 2)
        return -1;
    return count == 1 ? vbt_fail("%s: expected two sides, OLD and NEW, found only %s", command->name, query->traces[0])
                      : vbt_fail("%s: found %zu traces; of several runs a side, put -- between the sides: OLD ... -- NEW ...",
                                 command->name, count);
}
