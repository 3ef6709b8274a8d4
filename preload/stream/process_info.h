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

/* The executable's file as it was called at the start, and the same without its directories; the working directory and the name of the
 * host at the start. */
const char *vbt_program_path(void);
const char *vbt_program_name(void);
const char *vbt_program_directory(void);
const char *vbt_host_name(void);

/* A whole file of /proc, cut at 256 KiB, until the next call; NULL if it cannot be read. */
const char *vbt_proc_text(const char *path);

/* Is this library to be loaded into a process, too? Its environment tells. */
bool vbt_process_is_traced(int pid);

void vbt_write_process(struct vbt_chunk_writer *writer);

/* Which files code is mapped from now, whoever mapped it: for code that the loader knows nothing of. */
void vbt_write_mappings(struct vbt_chunk_writer *writer);

/* How long the process's first thread was ready to run and had no processor, ns, since it was forked; 0 where the kernel does not tell. */
int64_t vbt_waited_for_processor(void);

/* Resident bytes now, and the highest ever; from /proc/self/statm and status. The first is asked for at each tick, by who holds a descriptor
 * for it between open and close; 0 where there is none. */
void vbt_rss_open(void);
void vbt_rss_close(void);
int64_t vbt_rss_now(void);
int64_t vbt_rss_highest(void);

/* A sentence for the person who reads the report. One that was told before is not told again. */
void vbt_process_tell(const char *note);

/* Allocators that the hooks do not stand before: the trace says so. */
struct vbt_unseen {
    _Atomic bool own_malloc;   /* the program's malloc is not ours */
    _Atomic bool operators;    /* C++'s new and delete go to the allocator without malloc and free */
    _Atomic bool deep_binding; /* nor is that of some library */
};
extern struct vbt_unseen vbt_unseen;

#endif
