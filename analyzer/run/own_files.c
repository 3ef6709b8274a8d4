/* See own_files.h. */
#include "own_files.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "preload/shared/run_names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In a build tree, installed, in a wheel. */
enum { PLACES = 3 };

static const char *const library_places[PLACES] = {"../preload/libvbtrace.so", VBT_LIBRARY_FROM_TOOL, "libvbtrace.so"};
static const char *const module_places[PLACES] = {"../python/vbtrace", VBT_MODULE_FROM_TOOL, ".."};

/* The tool's folder, for the caller to free; NULL: /proc does not say. */
static char *tool_folder(void) {
    char *tool = realpath("/proc/self/exe", NULL);
    if (tool != NULL)
        *strrchr(tool, '/') = '\0';
    return tool;
}

/* The first of the places that exists, for the caller to free; NULL: none. */
static char *find(const char *tool, const char *const places[PLACES]) {
    char *found = NULL;
    for (int i = 0; i < PLACES && found == NULL; i++) {
        char *path = vbt_text("%s/%s", tool, places[i]);
        found = realpath(path, NULL);
        free(path);
    }
    return found;
}

char *vbt_library_find(void) {
    char *tool = tool_folder();
    if (tool == NULL) {
        vbt_fail("run: cannot find where vbtrace is installed: /proc is not mounted");
        return NULL;
    }
    char *found = find(tool, library_places);
    bool good = found != NULL && strpbrk(found, " :") == NULL;
    if (found == NULL)
        vbt_fail("run: libvbtrace.so is missing: expected %s/%s", tool, VBT_LIBRARY_FROM_TOOL);
    else if (!good)
        vbt_fail("run: %s: a path with a blank or colon cannot be preloaded; install vbtrace elsewhere", found);
    free(tool);
    if (good)
        return found;
    free(found);
    return NULL;
}

void vbt_library_preload(const char *library) {
    const char *others = getenv("LD_PRELOAD");
    bool alone = others == NULL || others[0] == '\0';
    char *all = vbt_text("$ORIGIN" VBT_UP_TO_ROOT "%s%s%s", library, alone ? "" : ":", alone ? "" : others);
    setenv("LD_PRELOAD", all, 1);
    free(all);
}

void vbt_module_announce(void) {
    char *tool = tool_folder(), *found = tool != NULL ? find(tool, module_places) : NULL;
    char *start = found != NULL ? vbt_text("%s/__init__.py", found) : NULL;
    if (start != NULL && access(start, R_OK) == 0)
        setenv(VBT_MODULE_VARIABLE, found, 1);
    free(start);
    free(found);
    free(tool);
}
