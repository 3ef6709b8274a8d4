/* How a traced process finds the `vbtrace run` that it belongs to: an environment variable. Also
 * part of the tool.
 *
 * NAME=PATH DEVICE INODE: a file in memory that vbtrace alone has open, with what tells it from any
 * other file at that path. */
#ifndef VBT_RUNNER_VARIABLE_H
#define VBT_RUNNER_VARIABLE_H

#define VBT_RUNNER_VARIABLE "_VBTRACE_RUN"

#endif
