/* What ran: the PROCESS and MODULES chunks, read from /proc by the helper thread. */
#ifndef VBT_PROCESS_INFO_H
#define VBT_PROCESS_INFO_H

#include "writer.h"

#include <stdbool.h>

/* When time 0 was, ns since 1970. */
extern int64_t vbt_started;

/* The process's own pid; in a vfork child, getpid() is another. */
extern int vbt_pid;

/* Call once at the start, and again in the child of a fork. */
void vbt_process_info_init(void);

/* The executable's file as it was called at the start, and the same without its directories. */
const char *vbt_program_path(void);
const char *vbt_program_name(void);

/* Is this a shell, or does it merely serve one that is traced, too (a "sed" in a wrapper script)? Such processes
 * leave no trace. */
bool vbt_process_is_helper(void);

/* VBTRACE_OUTPUT with its % letters replaced, absolute. */
void vbt_output_path(char *out, int size);

void vbt_write_process(struct vbt_chunk_writer *writer);

/* Which files code is mapped from now, whoever mapped it: for code that the loader knows nothing of. */
void vbt_write_mappings(struct vbt_chunk_writer *writer);

/* Resident bytes now, and the highest ever; from /proc/self/status and statm. */
int64_t vbt_rss_now(void);
int64_t vbt_rss_highest(void);

#endif
