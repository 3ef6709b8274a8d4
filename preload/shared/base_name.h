/* The last part of a path. Also part of the tool. */
#ifndef VBT_BASE_NAME_H
#define VBT_BASE_NAME_H

/* What follows the last slash: the whole path where it has none, "" where nothing follows ("dir/").
 * Calls no function, because of sanitizer.c. */
static inline const char *vbt_base_name(const char *path) {
    const char *name = path;
    for (; *path != '\0'; path++)
        if (*path == '/')
            name = path + 1;
    return name;
}

#endif
