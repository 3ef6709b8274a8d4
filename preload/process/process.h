/* Which process this is: its program, its host, its start. */
#ifndef VBT_PROCESS_H
#define VBT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* The wall-clock time of time 0, in ns since 1970. */
extern int64_t vbt_started;

/* The process's own pid, and its parent's at the start. In a vfork child and in the helper,
 * getpid() differs. */
extern int vbt_pid, vbt_parent_pid;

/* Call once at the start, and again in the child of a fork. */
void vbt_process_init(void);

/* As they were at the start: the executable's path, the same without its directories; the working
 * directory; the name of the host. */
const char *vbt_program_path(void);
const char *vbt_program_name(void);
const char *vbt_program_directory(void);
const char *vbt_host_name(void);

/* The environment's VBTRACE_NAME=value as they were at the start, one after the other, each with
 * its terminating zero; the last is followed by an empty one. */
const char *vbt_process_options(void);

/* How long the process's first thread has been runnable without a processor since it was forked, in
 * ns; 0 where the kernel does not report it. */
int64_t vbt_process_waited(void);

#endif
