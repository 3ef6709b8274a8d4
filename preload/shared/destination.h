/* The name that a finished file takes. Only a regular file is ever replaced: a device, a pipe or a link that somebody made stays.
 * Also part of the tool. */
#ifndef VBT_DESTINATION_H
#define VBT_DESTINATION_H

#include <stdbool.h>

enum { VBT_NO_FILE = -1 }; /* beside the error numbers: something that is no regular file has the name */

/* Where the path is a symbolic link, whether or not there is something at its end, it becomes what the link stands for. False, with the
 * path as it was, for links that lead in a circle or too far, and for those of another user: in a folder of everybody's, anybody
 * could lay one that leads to a file of ours. */
bool vbt_destination_follow(char *path, int size);

/* 0 if there is nothing at the path, or a regular file; else an error number, or VBT_NO_FILE. */
int vbt_destination_check(const char *path);

/* Renames a file, to replace the one at the path. 0, an error number, or VBT_NO_FILE. */
int vbt_destination_replace(const char *file, const char *path);

/* What an error number, or VBT_NO_FILE, means. */
const char *vbt_destination_error(int error);

#endif
