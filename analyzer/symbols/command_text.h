/* The program text on an interpreter's command line: `python -c TEXT`. */
#ifndef VBT_COMMAND_TEXT_H
#define VBT_COMMAND_TEXT_H

#include "analyzer/trace/model.h"

/* The file of all code that is compiled from text. */
#define VBT_TEXT_FILE "<string>"

/* The text, which the model owns; NULL if there is none, or if the user's own code of files called
 * "<string>" includes other texts, such as what exec compiles. */
const char *vbt_command_text(const struct vbt_model *model);

#endif
