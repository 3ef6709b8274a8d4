/* The processes that traces hold: what ran, and the totals of each. */
#ifndef VBT_PROCESS_LIST_H
#define VBT_PROCESS_LIST_H

#include "inputs.h"
#include "analyzer/trace/model.h"

struct vbt_process_list {
    struct vbt_model *rows; /* as vbt_model_load_brief gives them, without the course of memory */
    size_t count, capacity;
};

/* Reads what the files say of their processes. A file in a folder that cannot be read is left out,
 * after a message. False, for exit status 2 and after a message, if another cannot be read, or
 * none could. The list must be freed in both cases, and before the inputs. */
bool vbt_process_list_read(struct vbt_process_list *list, const struct vbt_inputs *inputs);
void vbt_process_list_free(struct vbt_process_list *list);

/* Adds a process, and takes ownership of what the model holds. */
void vbt_process_list_add(struct vbt_process_list *list, struct vbt_model *model);

/* The process that a person most likely means: the root, of which the others are children and
 * grandchildren. If it ran several programs one after another, the last of them; if there are
 * several roots, the one that allocated most. NULL: there is none. */
const struct vbt_model *vbt_process_list_first(const struct vbt_process_list *list);

/* The last part of the path of a script, or of the folder of a package; a module's name is as it
 * is. The caller frees it. */
char *vbt_script_name(const char *path);

/* The name of the script or module that an interpreter ran, for the caller to free; NULL: none. */
char *vbt_process_script(const struct vbt_model *model);

/* The name of what ran: of the script or module that an interpreter ran, else of the program. The
 * caller frees it. */
char *vbt_process_program(const struct vbt_model *model);

/* "worker.py (4711)", for the caller to free. */
char *vbt_process_label(const struct vbt_model *model);

#endif
