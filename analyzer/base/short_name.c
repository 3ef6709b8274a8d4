/* See short_name.h. */
#include "short_name.h"

#include "allocate.h"
#include "utf8.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 4 };

static const char long_string[] = "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >";
static const char short_string[] = "std::string";
static const char nameless[] = "(anonymous namespace)";

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Length of what starts here and is not to be taken for brackets: operators, arrows, anonymous
 * namespaces. */
static size_t plain(const char *name, size_t at) {
    if (starts(name + at, nameless))
        return strlen(nameless);
    if (starts(name + at, "->") || starts(name + at, "=>"))
        return 2;
    bool word = at > 0 && (isalnum((unsigned char)name[at - 1]) || name[at - 1] == '_');
    if (word || !starts(name + at, "operator"))
        return 1;
    size_t length = strlen("operator");
    return length + (starts(name + at + length, "()") ? 2 : strspn(name + at + length, "<>-+=*/%^&|!~,[]"));
}

/* A copy in which everything nested deeper than `depth` brackets is replaced by …; NULL if brackets
 * do not match. */
static char *without(const char *name, char open, char close, unsigned depth) {
    char *out = vbt_new(3 * strlen(name) + 1, 1), *to = out;
    unsigned level = 0;
    for (size_t at = 0, length; name[at] != '\0'; at += length) {
        length = plain(name, at);
        if (length == 1 && name[at] == close && level-- == 0)
            break;
        if (level <= depth)
            to = mempcpy(to, name + at, length);
        if (length == 1 && name[at] == open && level++ == depth && name[at + 1] != close)
            to = stpcpy(to, "…");
    }
    if (level == 0)
        return out;
    free(out);
    return NULL;
}

static bool fits(const char *name, size_t width) { return vbt_utf8_width(name) <= width; }

/* Returns the other name if there is one, and then frees the first. */
static char *instead(char *name, char *other) {
    if (other == NULL)
        return name;
    free(name);
    return other;
}

static char *with_short_strings(const char *name) {
    char *out = vbt_new(strlen(name) + 1, 1), *to = out;
    for (const char *found; (found = strstr(name, long_string)) != NULL; name = found + strlen(long_string))
        to = stpcpy(mempcpy(to, name, (size_t)(found - name)), short_string);
    stpcpy(to, name);
    return out;
}

/* Cuts a name; of "libfoo.so+0x1a40" the offset stays, which alone tells it from others. */
static char *cut(char *name, size_t width) {
    char *offset = strstr(name, "+0x");
    size_t length = offset != NULL ? strlen(offset) : 0;
    if (fits(name, width) || length <= strlen("+0x") || strspn(offset + 3, "0123456789abcdef") + 3 != length || width <= length + 1)
        return vbt_utf8_cut_end(name, width);
    char *kept = vbt_copy(offset, length), *start = vbt_utf8_cut_end(vbt_copy(name, (size_t)(offset - name)), width - length);
    char *out = vbt_text("%s%s", start, kept);
    free(start);
    free(kept);
    free(name);
    return out;
}

char *vbt_short_name(const char *name, size_t width) {
    char *out = with_short_strings(name);
    if (!fits(out, width))
        out = instead(out, without(out, '(', ')', 0));
    for (unsigned depth = DEEPEST; depth-- > 0 && !fits(out, width);)
        out = instead(out, without(out, '<', '>', depth));
    return cut(out, width);
}

void vbt_fit_name(char **name, char **position, size_t width) {
    size_t named = vbt_utf8_width(*name), positioned = vbt_utf8_width(*position);
    if (named + positioned <= width)
        return;
    const char *slash = strrchr(*position, '/');
    size_t file = slash != NULL ? 1 + vbt_utf8_width(slash) : positioned; /* with a mark for what is before it */
    size_t share = 2 * width / 5, least = file < share ? share : file < 3 * width / 5 ? file : 3 * width / 5;
    size_t room = positioned <= least ? positioned : named + least < width ? width - named : least;
    *name = instead(*name, vbt_short_name(*name, width > room ? width - room : 1));
    named = vbt_utf8_width(*name);
    *position = vbt_utf8_cut_start(*position, width > named ? width - named : 1);
}
