/* Which functions line mode follows: what VBTRACE_LINES, VBTRACE_FUNCTIONS and VBTRACE_FILES
 * say. */
#ifndef VBT_LINE_CHOICE_H
#define VBT_LINE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does line mode take a function that has no @profile? file and name need not be NUL-terminated;
 * flags: enum vbt_code_flag. As vbt_options asks: with patterns, functions that match those for
 * functions, if there are any, and those for files, if there are any; without, all functions in the
 * user's own files (code that is typed in, or made by exec, is in none). */
bool vbt_line_choice_takes(const char *file, size_t file_size, const char *name, size_t name_size, uint32_t flags);

#endif
