/* Whether this process is one whose trace is wanted. */
#ifndef VBT_WANTED_H
#define VBT_WANTED_H

#include <stdbool.h>

/* VBTRACE_EXE decides, where a pattern of it says something of the executable. Otherwise all programs are wanted but shells, what merely
 * starts another program (env, nice, timeout), and the little tools that a traced shell runs (sed, cat). is_python: an interpreter,
 * whatever it is called, is no little tool. */
bool vbt_process_is_wanted(bool is_python);

#endif
