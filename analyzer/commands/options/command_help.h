/* Help texts, made from the tables of commands and options. */
#ifndef VBT_COMMAND_HELP_H
#define VBT_COMMAND_HELP_H

#include "analyzer/commands/command_table.h"

/* Each prints to standard output and returns the exit status. */

/* All commands. */
int vbt_help(void);

/* One command with its options. */
int vbt_command_help(const struct vbt_command *command);

/* Every option of every command for programs, one line each: "report --limit N", "report --help".
 * An option whose value has several forms has a line for each form. */
int vbt_help_list(void);

#endif
