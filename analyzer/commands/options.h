/* The command line of a subcommand, and what a subcommand is. */
#ifndef VBT_OPTIONS_H
#define VBT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vbt_output_format { VBT_TEXT, VBT_JSON, VBT_CSV, VBT_SVG, VBT_COLLAPSED, VBT_MPROF, VBT_FORMATS };

/* Whose layout a table of lines has. */
enum vbt_like { VBT_LIKE_OURS, VBT_LIKE_MEMORY_PROFILER, VBT_LIKE_LINE_PROFILER };

/* What calls are grouped by. */
enum vbt_group { VBT_BY_NOTHING, VBT_BY_MODULE, VBT_BY_THREAD, VBT_BY_DOMAIN };

enum { VBT_MAX_FILTERS = 16 };

struct vbt_options {
    const char *trace;
    enum vbt_output_format format;
    const char *sort;                     /* one of the command's keys; its first one by default */
    const char *suppress;                 /* a file of patterns, see suppress.h; NULL: none */
    const char *output;                   /* NULL: standard output */
    const char *filters[VBT_MAX_FILTERS]; /* all of them right, see filter.h */
    unsigned filter_count;
    bool filters_rows;  /* a filter that is a mere text is for the rows of the table, not for call stacks */
    int measure;        /* enum vbt_measure */
    double min_share;   /* --min: a share of the whole, 0 … 1 */
    uint64_t min_value; /* or an amount of the measure */
    enum vbt_group by;
    bool by_function; /* calls are one for a function, not for a line */
    bool reverse, ungroup;
    uint64_t depth; /* frames of a stack; UINT64_MAX: all; 0: as many as there is room for */
    uint64_t limit; /* rows; UINT64_MAX: all */
    uint64_t per;   /* iterations in an interval between two clock readings; 0: unknown */
    bool by_leaf;   /* lines: leaf lines instead of the nearest user lines */
    bool sites;     /* intervals: their call sites too */
    bool sorted;    /* --sort was given */
    bool own;       /* lines: without what they called */
    int like;       /* lines: enum vbt_like */
};

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
    unsigned text_limit;                           /* rows of text unless --limit says otherwise; JSON and CSV have all */
    const char *min;                               /* default of --min in text and pictures; JSON and CSV have all */
    unsigned formats;                              /* a bit each, the lowest is the default; 0: text, JSON and CSV */
    const char *output;                            /* what --output is instead of; NULL: standard output */
    int (*run)(const struct vbt_options *options); /* exit status */
    int (*own)(int count, char **arguments);       /* instead, of a command that is not about one trace: has its own options */
};

extern const struct vbt_command vbt_command_report, vbt_command_lines, vbt_command_functions, vbt_command_intervals,
    vbt_command_timeline, vbt_command_tree, vbt_command_peak, vbt_command_leaks, vbt_command_temporary, vbt_command_flamegraph,
    vbt_command_info, vbt_command_symbolize, vbt_command_export, vbt_command_run;

/* Fills options from the arguments behind the command's name. -1 to go on, else the exit status: 0 after --help, 2 after a message. */
int vbt_options_parse(const struct vbt_command *command, int count, char *const *arguments, struct vbt_options *options);

/* Prints the help of a command to standard output. */
int vbt_options_help(const struct vbt_command *command);

#endif
