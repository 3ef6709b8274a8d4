/* See source_coding.h. */
#include "source_coding.h"

#include "analyzer/base/allocate.h"
#include "format/count.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An encoding with one byte per character, and where it differs from Latin-1: the characters of the
 * bytes from `first` on, 0 for the same as in Latin-1. */
struct coding {
    const char *const *names; /* compared without regard to case, "_" as "-" */
    const uint16_t *characters;
    unsigned first, count;
};

static const char *const latin_1_names[] = {"latin-1", "latin1", "l1", "iso-8859-1", "iso8859-1", "iso-latin-1", "8859", NULL};
static const char *const latin_9_names[] = {"latin-9", "latin9", "l9", "iso-8859-15", "iso8859-15", NULL};
static const char *const windows_names[] = {"cp1252", "windows-1252", "1252", NULL};

static const uint16_t latin_9[] = {
    0x20ac, 0, 0x160, 0, 0x161, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17d, 0, 0, 0, 0x17e, 0, 0, 0, 0x152, 0x153, 0x178,
};
static const uint16_t windows[] = {
    0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178,
};

static const struct coding codings[] = {
    {latin_1_names, NULL, 0, 0},
    {latin_9_names, latin_9, 0xa4, VBT_COUNT(latin_9)},
    {windows_names, windows, 0x80, VBT_COUNT(windows)},
};

static const struct coding *coding_of(const char *name, size_t size) {
    char plain[32] = "";
    for (size_t i = 0; i < size && size < sizeof plain; i++)
        plain[i] = name[i] == '_' ? '-' : name[i];
    for (size_t i = 0; i < VBT_COUNT(codings); i++)
        for (const char *const *known = codings[i].names; *known != NULL; known++)
            if (strcasecmp(plain, *known) == 0)
                return &codings[i];
    return NULL;
}

static bool is_of_name(char c) { return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.'; }

/* The encoding that a comment in this line declares; NULL: none, or one that needs no conversion.
 * *may_follow: whether the next line may declare it instead. */
static const struct coding *coding_in(const char *line, size_t size, bool *may_follow) {
    static const char word[] = "coding";
    enum { WORD = sizeof word - 1 };
    size_t at = 0;
    while (at < size && (line[at] == ' ' || line[at] == '\t' || line[at] == '\f'))
        at++;
    *may_follow = at == size || line[at] == '#' || line[at] == '\r';
    if (at == size || line[at] != '#')
        return NULL;
    for (; at + WORD < size; at++) {
        if (memcmp(line + at, word, WORD) != 0 || (line[at + WORD] != ':' && line[at + WORD] != '='))
            continue;
        size_t name = at + WORD + 1;
        while (name < size && (line[name] == ' ' || line[name] == '\t'))
            name++;
        size_t end = name;
        while (end < size && is_of_name(line[end]))
            end++;
        if (end == name)
            continue;
        *may_follow = false;
        return coding_of(line + name, end - name);
    }
    return NULL;
}

static const struct coding *find_coding(const char *text, size_t size) {
    enum { LINES = 2 };
    bool may_follow = true;
    const struct coding *found = NULL;
    for (size_t at = 0, line = 0; at < size && line < LINES && may_follow; line++) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - text) - at : size - at;
        found = coding_in(text + at, length, &may_follow);
        at += length + 1;
    }
    return found;
}

static char *put(char *to, uint32_t c) {
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

char *vbt_source_to_utf8(char *text, size_t *size) {
    static const char mark[] = "\xef\xbb\xbf";
    enum { MARK = sizeof mark - 1, LONGEST = 3 };
    if (*size >= MARK && memcmp(text, mark, MARK) == 0) {
        *size -= MARK;
        memmove(text, text + MARK, *size);
        return text;
    }
    const struct coding *coding = find_coding(text, *size);
    if (coding == NULL)
        return text;
    char *decoded = vbt_new(LONGEST * *size, 1), *to = decoded;
    for (size_t i = 0; i < *size; i++) {
        unsigned byte = (unsigned char)text[i];
        unsigned other =
            byte >= coding->first && byte - coding->first < coding->count ? coding->characters[byte - coding->first] : 0;
        to = put(to, other != 0 ? other : byte);
    }
    free(text);
    *size = (size_t)(to - decoded);
    return decoded;
}
