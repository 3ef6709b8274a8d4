/* The functions that run the commands. Each is defined in the cmd_*.c of its name; peak, leaks and
 * temporary are in cmd_stacks.c. They return the exit status. */
#ifndef VBT_COMMANDS_H
#define VBT_COMMANDS_H

#include "analyzer/analysis/query.h"

int vbt_cmd_report(const struct vbt_query *query);
int vbt_cmd_lines(const struct vbt_query *query);
int vbt_cmd_functions(const struct vbt_query *query);
int vbt_cmd_tree(const struct vbt_query *query);
int vbt_cmd_peak(const struct vbt_query *query);
int vbt_cmd_leaks(const struct vbt_query *query);
int vbt_cmd_temporary(const struct vbt_query *query);
int vbt_cmd_flamegraph(const struct vbt_query *query);
int vbt_cmd_html(const struct vbt_query *query);
int vbt_cmd_intervals(const struct vbt_query *query);
int vbt_cmd_timeline(const struct vbt_query *query);
int vbt_cmd_export(const struct vbt_query *query);
int vbt_cmd_list(const struct vbt_query *query);
int vbt_cmd_merge(const struct vbt_query *query);
int vbt_cmd_check(const struct vbt_query *query);
int vbt_cmd_diff(const struct vbt_query *query);
int vbt_cmd_info(const struct vbt_query *query);
int vbt_cmd_symbolize(const struct vbt_query *query);
int vbt_cmd_run(int count, char **arguments);

#endif
