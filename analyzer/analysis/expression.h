/* Regular expressions that somebody types: POSIX extended ones that take bounded memory and time.
 */
#ifndef VBT_EXPRESSION_H
#define VBT_EXPRESSION_H

#include <regex.h>

/* Compiles an expression, without subexpressions. NULL, or what is wrong, as a phrase that the
 * caller frees; *out is set only in the first case, and then for regfree. Repetitions that
 * multiply to more than 10,000 copies of a character, and references to what was matched before,
 * are refused: the C library would take gigabytes for the former, and time without bound for the
 * latter. */
char *vbt_expression_compile(regex_t *out, const char *text);

#endif
