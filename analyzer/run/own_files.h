/* Where vbtrace's own files lie, beside the tool: in a build tree, and installed; and how a traced
 * process is told of them. */
#ifndef VBT_OWN_FILES_H
#define VBT_OWN_FILES_H

/* The library's path, for the caller to free; NULL after a message. */
char *vbt_library_find(void);

/* Preloads the library before all others, for glibc alone. */
void vbt_library_preload(const char *library);

/* Tells the program's interpreters where the Python package is. Does nothing if it is not beside
 * the tool. */
void vbt_module_announce(void);

#endif
