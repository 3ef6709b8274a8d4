/* How a traced process finds the `vbtrace run` that it belongs to: an environment variable. Also
 * part of the tool.
 *
 * NAME=PATH DEVICE INODE: a memory file that only vbtrace has open, with the device and inode that
 * tell it from any other file at that path. */
#ifndef VBT_RUNNER_VARIABLE_H
#define VBT_RUNNER_VARIABLE_H

#define VBT_RUNNER_VARIABLE "_VBTRACE_RUN"

#endif
