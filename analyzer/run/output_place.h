/* Checks that a trace can be written where it is to go, before the program runs: afterwards it
 * would be lost. */
#ifndef VBT_OUTPUT_PLACE_H
#define VBT_OUTPUT_PLACE_H

/* Checks a folder in which files are to be created. Returns NULL, or what is wrong as a sentence,
 * for the caller to free. */
char *vbt_output_place_check_folder(const char *folder);

/* Checks a file name as in VBTRACE_OUTPUT, as far as letters such as %p allow. If the file is a
 * symbolic link of the same user, *output is replaced by the link's target, as the library will do,
 * so that all traces are looked for there. Returns NULL, or what is wrong, as above. */
char *vbt_output_place_check_file(char **output);

/* A path for VBTRACE_OUTPUT, with its percent signs doubled; the caller frees it. */
char *vbt_output_place_quote(const char *path);

#endif
