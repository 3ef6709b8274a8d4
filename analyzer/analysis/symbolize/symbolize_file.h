/* Stores names and source lines in a trace file. */
#ifndef VBT_SYMBOLIZE_FILE_H
#define VBT_SYMBOLIZE_FILE_H

#include "analyzer/base/progress.h"
#include "analyzer/symbols/native/binaries.h"

#include <stdbool.h>
#include <stddef.h>

/* What was stored. */
struct vbt_symbolized_file {
    bool written;
    size_t sites, lines; /* native call sites with names, and source lines */
};

/* Writes a trace with names to the path `to`; if that is the trace itself, it is replaced in one
 * step. warnings: report on standard error what is wrong with the trace or its binaries. binaries:
 * see vbt_symbols_new. progress may be NULL; its bar is removed at the end. Returns the exit
 * status: 0, or 2 after a message. After a warning it is 2, too, for what could not be stored; all
 * else was. */
int vbt_symbolize_file(const char *trace, const char *to, bool warnings, struct vbt_binaries *binaries,
                       struct vbt_progress *progress, struct vbt_symbolized_file *result);

#endif
