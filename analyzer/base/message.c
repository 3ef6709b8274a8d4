/* See message.h. */
#include "message.h"

#include "allocate.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(const char *kind, const char *format, va_list arguments) {
    char *text = vbt_text_of(format, arguments);
    char *printable = vbt_utf8_printable(text, strlen(text));
    fprintf(stderr, "vbtrace: %s%s\n", kind, printable);
    free(printable);
    free(text);
}

int vbt_fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say("", format, arguments);
    va_end(arguments);
    return 2;
}

void vbt_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say("warning: ", format, arguments);
    va_end(arguments);
}
