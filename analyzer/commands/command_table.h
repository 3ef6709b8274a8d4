/* The commands of vbtrace: their names, help, defaults and functions. */
#ifndef VBT_COMMAND_TABLE_H
#define VBT_COMMAND_TABLE_H

#include "analyzer/analysis/query.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct vbt_command {
    const char *name;
    const char *usage;                   /* what follows "vbtrace NAME" on a command line; a view's options are in option_table.c */
    const char *summary;                 /* one line, for the list of commands */
    const char *help;                    /* a paragraph for --help */
    const char *const *sort_keys;        /* of --sort: the default first, NULL-terminated; NULL: cannot be sorted */
    unsigned text_limit;                 /* default of --limit in text; JSON and CSV have all rows */
    bool several;                        /* it takes several traces, and folders of them */
    bool sides;                          /* and divides them into an old and a new side */
    const char *min;                     /* default of --min in text and pictures; JSON and CSV have all calls */
    const char *const *(*formats)(void); /* of --format: the default first, NULL-terminated; NULL: it writes no report */
    const char *output;                  /* what --output replaces; NULL: standard output */

    int (*run)(const struct vbt_query *query); /* a view of one trace; returns the exit status */

    /* Instead of run, for a command with its own options: runs it with its arguments, the first of
     * which is its name; and lists its options as vbt_help_list_option does. */
    int (*run_arguments)(int count, char **arguments);
    void (*list_options)(FILE *out);
};

extern const struct vbt_command vbt_commands[];
extern const size_t vbt_command_count;

/* NULL if there is none of this name. */
const struct vbt_command *vbt_command_find(const char *name);

#endif
