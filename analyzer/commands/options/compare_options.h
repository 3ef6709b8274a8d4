/* The options of commands that compare runs. */
#ifndef VBT_COMPARE_OPTIONS_H
#define VBT_COMPARE_OPTIONS_H

#include "option_table.h"

/* Values of --runs and --table, and their setters: see option_table.h. */
extern const char *const vbt_runs_choices[];
char *vbt_set_runs(const struct vbt_setting *setting);

extern const char *const vbt_diff_tables[];
char *vbt_set_diff_table(const struct vbt_setting *setting);

/* Of check: --limit, --allow, --approve, --budgets, --self-test. */
char *vbt_add_limit(const struct vbt_setting *setting);
char *vbt_set_allow(const struct vbt_setting *setting);
char *vbt_set_approve(const struct vbt_setting *setting);
char *vbt_set_budgets(const struct vbt_setting *setting);
char *vbt_set_self_test(const struct vbt_setting *setting);

/* Which of the query's traces are the old side: those before "--", of which `after_dashes` follow
 * it; without one the first of two. Returns a status if that cannot be, else -1. */
int vbt_divide_sides(const struct vbt_command *command, struct vbt_query *query, size_t after_dashes);

#endif
