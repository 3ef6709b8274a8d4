/* The last part of a path, to be shown to a person. */
#ifndef VBT_FILE_NAME_H
#define VBT_FILE_NAME_H

#include <string.h>

/* What follows the last slash; a path where nothing follows it ("dir/") stays whole, so that there
 * is always something to see. */
static inline const char *vbt_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

#endif
