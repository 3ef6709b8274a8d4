/* Whether this process is to be traced. */
#ifndef VBT_WANTED_H
#define VBT_WANTED_H

#include <stdbool.h>

/* VBTRACE_EXE decides, if a pattern in it applies to the executable. Otherwise all programs are
 * wanted except shells, programs that only start another one (env, nice, timeout), and the small
 * tools that a traced shell or Python runs (sed, uname). has_python: an interpreter, whatever its
 * name, is not a small tool. For the constructor. */
bool vbt_process_is_wanted(bool has_python);

/* Does this process descend from one that is itself traced, in the same run? For the helper. */
bool vbt_process_has_wanted_ancestor(void);

#endif
