/* Which process this is: its program, its host, its start. */
#ifndef VBT_PROCESS_H
#define VBT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* When time 0 was, ns since 1970. */
extern int64_t vbt_started;

/* The process's own pid; in a vfork child, getpid() is another. */
extern int vbt_pid;

/* Call once at the start, and again in the child of a fork. */
void vbt_process_init(void);

/* The executable's file as it was called at the start, and the same without its directories; the
 * working directory and the name of the host at the start. */
const char *vbt_program_path(void);
const char *vbt_program_name(void);
const char *vbt_program_directory(void);
const char *vbt_host_name(void);

/* The environment's VBTRACE_NAME=value as they were at the start, each with its terminating zero;
 * an empty one is the end. */
const char *vbt_process_options(void);

/* Is this library to be loaded into a process, too? Its environment says. Not for two threads at a
 * time. */
bool vbt_process_is_traced(int pid);

/* How long the process's first thread was ready to run and had no processor, ns, since it was
 * forked; 0 where the kernel does not say. */
int64_t vbt_process_waited(void);

#endif
