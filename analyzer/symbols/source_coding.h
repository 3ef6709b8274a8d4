/* Source files in the encodings that Python reads. */
#ifndef VBT_SOURCE_CODING_H
#define VBT_SOURCE_CODING_H

#include <stddef.h>

/* Converts a file's text to UTF-8: without the byte order mark, and from Latin-1, Latin-9 or
 * Windows-1252 if a comment in its first two lines says "coding: latin-1" or the like. Takes
 * ownership of the text, of *size bytes, and returns it or another; *size is updated. */
char *vbt_source_to_utf8(char *text, size_t *size);

#endif
