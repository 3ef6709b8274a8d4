/* The other files that debug information refers to. libdw opens them by itself, and would wait for
 * the other end of a pipe that has the name of one. */
#ifndef VBT_DEBUG_FILES_H
#define VBT_DEBUG_FILES_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

/* Is there something else than a regular file at a path? A relative one starts from the folder of
 * `file`. path may be NULL. */
bool vbt_debug_file_is_special(const char *file, const char *path);

/* Does a module's debug information refer to such files: to its alternate (dwz), or the split units
 * (.dwo)? Nothing of it may have been asked before. */
bool vbt_debug_files_are_special(Dwfl_Module *module, Dwarf *dwarf);

#endif
