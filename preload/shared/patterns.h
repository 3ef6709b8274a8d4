/* Patterns that names are matched against: "*" stands for any text, even none, "?" for any one
 * byte. Also part of the tool. */
#ifndef VBT_PATTERNS_H
#define VBT_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>

/* Does the pattern match the whole text? Neither needs a terminating zero. any: the character that
 * stands for any one byte, '?' as a rule; 0 where there is none, so that a '?' is itself. */
bool vbt_pattern_matches(const char *pattern, size_t pattern_size, const char *text, size_t size, char any);

/* Does one pattern of a list match a name? The list is as VBTRACE_FUNCTIONS and VBTRACE_FILES have
 * it: commas between patterns, and spaces around a pattern are not part of it. A pattern may match
 * the whole name or what follows the last separator: the file's name of a path ('/'), the method of
 * Class.method ('.'). name needs no terminating zero. */
bool vbt_patterns_match(const char *patterns, const char *name, size_t size, char separator);

/* What a list of patterns, as VBTRACE_EXE has it, says of a program: 1 trace it, 0 do not, -1
 * nothing. A pattern with a slash is matched against the path, others against its last part. One
 * after "!" excludes what it matches, whatever the others say. A list with no pattern but such says
 * nothing of other programs; else they are not to be traced. */
int vbt_patterns_decide(const char *patterns, const char *path);

#endif
