/* What a view is asked to show: a command line with all defaults filled in. Written by commands/,
 * read by all floors below. */
#ifndef VBT_QUERY_H
#define VBT_QUERY_H

#include "measure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vbt_output_format { VBT_TEXT, VBT_JSON, VBT_CSV, VBT_SVG, VBT_MARKDOWN, VBT_JUNIT, VBT_SARIF, VBT_GITHUB, VBT_EXPORT };

/* Whose layout a table of lines has. */
enum vbt_like { VBT_LIKE_OURS, VBT_LIKE_MEMORY_PROFILER, VBT_LIKE_LINE_PROFILER };

/* What calls are grouped by. */
enum vbt_group {
    VBT_BY_NOTHING,
    VBT_BY_MODULE,
    VBT_BY_THREAD,
    VBT_BY_DOMAIN,
    VBT_BY_PROCESS,
    VBT_BY_PROGRAM,
    VBT_BY_RANK,
    VBT_BY_HOST,
    VBT_GROUPS
};

/* The noun for one of them, as --by takes it; of VBT_BY_NOTHING "". */
extern const char *const vbt_group_nouns[VBT_GROUPS];

static inline bool vbt_group_is_of_processes(enum vbt_group by) { return by >= VBT_BY_PROCESS; }

/* What the traces of a folder are: as they show themselves, one run, or a run each. */
enum vbt_runs_how { VBT_RUNS_AUTO, VBT_RUNS_ONE, VBT_RUNS_EACH };

/* The tables of a comparison. */
enum vbt_diff_table {
    VBT_DIFF_ALL,
    VBT_DIFF_TOTALS,
    VBT_DIFF_LINES,
    VBT_DIFF_FUNCTIONS,
    VBT_DIFF_TREE,
    VBT_DIFF_SECTIONS,
    VBT_DIFF_MODULES,
    VBT_DIFF_TIMELINE
};

enum { VBT_MAX_FILTERS = 16, VBT_MAX_LIMITS = 64 };

struct vbt_query {
    const char *trace;         /* as messages call what is reported: the file or folder, or "3 traces" */
    const char *const *traces; /* the files and folders, as they were given */
    size_t trace_count;
    enum vbt_output_format format;
    const char *exporter;                 /* of VBT_EXPORT: its name, see export/exporter.h */
    const char *sort;                     /* one of the command's keys; its first one by default */
    const char *suppress;                 /* a file of patterns, see suppress.h; NULL: none */
    const char *output;                   /* NULL: standard output */
    const char *filters[VBT_MAX_FILTERS]; /* each of them valid, see filter.h */
    unsigned filter_count;
    bool filters_rows;     /* a filter that is plain text selects rows of the table, not call stacks */
    const char *from, *to; /* moments, see moments.h; NULL: the start, the end */
    bool at;               /* `to` was given as --at */
    bool before_exit;      /* `to` is when the interpreter began to shut down */
    bool grown;            /* by the growth of what is live */
    bool measured;         /* --measure was given */
    enum vbt_measure measure;
    double min_share;   /* --min: a share of the whole, 0 … 1 */
    uint64_t min_value; /* or an amount of the measure */
    enum vbt_group by;
    bool by_function; /* one call per function, not per line */
    bool reverse, ungroup;
    bool lines_given;     /* --frames line was given, which is the default */
    bool imports;         /* a flame graph: Python's import machinery frame by frame */
    bool root_at_bottom;  /* a flame graph: else on top */
    const char *diff;     /* a flame graph: the trace or folder that it is compared with; NULL: none */
    uint64_t depth;       /* frames of a stack; UINT64_MAX: all; 0: as many as fit */
    uint64_t limit;       /* rows; UINT64_MAX: all */
    bool together;        /* of several processes, the peak is when all had most together */
    int64_t process;      /* its id: of several, only this one; 0: all */
    uint64_t per;         /* iterations in an interval between two clock readings; 0: unknown */
    const char *user;     /* patterns of the user's own code, see user_code.h; NULL: those of the trace */
    bool by_leaf;         /* lines: leaf lines instead of the nearest user lines */
    bool sites;           /* intervals: also list their call sites */
    bool intervals_alone; /* the view shows intervals and nothing else */
    bool by_process;      /* what each process did is asked for, too, whatever it is grouped by */
    bool history;         /* what happened from one moment to the next is asked for */
    bool everything;      /* the view shows all parts of the run, and mapped memory beside the other domains */
    const char *against;  /* html: an older trace to compare with; NULL: none */
    bool no_source;       /* html: without text of sources */
    bool sorted;          /* --sort was given */
    bool limited;         /* --limit was given */
    bool own;             /* lines: without what they called */
    enum vbt_like like;   /* lines */
    size_t old_count;     /* of a comparison: so many of the traces are the old side */
    enum vbt_runs_how runs;
    enum vbt_diff_table table;
    const char *limits[VBT_MAX_LIMITS]; /* check: each of them valid, see limit.h */
    size_t limit_count;
    const char *allow; /* check: facts of the environment that may differ, see environment.h; NULL: none */
    bool approve, budgets, self_test;
};

#endif
