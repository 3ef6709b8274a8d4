/* Names of functions that fit where there is little room: of a template the arguments go first, of a path the folders. For people only;
 * JSON, CSV and collapsed stacks have names in full. */
#ifndef VBT_SHORT_NAME_H
#define VBT_SHORT_NAME_H

#include <stddef.h>

/* A function's name in at most width columns: as it is if it fits, else without the arguments of functions, then of templates from the
 * innermost outwards, each replaced by …, and cut in the end. The caller frees it. */
char *vbt_short_name(const char *name, size_t width);

/* A name and a position ("/proj/bench.py:3") that together take at most width columns. A position loses its beginning. Takes both over,
 * and puts what is to be freed in their places. */
void vbt_fit_name(char **name, char **position, size_t width);

#endif
