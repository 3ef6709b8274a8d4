/* Whether this process is to be traced. */
#ifndef VBT_WANTED_H
#define VBT_WANTED_H

#include <stdbool.h>

/* VBTRACE_EXE decides, if a pattern in it applies to the executable. Otherwise all programs are
 * wanted except shells, programs that only start another one (env, nice, timeout), and the small
 * tools that a traced shell runs (sed, cat). is_python: an interpreter, whatever its name, is not a
 * small tool. */
bool vbt_process_is_wanted(bool is_python);

#endif
