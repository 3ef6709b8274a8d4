/* Puts names and source lines into a trace file. */
#ifndef VBT_SYMBOLIZE_FILE_H
#define VBT_SYMBOLIZE_FILE_H

#include "analyzer/base/progress.h"

#include <stddef.h>

/* What came of it. */
struct vbt_symbolized_file {
    size_t sites, lines; /* native call sites with names, source lines kept */
};

/* Writes a trace anew, with names, under the path `to`; if that is the trace itself, it is replaced in one step. warnings: say on standard
 * error what of the trace or of the binaries was not as it should be. progress may be NULL;
 * its bar is gone afterwards. Exit status: 0, or 2 after a message. */
int vbt_symbolize_file(const char *trace, const char *to, bool warnings, struct vbt_progress *progress,
                       struct vbt_symbolized_file *result);

#endif
