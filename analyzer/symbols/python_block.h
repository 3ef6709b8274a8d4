/* Where the text of a piece of Python code ends. */
#ifndef VBT_PYTHON_BLOCK_H
#define VBT_PYTHON_BLOCK_H

#include "source.h"

/* The last line of the function that begins in a line, its decorators included; as inspect.getblock says. is_expression: of the statement
 * that a lambda or a comprehension begins in. The first line itself, if that is all there is to be had. */
int64_t vbt_python_block_end(struct vbt_sources *sources, const char *file, int64_t first, bool is_expression);

#endif
