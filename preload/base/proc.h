/* Numbers from files of /proc, for any thread: without memory of its own, the locale (as strtoll asks for) or errno. */
#ifndef VBT_PROC_H
#define VBT_PROC_H

#include <stdint.h>

/* The number behind the next blank, 0 if there is none; *at is then behind it. */
uint64_t vbt_number_behind_blank(const char **at);

/* Of an open file, from its start: the number after the first space; 0 if there is none. fd may be an error. */
int64_t vbt_proc_second_of(long fd);

/* The same of the file with this path. */
int64_t vbt_proc_second(const char *path);

#endif
