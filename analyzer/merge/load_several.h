/* Loads what a command line names: one trace as it is, several as their sum. */
#ifndef VBT_LOAD_SEVERAL_H
#define VBT_LOAD_SEVERAL_H

#include "inputs.h"
#include "analyzer/trace/changes.h"
#include "analyzer/trace/window.h"

/* When the first process began, ns since 1970 (0: unknown), how long until the last ended, and when
 * their sections ran. */
struct vbt_span {
    int64_t started;
    uint64_t duration;
    struct vbt_sections sections; /* of all of them, if a part of the run is wanted */
};

struct vbt_several {
    bool with_sizes; /* histograms of sizes, too */
    bool always;     /* a single trace is merged, too */
    bool by_process; /* what each process counted at a call path, too */
    /* NULL, or the history in about steps->count steps, too: model->changes. The caller frees
     * steps->ns, after the model. */
    struct vbt_steps *steps;
    /* If it is not 0, what nodes have at the peak is what they had at this time, ns since
     * `started`. */
    uint64_t moment;
    int64_t started;
    /* Which part of its trace? whole: the time of all that are wanted. Returns NULL, or why
     * there is none, for the caller to free. `part` itself is NULL if the whole run is wanted. */
    char *(*part)(void *context, const char *path, const struct vbt_span *whole, struct vbt_window *window);
    /* Is a process wanted? Its model is as vbt_model_load_brief gives it. */
    bool (*wants)(void *context, const struct vbt_model *process);
    void *context;
};

/* Loads all wanted processes. A file in a folder that cannot be read is left out, after a message.
 * False after another message: a file cannot be read, a process is there twice, or none is wanted
 * (then *none is set, and there was no message). The paths of the inputs must live as long as the
 * model, which must be freed in both cases. */
bool vbt_load_several(struct vbt_model *model, const struct vbt_inputs *inputs, const struct vbt_several *how, bool *none);

#endif
