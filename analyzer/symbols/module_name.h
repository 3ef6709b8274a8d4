/* What a frame belongs to, in one word: the library of native code, the top-level package of Python
 * code. */
#ifndef VBT_MODULE_NAME_H
#define VBT_MODULE_NAME_H

#include "places.h"

/* "libc.so.6", "numpy", "json", "importlib", "bench.py"; a special place is its own module. The
 * caller frees it. */
char *vbt_module_name(const struct vbt_source_place *place);

#endif
