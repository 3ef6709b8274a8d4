/* The name that a finished file takes. Only a regular file is ever replaced: a device, a pipe or a
 * link that someone made stays. Also part of the tool. */
#ifndef VBT_DESTINATION_H
#define VBT_DESTINATION_H

#include <stdbool.h>

enum { VBT_NO_FILE = -1 }; /* next to the error numbers: something that is not a regular file has the name */

/* Replaces a path that is a symbolic link by the link's target, whether or not that exists. False,
 * with the path as it was, for links that form a loop or are too many, and for those of another
 * user: in a world-writable directory, anyone could plant one that points to the user's own
 * file. */
bool vbt_destination_follow(char *path, int size);

/* 0 if there is nothing at the path, or a regular file; else an error number, or VBT_NO_FILE. */
int vbt_destination_check(const char *path);

/* Renames a file, to replace the one at the path. 0, an error number, or VBT_NO_FILE. */
int vbt_destination_replace(const char *file, const char *path);

/* What an error number, or VBT_NO_FILE, means. */
const char *vbt_destination_error(int error);

#endif
