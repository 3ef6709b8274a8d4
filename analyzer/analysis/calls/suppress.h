/* Leaks that are known and not to be told: a file of patterns, as LeakSanitizer takes it.
 *
 *     leak:PATTERN     a call stack with a frame whose function, file or module contains PATTERN; * stands for any characters,
 *                      ^ at the front and $ at the end for where the text begins and ends
 *     # ...            a comment; empty lines are left out, too */
#ifndef VBT_SUPPRESS_H
#define VBT_SUPPRESS_H

#include "analyzer/analysis/trace.h"

/* What was left out. */
struct vbt_suppressed {
    size_t stacks;
    uint64_t blocks, bytes;
};

/* Takes the call paths that a file of patterns names out of trace->counts. False after a message if the file is not right. */
bool vbt_suppress(struct vbt_trace *trace, const char *path, struct vbt_suppressed *out);

#endif
