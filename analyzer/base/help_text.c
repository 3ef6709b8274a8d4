/* See help_text.h. */
#include "help_text.h"

#include "allocate.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 79, SUBJECT_WIDTH = 17, HELP_COLUMN = 20 };

/* Prints text from column `indent` on, broken at blanks so that it fits the width. */
static void print_wrapped(FILE *out, const char *text, size_t length, size_t indent) {
    size_t column = indent;
    while (length > 0) {
        const char *blank = memchr(text, ' ', length);
        size_t word = blank != NULL ? (size_t)(blank - text) : length, taken = blank != NULL ? word + 1 : word;
        if (column > indent && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            putc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += taken;
        length -= taken;
    }
    putc('\n', out);
}

void vbt_help_print_text(FILE *out, const char *text) {
    while (*text != '\0') {
        size_t length = strcspn(text, "\n"), indent = 0;
        const char *gap = text[0] == ' ' ? strstr(text + strspn(text, " "), "  ") : NULL;
        if (gap != NULL && gap < text + length)
            indent = (size_t)(gap - text) + strspn(gap, " ");
        fprintf(out, "%.*s", (int)indent, text);
        print_wrapped(out, text + indent, length - indent, indent);
        text += length + (text[length] == '\n');
    }
}

void vbt_help_print(FILE *out, const char *subject, const char *help) {
    if (strlen(subject) > SUBJECT_WIDTH)
        fprintf(out, "  %s\n%*s", subject, HELP_COLUMN, "");
    else
        fprintf(out, "  %-*s ", SUBJECT_WIDTH, subject);
    print_wrapped(out, help, strlen(help), HELP_COLUMN);
}

/* "-o, --output FILE", for the caller to free. */
static char *option_text(char letter, const char *name, const char *value) {
    char *text = letter != '\0' ? vbt_text("-%c%s", letter, name != NULL ? ", " : "") : vbt_text("%s", "");
    char *whole = vbt_text("%s%s%s%s%s", text, name != NULL ? "--" : "", name != NULL ? name : "", value != NULL ? " " : "",
                           value != NULL ? value : "");
    free(text);
    return whole;
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
