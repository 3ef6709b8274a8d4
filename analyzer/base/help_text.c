/* See help_text.h. */
#include "help_text.h"

#include "allocate.h"

#include <stdlib.h>
#include <string.h>

enum { SUBJECT_WIDTH = 17, HELP_COLUMN = 20 };

/* "-o, --output FILE", for the caller to free. */
static char *option_text(char letter, const char *name, const char *value) {
    char *text = letter != '\0' ? vbt_text("-%c%s", letter, name != NULL ? ", " : "") : vbt_text("%s", "");
    char *whole = vbt_text("%s%s%s%s%s", text, name != NULL ? "--" : "", name != NULL ? name : "", value != NULL ? " " : "",
                           value != NULL ? value : "");
    free(text);
    return whole;
}

void vbt_help_print(FILE *out, const char *subject, const char *help) {
    if (strlen(subject) > SUBJECT_WIDTH)
        fprintf(out, "  %s\n%*s", subject, HELP_COLUMN, "");
    else
        fprintf(out, "  %-*s ", SUBJECT_WIDTH, subject);
    for (const char *end; (end = strchr(help, '\n')) != NULL; help = end + 1)
        fprintf(out, "%.*s\n%*s", (int)(end - help), help, HELP_COLUMN, "");
    fprintf(out, "%s\n", help);
}

void vbt_help_print_option(FILE *out, char letter, const char *name, const char *value, const char *help) {
    char *option = option_text(letter, name, value);
    vbt_help_print(out, option, help);
    free(option);
}

void vbt_help_list_option(FILE *out, const char *command, char letter, const char *name, const char *value) {
    char *option = option_text(name != NULL ? '\0' : letter, name, value);
    fprintf(out, "%s %s\n", command, option);
    free(option);
}
