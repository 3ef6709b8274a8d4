/* See patterns.h. */
#include "patterns.h"

#include "base_name.h"

#include <stdint.h>
#include <string.h>

/* Without recursion: after a failed comparison, the last star takes one byte more. */
bool vbt_pattern_matches(const char *pattern, size_t pattern_size, const char *text, size_t size, char any) {
    size_t p = 0, t = 0, star = SIZE_MAX, resumed = 0;
    while (t < size) {
        if (p < pattern_size && pattern[p] == '*') {
            star = p++;
            resumed = t;
        } else if (p < pattern_size && ((any != '\0' && pattern[p] == any) || pattern[p] == text[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resumed;
        } else {
            return false;
        }
    }
    while (p < pattern_size && pattern[p] == '*')
        p++;
    return p == pattern_size;
}

bool vbt_patterns_match(const char *patterns, const char *name, size_t size, char separator) {
    const char *last = size > 0 ? memrchr(name, separator, size) : NULL;
    last = last != NULL ? last + 1 : name;
    for (const char *at = patterns;; at++) {
        at += strspn(at, " ");
        size_t length = strcspn(at, ","), end = length;
        while (end > 0 && at[end - 1] == ' ')
            end--;
        if (vbt_pattern_matches(at, end, name, size, '?') || vbt_pattern_matches(at, end, last, size - (size_t)(last - name), '?'))
            return true;
        at += length;
        if (*at == '\0')
            return false;
    }
}

int vbt_patterns_name(const char *patterns, const char *path, bool *wants) {
    bool named = false;
    *wants = false;
    for (const char *at = patterns; *at != '\0';) {
        size_t length = strcspn(at, ",");
        bool excludes = *at == '!';
        const char *pattern = at + excludes;
        size_t size = length - excludes;
        const char *text = memchr(pattern, '/', size) != NULL ? path : vbt_base_name(path);
        bool found = size > 0 && vbt_pattern_matches(pattern, size, text, strlen(text), '?');
        if (found && excludes)
            return -1;
        *wants |= !excludes && size > 0;
        named |= found;
        at += length + (at[length] == ',');
    }
    return named;
}

int vbt_patterns_decide(const char *patterns, const char *path) {
    bool wants;
    int named = vbt_patterns_name(patterns, path, &wants);
    return named != 0 ? named > 0 : wants ? 0 : -1;
}
