/* How help texts show an option: "-o, --output FILE". */
#ifndef VBT_HELP_TEXT_H
#define VBT_HELP_TEXT_H

#include <stdio.h>

/* letter: '\0' for none; name: NULL for an option that only has a letter; value: stands for the
 * option's value, NULL for an option without one. */

/* For people: the option and what it does, in one or more lines. */
void vbt_help_print_option(FILE *out, char letter, const char *name, const char *value, const char *help);

/* The same for a subject that is not an option. */
void vbt_help_print(FILE *out, const char *subject, const char *help);

/* For programs: "report --limit N". */
void vbt_help_list_option(FILE *out, const char *command, char letter, const char *name, const char *value);

#endif
