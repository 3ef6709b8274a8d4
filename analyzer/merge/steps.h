/* The moments of a history: which of the states that traces hold are told apart. */
#ifndef VBT_STEPS_H
#define VBT_STEPS_H

#include "analyzer/trace/changes.h"
#include "analyzer/trace/window.h"

/* A trace, and the part of it that is wanted. */
struct vbt_steps_file {
    const char *path;
    uint64_t offset; /* when its process began, ns since the first did */
    struct vbt_window window;
};

/* Chooses about steps->count moments, evenly over the time: each is that of a state. The last one
 * is there, and of a single trace those of its peak and of the interpreter's end. A trace that
 * cannot be read twice, as from a pipe, has a beginning and an end. The caller frees steps->ns. */
void vbt_steps_plan(struct vbt_steps *steps, const struct vbt_steps_file *files, size_t count);

/* A beginning and an end, and no more. */
void vbt_steps_of_whole(struct vbt_steps *steps, uint64_t end);

#endif
