/* The command line of a subcommand, and what a subcommand is. */
#ifndef VBT_OPTIONS_H
#define VBT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum vbt_output_format { VBT_TEXT, VBT_JSON, VBT_CSV };

struct vbt_options {
    const char *trace;
    enum vbt_output_format format;
    const char *sort;   /* one of the command's keys; its first one by default */
    const char *filter; /* NULL: everything */
    const char *output; /* NULL: standard output */
    uint64_t limit;     /* rows; UINT64_MAX: all */
    uint64_t per;       /* iterations in an interval between two clock readings; 0: unknown */
    bool by_leaf;       /* lines: leaf lines instead of the nearest user lines */
    bool sites;         /* intervals: their call sites too */
};

/* What a command takes beside --format, --output and --help. */
enum { VBT_TAKES_LIMIT = 1, VBT_TAKES_FILTER = 2, VBT_TAKES_BY = 4, VBT_TAKES_PER = 8, VBT_TAKES_SITES = 16 };

struct vbt_command {
    const char *name;
    const char *summary;          /* a line for the list of commands */
    const char *help;             /* a paragraph for --help */
    const char *const *sort_keys; /* the default first, NULL behind the last; NULL: cannot be sorted */
    unsigned takes;
    unsigned text_limit;                           /* rows of text unless --limit says otherwise; JSON and CSV have all */
    int (*run)(const struct vbt_options *options); /* exit status */
};

extern const struct vbt_command vbt_command_report, vbt_command_lines, vbt_command_functions, vbt_command_intervals,
    vbt_command_timeline, vbt_command_info;

/* Fills options from the arguments behind the command's name. -1 to go on, else the exit status: 0 after --help, 2 after a message. */
int vbt_options_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_options *options);

/* Prints the help of a command to standard output. */
int vbt_options_help(const struct vbt_command *command);

#endif
