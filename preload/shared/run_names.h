/* Names by which traced processes and the `vbtrace run` around them recognise each other. Also part
 * of the tool. */
#ifndef VBT_RUN_NAMES_H
#define VBT_RUN_NAMES_H

/* The environment variable by which a traced process finds the `vbtrace run` that it belongs to.
 *
 * NAME=PATH DEVICE INODE: a memory file that only vbtrace has open, with the device and inode that
 * tell it from any other file at that path. A traced process maps it: so what it forks is known by
 * its mappings, whatever becomes of its environment. */
#define VBT_RUNNER_VARIABLE "_VBTRACE_RUN"

/* The environment variable that names the folder of the Python package vbtrace. */
#define VBT_MODULE_VARIABLE "_VBTRACE_MODULE"

/* Begins what a process sends to say that it runs: then its id and its start, in clock ticks since
 * boot, both in decimal. (Programs that set a title overwrite the environment by which they could
 * be found.) Other lines are about traces, and begin with a slash. */
#define VBT_RUNNER_RUNS "runs "

/* From the folder of a program, at most 40 deep, to the root. `vbtrace run` preloads the library by
 * $ORIGIN, which glibc's loader replaces by that folder, then this, then the library's path. The
 * loader of the C library musl takes a library that it cannot link for an error, and one that it
 * does not find for none: it knows no $ORIGIN there, so it does not find this one. */
#define VBT_UP_8 "/../../../../../../../.."
#define VBT_UP_TO_ROOT VBT_UP_8 VBT_UP_8 VBT_UP_8 VBT_UP_8 VBT_UP_8

/* The name of a helper's process: this, and its program's process id in decimal. At most 15 bytes,
 * which is what the kernel keeps. */
#define VBT_HELPER_NAME "vbtrace-"

#endif
