/* See demangle.h. */
#include "demangle.h"

#include "allocate.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

char *vbt_demangle(const char *linked) {
    const char *end = strstr(linked, ".llvm.");
    char *name = vbt_copy(linked, end != NULL ? (size_t)(end - linked) : strcspn(linked, "@"));
    char *demangled = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO); /* looks for Rust first */
    if (demangled == NULL)
        return name;
    free(name);
    return demangled;
}
