/* How help texts show an option: "-o, --output FILE". */
#ifndef VBT_HELP_TEXT_H
#define VBT_HELP_TEXT_H

#include <stdio.h>

/* letter: '\0' for none; name: NULL for an option that has a letter alone; value: stands for the
 * option's value, NULL for one that takes none. */

/* For a person: the option, and what it does, which may take several lines. */
void vbt_help_print_option(FILE *out, char letter, const char *name, const char *value, const char *help);

/* Likewise for what is no option. */
void vbt_help_print(FILE *out, const char *subject, const char *help);

/* For a program: "report --limit N". */
void vbt_help_list_option(FILE *out, const char *command, char letter, const char *name, const char *value);

#endif
