/* See utf8.h. */
#include "utf8.h"

#include "allocate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const char replacement[] = "\xef\xbf\xbd";
static const char ellipsis[] = "\xe2\x80\xa6";

/* Decodes one character of at most `size` bytes. Returns its length, or 0 if it is malformed
 * (overlong, surrogate, truncated). */
static size_t decode(const char *text, size_t size, uint32_t *character) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xc0 ? 0 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : bytes[0] < 0xf8 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    uint32_t c = length == 1 ? bytes[0] : bytes[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (bytes[i] & 0x3f);
    }
    if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *character = c;
    return length;
}

/* Control characters, and those that reorder the text around them. */
static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 ||
           c == 0x2029;
}

static char *clean(const char *bytes, size_t size, bool printable) {
    char *out = vbt_new(4 * size + 1, 1), *to = out;
    for (size_t at = 0; at < size;) {
        uint32_t c = 0;
        size_t length = decode(bytes + at, size - at, &c);
        const char *from = bytes + at;
        size_t count = length;
        if (length == 0 || (printable && c != '\t' && is_control(c)) || c == 0) {
            from = replacement;
            count = strlen(replacement);
        } else if (printable && c == '\t') {
            from = "    ";
            count = 4;
        }
        memcpy(to, from, count);
        to += count;
        at += length > 0 ? length : 1;
    }
    *to = '\0';
    return out;
}

char *vbt_utf8_valid(const char *bytes, size_t size) { return clean(bytes, size, false); }

char *vbt_utf8_printable(const char *bytes, size_t size) { return clean(bytes, size, true); }

/* Columns of the character at `text`, and its bytes. */
static size_t columns(const char *text, size_t *length) {
    uint32_t c = 0;
    *length = decode(text, strlen(text) < 4 ? strlen(text) : 4, &c);
    if (*length == 0)
        *length = 1;
    int width = wcwidth((wchar_t)c);
    return width < 0 ? 1 : (size_t)width;
}

size_t vbt_utf8_width(const char *text) {
    size_t width = 0, length;
    for (; *text != '\0'; text += length)
        width += columns(text, &length);
    return width;
}

char *vbt_utf8_cut_end(char *text, size_t width) {
    if (vbt_utf8_width(text) <= width || width == 0)
        return text;
    size_t used = 0, at = 0, length;
    for (size_t next; used + (next = columns(text + at, &length)) <= width - 1; at += length)
        used += next;
    char *cut = vbt_text("%.*s%s", (int)at, text, ellipsis);
    free(text);
    return cut;
}

char *vbt_utf8_cut_start(char *text, size_t width) {
    size_t have = vbt_utf8_width(text), at = 0, length;
    if (have <= width || width == 0)
        return text;
    for (; have > width - 1; at += length)
        have -= columns(text + at, &length);
    char *cut = vbt_text("%s%s", ellipsis, text + at);
    free(text);
    return cut;
}
