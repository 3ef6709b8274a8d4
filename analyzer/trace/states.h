/* The moments of a run that its trace can tell of: a look at the whole file that unpacks next to
 * nothing of it. */
#ifndef VBT_STATES_H
#define VBT_STATES_H

#include "section_times.h"

#include <stddef.h>
#include <stdint.h>

/* A STATE chunk. */
struct vbt_state_mark {
    uint64_t time;  /* ns since the start */
    uint64_t chunk; /* its sequence number */
};

struct vbt_states {
    struct vbt_state_mark *marks; /* in order of time */
    size_t count, capacity;
    uint64_t duration; /* of the run, as far as the trace knows, ns */
    int64_t started;   /* ns since 1970; 0: unknown */
    uint64_t offset;   /* if times are counted from the start of another process: when this one began */
    uint64_t shutdown; /* time of the state at which the interpreter began to shut down; 0: there is none */
    struct vbt_sections sections;
    uint64_t peak; /* time of the first state that had the highest peak; 0: unknown */
};

/* Reads the states of a trace. A file that cannot be read has none: whoever loads it finds out
 * why. */
void vbt_states_read(struct vbt_states *states, const char *path);
void vbt_states_free(struct vbt_states *states);

#endif
