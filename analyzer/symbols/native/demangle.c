/* See demangle.h. */
#include "demangle.h"

#include "analyzer/base/allocate.h"

#include <libiberty/demangle.h>
#include <stdlib.h>
#include <string.h>

/* Names of templates can grow without bound; no person reads a longer one. */
enum { LONGEST = 16 << 10 };

/* What Cython calls the function of a name: __pyx_pw_3pkg_6module_5Class_1method is
 * pkg.module.Class.method; "1" only makes the name different from others. NULL for other names. */
static char *demangle_cython(const char *name) {
    static const char *const prefixes[] = {"__pyx_pf_", "__pyx_pw_", "__pyx_f_", "__pyx_gb_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], length) != 0)
            continue;
        char *found = vbt_new(strlen(name) + 1, 1), *at = found;
        for (name += length;;) {
            char *end;
            unsigned long size = strtoul(name, &end, 10);
            if (end == name || size == 0 || size >= strlen(end) || end[size] != '_')
                break;
            memcpy(at, end, size);
            at += size;
            *at++ = '.';
            name = end + size + 1;
        }
        const char *rest = name + strspn(name, "0123456789");
        if (at > found && *rest != '\0') {
            memcpy(at, rest, strlen(rest));
            return found;
        }
        free(found);
    }
    return NULL;
}

char *vbt_demangle(const char *linked) {
    const char *end = strstr(linked, ".llvm.");
    char *name = vbt_copy(linked, end != NULL ? (size_t)(end - linked) : strcspn(linked, "@"));
    char *demangled = cplus_demangle(name, DMGL_PARAMS | DMGL_ANSI | DMGL_AUTO); /* looks for Rust first */
    if (demangled == NULL)
        demangled = demangle_cython(name);
    if (demangled != NULL) {
        free(name);
        name = demangled;
    }
    if (strlen(name) > LONGEST)
        name[LONGEST] = '\0';
    return name;
}
