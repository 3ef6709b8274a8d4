/* Loads a trace file into the model. */
#ifndef VBT_LOAD_H
#define VBT_LOAD_H

#include "model.h"
#include "window.h"

/* Reads a whole trace; with_sizes: keeps the histograms of request sizes, too. Damage is not a
 * failure: everything before it is loaded, and model->damage says what is wrong and where. Returns
 * NULL, or why there is nothing to load, as a sentence without the file's name, for the caller to
 * free. The model must be freed in both cases. */
char *vbt_model_load(struct vbt_model *model, const char *path, bool with_sizes);

/* The same without call paths and what is counted at them: what ran, the totals, the course of
 * memory, the end. Other chunks are checked, but not unpacked. */
char *vbt_model_load_brief(struct vbt_model *model, const char *path);

/* The same for a part of the run. */
char *vbt_model_load_part(struct vbt_model *model, const char *path, bool with_sizes, const struct vbt_window *window);

#endif
