/* The processes that a process descends from, as /proc shows them. Not for two threads at a
 * time. */
#ifndef VBT_ANCESTORS_H
#define VBT_ANCESTORS_H

#include <stdbool.h>
#include <stdint.h>

/* What /proc/PID/stat says: the parent, and the start in clock ticks since boot. False if there is
 * no such process, or it is hidden. */
bool vbt_ancestor(int pid, int *parent, int64_t *started);

/* A process's executable; false if it cannot be read. path has room for VBT_PATH_MAX bytes. */
bool vbt_ancestor_program(int pid, char *path);

/* Is this library preloaded into another process, too? Read from its environment. */
bool vbt_ancestor_is_traced(int pid);

/* Is it, and are its traces to go where this process's go? If not, another run is in progress. */
bool vbt_ancestor_shares_output(int pid);

#endif
