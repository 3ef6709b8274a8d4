/* See demangle.h. */
#include "demangle.h"

#include "analyzer/base/allocate.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

/* Names of templates can grow without bound; no person reads a longer one. */
enum { LONGEST = 16 << 10 };

char *vbt_demangle(const char *linked) {
    const char *end = strstr(linked, ".llvm.");
    char *name = vbt_copy(linked, end != NULL ? (size_t)(end - linked) : strcspn(linked, "@"));
    char *demangled = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO); /* looks for Rust first */
    if (demangled != NULL) {
        free(name);
        name = demangled;
    }
    if (strlen(name) > LONGEST)
        name[LONGEST] = '\0';
    return name;
}
