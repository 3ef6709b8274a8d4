/* Files of /proc, and the numbers in them. Uses neither the locale (as strtoll does) nor errno. */
#ifndef VBT_PROC_H
#define VBT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a file of /proc to read; minus an error number. */
long vbt_proc_open(const char *path);

/* For a process that goes where there may be no /proc: keeps this file open for it. Until they are
 * released, vbt_proc_open finds the files that are kept, and no others. (The child of a fork has
 * none.) */
void vbt_proc_keep(const char *path);
bool vbt_proc_is_kept(void);
void vbt_proc_release(void);

/* A whole file, cut at 2 MiB (20,000 mappings), with a terminating zero. Valid until the next call;
 * not for two threads at a time. size: NULL, or where its length goes. An empty text with size 0
 * where it cannot be read. */
const char *vbt_proc_text(const char *path, size_t *size);

/* In the child of a fork: it has not the room for texts. */
void vbt_proc_after_fork(void);

/* The number after the next blank, 0 if there is none; *at is then after it. */
uint64_t vbt_number_after_blank(const char **at);

/* The hexadecimal number that *at begins with, in small letters; *at is then after it. */
uint64_t vbt_hexadecimal(const char **at);

/* The number after the first blank of an open file, for any thread; 0 if there is none. fd may be
 * an error. */
int64_t vbt_proc_second_of(long fd);

/* The same of the file with this path. */
int64_t vbt_proc_second(const char *path);

#endif
