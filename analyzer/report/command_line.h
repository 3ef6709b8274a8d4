/* The traced program's command line, as one would type it. */
#ifndef VBT_COMMAND_LINE_H
#define VBT_COMMAND_LINE_H

#include "analyzer/trace/model.h"

/* Arguments separated by blanks, quoted for a shell where necessary; the executable's path if no
 * arguments are known. The caller frees it. */
char *vbt_command_line(const struct vbt_model *model);

/* How many bytes of a command line are the folder of its program: 0 if the program is quoted. */
size_t vbt_command_folder(const char *command);

/* One word, quoted if a shell would otherwise change or split it. The caller frees it. */
char *vbt_shell_word(const char *word);

#endif
