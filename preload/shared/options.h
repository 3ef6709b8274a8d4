/* The options in the environment. Also part of the tool: `vbtrace run` takes the same options on
 * its command line. */
#ifndef VBT_PRELOAD_OPTIONS_H
#define VBT_PRELOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VBT_PATH_MAX = 4096, VBT_PATTERNS_MAX = 4096 };

enum vbt_native_option {
    VBT_NATIVE_DEFAULT, /* leaf in a Python process, full in others */
    VBT_NATIVE_LEAF,    /* the function that called the allocator */
    VBT_NATIVE_FULL,    /* all native frames */
    VBT_NATIVE_ONLY,    /* all native frames, and no Python frames */
};

enum vbt_lines_option {
    VBT_LINES_DEFAULT, /* chosen if there are patterns, else none */
    VBT_LINES_NONE,
    VBT_LINES_CHOSEN,    /* see lines/line_choice.h */
    VBT_LINES_DECORATED, /* only functions with @profile */
};

struct vbt_options {
    char output[VBT_PATH_MAX];        /* VBTRACE_OUTPUT: %p pid, %e program, %h host, %r rank, %% percent sign; "": none */
    int64_t tick;                     /* VBTRACE_TICK, given in milliseconds; ns */
    bool quiet;                       /* VBTRACE_QUIET: print nothing but errors */
    enum vbt_native_option native;    /* VBTRACE_NATIVE */
    uint32_t verify;                  /* VBTRACE_VERIFY: every Nth native stack is compared with libunwind's; 0: none */
    bool follow_all;                  /* VBTRACE_FOLLOW=all: trace shells and what they start, too */
    char exe[VBT_PATH_MAX];           /* VBTRACE_EXE: patterns of the programs to trace, separated by commas; "": all */
    enum vbt_lines_option lines;      /* VBTRACE_LINES: whose lines are counted */
    bool objects;                     /* VBTRACE_OBJECTS: count objects from free lists, too */
    char functions[VBT_PATTERNS_MAX]; /* VBTRACE_FUNCTIONS and VBTRACE_FILES: their patterns, "" for none */
    char files[VBT_PATTERNS_MAX];
    char user[VBT_PATTERNS_MAX];    /* VBTRACE_USER: patterns of the user's own code, "" for none */
    int64_t delay;                  /* VBTRACE_DELAY: ns; INT64_MAX: until the program starts recording */
    uint64_t max_trace, max_memory; /* VBTRACE_MAX_TRACE, VBTRACE_MAX_MEMORY: bytes; 0: no limit */
    int64_t duration;               /* VBTRACE_DURATION: ns; 0: to the end */
};

extern struct vbt_options vbt_options;

/* One option: VBTRACE_NAME=value in the environment, --name value on a command line. */
struct vbt_option {
    const char *name;                      /* as in the environment, without VBTRACE_ */
    const char *value;                     /* the placeholder for a value in a help text; NULL: 0 or 1, and --name means 1 */
    const char *help;                      /* one line */
    const char *(*set)(const char *value); /* stores it in vbt_options; NULL, or what was expected */
};

extern const struct vbt_option vbt_option_list[];
extern const size_t vbt_option_count;

/* What is wrong about values that are valid one by one, as a sentence without its full stop; NULL:
 * nothing. */
const char *vbt_options_contradiction(void);

/* Reads the environment. False if a value makes no sense, alone or together with another: then one
 * line has said so, and the program should run untraced. */
bool vbt_options_read(void);

#endif
