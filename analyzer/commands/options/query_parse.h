/* From a view's command line to its query. */
#ifndef VBT_QUERY_PARSE_H
#define VBT_QUERY_PARSE_H

#include "analyzer/commands/command_table.h"

/* arguments: the command's name and all that follows it. Returns -1 to go on, else the exit status:
 * 0 after --help, 2 after a message. */
int vbt_query_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_query *query);

#endif
