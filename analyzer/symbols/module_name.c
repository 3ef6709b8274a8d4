/* See module_name.h. */
#include "module_name.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"

#include <string.h>

/* What follows the last occurrence of a folder in a path, or NULL. */
static const char *after(const char *path, const char *folder) {
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, folder)) != NULL;)
        found = at += strlen(folder);
    return found;
}

/* What follows "/python3.11/" and the like, or NULL. */
static const char *after_library(const char *path) {
    const char *at = after(path, "/python3.");
    return at != NULL ? at + strspn(at, "0123456789t") + 1 : NULL;
}

char *vbt_module_name(const struct vbt_source_place *place) {
    const char *path = place->kind == VBT_PLACE_NATIVE && place->module != NULL ? place->module : place->file, *name;
    size_t length;
    if (place->kind == VBT_PLACE_SPECIAL) {
        name = place->function;
        length = strlen(name);
    } else if (place->kind == VBT_PLACE_PYTHON && strncmp(path, "<frozen ", 8) == 0) {
        name = path + 8;
        length = strcspn(name, ".>");
    } else if (place->kind == VBT_PLACE_PYTHON &&
               ((name = after(path, "/site-packages/")) != NULL || (name = after(path, "/dist-packages/")) != NULL ||
                (!place->user && (name = after_library(path)) != NULL && name[-1] == '/'))) {
        length = strcspn(name, "/");
        if (length > 3 && name[length] == '\0' && strcmp(name + length - 3, ".py") == 0)
            length -= 3;
    } else {
        name = vbt_file_name(path);
        length = strlen(name);
    }
    return length > 0 ? vbt_copy(name, length) : vbt_copy("?", 1);
}
