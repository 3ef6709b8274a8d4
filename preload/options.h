/* What the environment asks for. */
#ifndef VBT_OPTIONS_H
#define VBT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { VBT_PATH_MAX = 4096 };

struct vbt_options {
    char output[VBT_PATH_MAX]; /* VBTRACE_OUTPUT: %p pid, %e program, %h host, %r rank, %% percent sign */
    int64_t tick;              /* VBTRACE_TICK, given in milliseconds; ns */
    bool quiet;                /* VBTRACE_QUIET */
    bool follow_all;           /* VBTRACE_FOLLOW=all: shells and what they start get a trace, too */
};

extern struct vbt_options vbt_options;

/* Reads the environment. False if a value makes no sense: that is said in one line, and the program should run
 * untraced. */
bool vbt_options_read(void);

#endif
