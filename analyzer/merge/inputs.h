/* The traces that a command line names: files, and folders of them. */
#ifndef VBT_INPUTS_H
#define VBT_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

struct vbt_inputs {
    struct vbt_input {
        char *path;
        bool in_folder; /* of which other files were named with it */
    } * files;          /* each once, those of a folder in order of their names */
    size_t count, capacity;
};

/* Lists the files. A folder stands for the files in it whose names end in ".vbt". Returns NULL, or
 * what is wrong as a sentence that names the path, for the caller to free. */
char *vbt_inputs_find(struct vbt_inputs *inputs, const char *const *names, size_t count);

void vbt_inputs_free(struct vbt_inputs *inputs);

#endif
