/* Known leaks, left out of the report: a file of patterns as LeakSanitizer reads it.
 *
 *     leak:PATTERN   a call stack with a frame whose function, file or module contains PATTERN;
 *                    * stands for any text, ^ at its start and $ at its end for those of the text
 *     # ...          a comment; empty lines are ignored as well */
#ifndef VBT_SUPPRESS_H
#define VBT_SUPPRESS_H

#include "analyzer/analysis/trace.h"

/* What was left out. */
struct vbt_suppressed {
    size_t stacks;
    uint64_t blocks, bytes;
};

/* Removes the call paths that a file of patterns names from trace->counts. False after a message if
 * the file cannot be read or is wrong. */
bool vbt_suppress(struct vbt_trace *trace, const char *path, struct vbt_suppressed *out);

#endif
