/* Whether a trace can be put where it is to go: asked before the program runs, since afterwards there is nothing left to put there. */
#ifndef VBT_TRACE_PLACE_H
#define VBT_TRACE_PLACE_H

/* A folder in which files are to be made. NULL, or what is wrong, as a sentence that the caller frees. */
char *vbt_trace_place_check_folder(const char *folder);

/* The name of a file as VBTRACE_OUTPUT has it: as far as its letters (%p) leave it open, it is not checked. Where the file is a link of
 * ours, *output is replaced by what it stands for, as the library will do, so that all traces are looked for there. NULL, or what is
 * wrong, as above. */
char *vbt_trace_place_check_file(char **output);

/* A path without percent signs of its own, for VBTRACE_OUTPUT; the caller frees it. */
char *vbt_trace_place_quote(const char *path);

#endif
