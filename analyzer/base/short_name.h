/* Shortens names of functions where there is little room: templates lose their arguments first,
 * paths their folders. For people only; JSON, CSV and collapsed stacks have the full names. */
#ifndef VBT_SHORT_NAME_H
#define VBT_SHORT_NAME_H

#include <stddef.h>

/* A function's name in at most `width` columns: unchanged if it fits, else without function
 * arguments, then without template arguments from the innermost outwards, each replaced by …, and
 * cut as a last resort, but for the offset in "libfoo.so+0x1a40". The caller frees it. */
char *vbt_short_name(const char *name, size_t width);

/* Makes a name and a position ("/proj/bench.py:3") take at most `width` columns together. A
 * position loses its beginning, but keeps the file's name where that takes up to three fifths.
 * Takes ownership of both and replaces them by what the caller is to free. */
void vbt_fit_name(char **name, char **position, size_t width);

#endif
