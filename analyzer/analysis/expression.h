/* Regular expressions that somebody types: POSIX extended ones in bounded memory and time. */
#ifndef VBT_EXPRESSION_H
#define VBT_EXPRESSION_H

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

struct vbt_expression {
    regex_t regex;
    const char *text;
    uint64_t bytes; /* of what it was compared with */
    uint64_t time;  /* ns of processor time that this took */
};

/* Compiles an expression, without subexpressions; the text must live as long. NULL, or what is
 * wrong, as a phrase that the caller frees; *out is set only in the first case, and then for
 * vbt_expression_free. Repetitions that multiply to more than 10,000 copies of a character, and
 * references to what was matched before, are refused: the C library would take gigabytes for the
 * former, and time without bound for the latter. */
char *vbt_expression_compile(struct vbt_expression *out, const char *text);
void vbt_expression_free(struct vbt_expression *expression);

/* Is there a match anywhere in a text? Ends the program with a message if an expression takes so
 * long that it would not end in reasonable time: some need a new state of the matcher for each
 * character, of thousands of positions each. */
bool vbt_expression_matches(struct vbt_expression *expression, const char *text);

#endif
