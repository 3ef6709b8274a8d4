/* See line_choice.h. */
#include "line_choice.h"

#include "format/format.h"
#include "options.h"

#include <string.h>

/* After a failed comparison the last star takes one byte more. */
static bool matches(const char *glob, size_t glob_size, const char *text, size_t size) {
    size_t g = 0, t = 0, star = SIZE_MAX, resumed = 0;
    while (t < size) {
        if (g < glob_size && glob[g] == '*') {
            star = g++;
            resumed = t;
        } else if (g < glob_size && (glob[g] == '?' || glob[g] == text[t])) {
            g++;
            t++;
        } else if (star != SIZE_MAX) {
            g = star + 1;
            t = ++resumed;
        } else {
            return false;
        }
    }
    while (g < glob_size && glob[g] == '*')
        g++;
    return g == glob_size;
}

bool vbt_line_patterns_match(const char *patterns, const char *name, size_t size, char separator) {
    const char *last = size > 0 ? memrchr(name, separator, size) : NULL;
    last = last != NULL ? last + 1 : name;
    for (const char *at = patterns;; at++) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ","), end = length;
        while (end > 0 && at[end - 1] == ' ')
            end--;
        if (matches(at, end, name, size) || matches(at, end, last, size - (size_t)(last - name)))
            return true;
        at += length;
        if (*at == '\0')
            return false;
    }
}

bool vbt_line_choice_takes(const char *file, size_t file_size, const char *name, size_t name_size, uint32_t flags) {
    const char *functions = vbt_options.functions, *files = vbt_options.files;
    if ((flags & VBT_CODE_OWN) != 0 || vbt_options.lines != VBT_LINES_CHOSEN)
        return false;
    if (functions[0] == '\0' && files[0] == '\0')
        return (flags & VBT_CODE_USER) != 0 && file_size > 0 && file[0] != '<';
    return (functions[0] == '\0' || vbt_line_patterns_match(functions, name, name_size, '.')) &&
           (files[0] == '\0' || vbt_line_patterns_match(files, file, file_size, '/'));
}
