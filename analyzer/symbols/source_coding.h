/* Source files in the encodings that Python reads. */
#ifndef VBT_SOURCE_CODING_H
#define VBT_SOURCE_CODING_H

#include <stddef.h>

/* Makes UTF-8 of a file's text: without the byte order mark, and from Latin-1, Latin-9 or Windows-1252, if a comment in its first two
 * lines says "coding: latin-1" or the like. Takes the text over and returns it, or another; *size bytes. */
char *vbt_source_to_utf8(char *text, size_t *size);

#endif
