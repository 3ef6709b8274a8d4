/* The command line of `vbtrace run`: the options of the library by their long names, and what is to run. */
#ifndef VBT_RUN_OPTIONS_H
#define VBT_RUN_OPTIONS_H

#include "memit.h"

#include <stdbool.h>
#include <stdio.h>

struct vbt_run_options {
    const char *output; /* --output or VBTRACE_OUTPUT; NULL: none is given */
    bool quiet;
    bool symbolize;
    struct vbt_memit memit; /* statement: NULL, or what is run instead of a program; to be freed whatever the parsing gave */
    char **program;         /* its name and arguments, NULL behind the last; of --memit not yet known */
};

/* Reads the arguments behind "vbtrace". What is meant for the library is checked and put into the environment; so is checked what the
 * environment says already. -1 to go on, else the exit status: 0 after --help, 2 after a message. */
int vbt_run_options_parse(struct vbt_run_options *options, int count, char **arguments);

/* Every option for programs, a line each: "run --tick MS". */
void vbt_run_options_list(FILE *out);

#endif
