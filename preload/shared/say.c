/* See say.h. The C library's own formatter may allocate and takes locks; this one does neither, and
 * calls no library function, because of sanitizer.c. */
#include "say.h"

#include "preload/base/sys.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

enum { LINE_MAX_BYTES = 4600 };

static struct stat at_start;
static bool known;

void vbt_say_init(void) { known = !vbt_sys_failed(vbt_sys(SYS_fstat, 2, &at_start)); }

struct text {
    char *at;
    char *end;
};

static void put(struct text *text, const char *bytes, long count) {
    for (; count > 0 && text->at < text->end; count--)
        *text->at++ = *bytes++;
}

/* limit: at most so many, or -1. */
static long length_of(const char *string, long limit) {
    long length = 0;
    for (; length != limit && string[length] != '\0'; length++)
        __asm__(""); /* keeps the compiler from calling strlen */
    return length;
}

static void put_number(struct text *text, unsigned long value, bool negative) {
    char digits[24];
    int i = sizeof digits;
    do
        digits[--i] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    if (negative)
        digits[--i] = '-';
    put(text, digits + i, (long)sizeof digits - i);
}

static void put_format(struct text *text, const char *format, va_list arguments) {
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(text, format, 1);
            continue;
        }
        format++;
        long limit = -1;
        if (format[0] == '.' && format[1] == '*') {
            limit = va_arg(arguments, int);
            format += 2;
        }
        bool is_long = *format == 'l';
        format += is_long;
        if (*format == 's') {
            const char *string = va_arg(arguments, const char *);
            put(text, string, length_of(string, limit));
        } else if (*format == 'd') {
            long value = is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            put_number(text, value < 0 ? -(unsigned long)value : (unsigned long)value, value < 0);
        } else if (*format == 'u') {
            put_number(text, is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned), false);
        } else {
            put(text, "%", 1);
        }
    }
}

int vbt_format(char *out, int size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    struct text text = {out, out + size - 1};
    put_format(&text, format, arguments);
    va_end(arguments);
    *text.at = '\0';
    return (int)(text.at - out);
}

/* If the reader of stderr is gone, the SIGPIPE is the library's own doing, and must not kill the
 * program. */
static void write_quietly(const char *bytes, long count) {
    enum { SET_SIZE = 8 }; /* of the kernel's signal sets */
    const uint64_t pipe = UINT64_C(1) << (SIGPIPE - 1);
    uint64_t before, pending;
    vbt_sys(SYS_rt_sigprocmask, SIG_BLOCK, &pipe, &before, SET_SIZE);
    vbt_sys(SYS_rt_sigpending, &pending, SET_SIZE);
    if (vbt_sys(SYS_write, 2, bytes, count) == -EPIPE && (pending & pipe) == 0) {
        const struct timespec now = {0, 0};
        vbt_sys(SYS_rt_sigtimedwait, &pipe, NULL, &now, SET_SIZE);
    }
    vbt_sys(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, SET_SIZE);
}

void vbt_say(const char *format, ...) {
    struct stat now;
    if (!known || vbt_sys_failed(vbt_sys(SYS_fstat, 2, &now)) || now.st_dev != at_start.st_dev || now.st_ino != at_start.st_ino)
        return;
    char line[LINE_MAX_BYTES];
    struct text text = {line, line + sizeof line - 1};
    put(&text, "vbtrace: ", 9);
    va_list arguments;
    va_start(arguments, format);
    put_format(&text, format, arguments);
    va_end(arguments);
    *text.at++ = '\n';
    write_quietly(line, text.at - line);
}
