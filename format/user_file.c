/* See user_file.h. */
#include "user_file.h"

#include <ctype.h>
#include <string.h>

/* Is there a directory "lib/pythonX.Y/", as every interpreter's standard library has it? */
static bool under_standard_library(const char *path) {
    for (const char *at = path; (at = strstr(at, "/python")) != NULL; at++) {
        const char *digits = at + strlen("/python");
        const char *end = digits;
        while (isdigit((unsigned char)*end) || *end == '.')
            end++;
        if (*end == 't')
            end++; /* free-threaded builds: python3.13t */
        bool in_lib = at - path >= 4 && (memcmp(at - 4, "/lib", 4) == 0 || (at - path >= 6 && memcmp(at - 6, "/lib64", 6) == 0));
        if (in_lib && end > digits && (*end == '/' || strncmp(end, "zip/", 4) == 0))
            return true;
    }
    return false;
}

bool vbt_is_user_file(const char *path) {
    if (path[0] == '\0')
        return false;
    if (path[0] == '<')
        return strncmp(path, "<frozen", 7) != 0 && strcmp(path, "<unknown>") != 0;
    return strstr(path, "/site-packages/") == NULL && strstr(path, "/dist-packages/") == NULL && !under_standard_library(path);
}
