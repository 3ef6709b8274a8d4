/* Finds where the text of a piece of Python code ends. */
#ifndef VBT_PYTHON_BLOCK_H
#define VBT_PYTHON_BLOCK_H

#include "source.h"

/* The last line of the function that begins in a line, including its decorators, as
 * inspect.getblock finds it. is_expression: the last line of the statement in which a lambda or
 * comprehension begins. The first line itself if no text can be read. */
int64_t vbt_python_block_end(struct vbt_sources *sources, const char *file, int64_t first, bool is_expression);

#endif
