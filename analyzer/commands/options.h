/* The command line of a subcommand, and what a subcommand is. */
#ifndef VBT_OPTIONS_H
#define VBT_OPTIONS_H

#include "analyzer/analysis/query.h"

#include <stdbool.h>

/* What a command takes beside --format, --output and --help. */
enum {
    VBT_TAKES_LIMIT = 1,
    VBT_TAKES_FILTER = 2, /* for rows and stacks */
    VBT_TAKES_BY = 4,     /* user or leaf */
    VBT_TAKES_PER = 8,
    VBT_TAKES_SITES = 16,
    VBT_TAKES_STACK_FILTER = 32,
    VBT_TAKES_GROUP = 64,   /* --by module, thread or domain */
    VBT_TAKES_MODULE = 128, /* --by module or thread */
    VBT_TAKES_MEASURE = 256,
    VBT_TAKES_MIN = 512,
    VBT_TAKES_FRAMES = 1024,
    VBT_TAKES_REVERSE = 2048,
    VBT_TAKES_UNGROUP = 4096,
    VBT_TAKES_DEPTH = 8192,
    VBT_TAKES_LIKE = 16384, /* --like and --own */
    VBT_TAKES_SUPPRESS = 32768,
};

struct vbt_command {
    const char *name;
    const char *summary;          /* a line for the list of commands */
    const char *help;             /* a paragraph for --help */
    const char *const *sort_keys; /* the default first, NULL behind the last; NULL: cannot be sorted */
    unsigned takes;
    unsigned text_limit;                       /* rows of text unless --limit says otherwise; JSON and CSV have all */
    const char *min;                           /* default of --min in text and pictures; JSON and CSV have all */
    unsigned formats;                          /* a bit each, the lowest is the default; 0: text, JSON and CSV */
    const char *output;                        /* what --output is instead of; NULL: standard output */
    int (*run)(const struct vbt_query *query); /* exit status */
    int (*own)(int count, char **arguments);   /* instead, of a command that is not about one trace: has its own options */
};

extern const struct vbt_command vbt_command_report, vbt_command_lines, vbt_command_functions, vbt_command_intervals,
    vbt_command_timeline, vbt_command_tree, vbt_command_peak, vbt_command_leaks, vbt_command_temporary, vbt_command_flamegraph,
    vbt_command_info, vbt_command_symbolize, vbt_command_export, vbt_command_run;

/* Fills options from the arguments behind the command's name. -1 to go on, else the exit status: 0 after --help, 2 after a message. */
int vbt_options_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_query *query);

/* Prints the help of a command to standard output. */
int vbt_options_help(const struct vbt_command *command);

#endif
