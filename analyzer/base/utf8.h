/* Makes text of unknown origin fit to be shown: paths and names in a trace are whatever bytes the
 * traced process had. */
#ifndef VBT_UTF8_H
#define VBT_UTF8_H

#include <stddef.h>

/* Copies, for the caller to free. Both replace invalid UTF-8 by U+FFFD; printable also replaces
 * control characters, so that no trace can control a terminal, and writes a tab as four spaces. */
char *vbt_utf8_valid(const char *bytes, size_t size);
char *vbt_utf8_printable(const char *bytes, size_t size);

/* Columns that a printable text takes on a terminal. */
size_t vbt_utf8_width(const char *text);

/* Cuts a printable text to at most `width` columns, with … where something is missing: at its end
 * or at its start. Takes ownership of the text and returns it or a shorter one. */
char *vbt_utf8_cut_end(char *text, size_t width);
char *vbt_utf8_cut_start(char *text, size_t width);

#endif
