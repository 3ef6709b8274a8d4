/* Matching names against patterns: "*" stands for any text, even none, "?" for any one byte. Also
 * part of the tool. */
#ifndef VBT_PATTERNS_H
#define VBT_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

/* Does the pattern match the whole text? Neither needs a terminating zero. any: the character that
 * stands for any one byte, usually '?'; 0 for none, so that a '?' is an ordinary character. */
bool vbt_pattern_matches(const char *pattern, size_t pattern_size, const char *text, size_t size, char any);

/* Does any pattern of a list match a name? The list is as in VBTRACE_FUNCTIONS and VBTRACE_FILES:
 * patterns are separated by commas, and spaces around them are ignored. A pattern may match the
 * whole name or what follows the last separator: the file's name in a path ('/'), the method in
 * Class.method ('.'). name needs no terminating zero. */
bool vbt_patterns_match(const char *patterns, const char *name, size_t size, char separator);

/* Does a list of patterns name a file: 1 yes; -1 a pattern after "!" does, whatever the others say;
 * 0 no. Patterns are separated by commas; one with a slash is matched against the path, others
 * against its last part. *wants: is there any pattern without "!"? */
int vbt_patterns_name(const char *patterns, const char *path, bool *wants);

/* What such a list, as in VBTRACE_EXE, decides for a program: 1 trace it, 0 do not, -1 nothing. A
 * list of only patterns after "!" decides nothing about other programs; any other list excludes
 * what it does not match. */
int vbt_patterns_decide(const char *patterns, const char *path);

#endif
