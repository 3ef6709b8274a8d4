/* The layout of help texts, which fit a terminal of 80 columns. */
#ifndef VBT_HELP_TEXT_H
#define VBT_HELP_TEXT_H

#include <stdio.h>

/* Prints paragraphs, one per line of the text. A line that begins with blanks is an item of a list:
 * what follows its next gap of two or more blanks stays to the right of the gap. */
void vbt_help_print_text(FILE *out, const char *text);

/* Prints a subject, and to the right of it what it is. */
void vbt_help_print(FILE *out, const char *subject, const char *help);

/* The same for an option, "-o, --output FILE". letter: '\0' for none; name: NULL for an option that
 * only has a letter; value: stands for the option's value, NULL for an option without one. */
void vbt_help_print_option(FILE *out, char letter, const char *name, const char *value, const char *help);

/* Prints an option for programs: "report --limit N". */
void vbt_help_list_option(FILE *out, const char *command, char letter, const char *name, const char *value);

#endif
