/* From a trace file to the model. */
#ifndef VBT_LOAD_H
#define VBT_LOAD_H

#include "model.h"

/* Reads a whole trace; with_sizes keeps the histograms of request sizes too. Damage is no failure: what comes before it is loaded,
 * and model->damage says what and where. NULL, or why there is nothing to load, as a sentence without the file's name that the
 * caller frees. The model is to be freed in both cases. */
char *vbt_model_load(struct vbt_model *model, const char *path, bool with_sizes);

#endif
