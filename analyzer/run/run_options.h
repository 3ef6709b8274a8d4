/* The command line of `vbtrace run`: the library's options by their long names, and what to run. */
#ifndef VBT_RUN_OPTIONS_H
#define VBT_RUN_OPTIONS_H

#include "memit.h"
#include "python_command.h"

#include <stdbool.h>
#include <stdio.h>

struct vbt_run_options {
    const char *output; /* --output or VBTRACE_OUTPUT; NULL: neither is given */
    bool quiet;
    bool symbolize;
    struct vbt_memit memit; /* its statement, if not NULL, is run instead of a program */
    struct vbt_python_wish wish;
    struct vbt_python_command python; /* a script, a module or code; vbt_run_options_free frees it */
    char **program;                   /* its name and arguments, NULL-terminated; not set with --memit */
};

/* Reads the arguments after "vbtrace". Options of the library are checked and put into the
 * environment; variables that are already there are checked as well. Returns -1 to go on, else the
 * exit status: 0 after --help, 2 after a message. The options must be freed in both cases. */
int vbt_run_options_parse(struct vbt_run_options *options, int count, char **arguments);

void vbt_run_options_free(struct vbt_run_options *options);

/* Every option for programs, one line each: "run --tick MS". */
void vbt_run_options_list(FILE *out);

#endif
