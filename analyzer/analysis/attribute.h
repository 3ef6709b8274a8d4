/* Attributes each allocation to a line.
 *
 * Leaf line: the nearest Python line on the call path; without one, the native call itself.
 *
 * User line: the nearest line of Python, or of Cython, in the user's own files; on a path without
 * Python, the nearest call in native code of the user's own (see user_code.h), of which a Python
 * interpreter is none. Everything else belongs to VBT_OUTSIDE.
 *
 * A special site ("[vbtrace]") is its own leaf line and user line. One that stands for the missing
 * callers of a stack that was cut off is only the user line, and only where none is known further
 * in. */
#ifndef VBT_ATTRIBUTE_H
#define VBT_ATTRIBUTE_H

#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_attribution {
    uint32_t *leaf; /* by node: site */
    uint32_t *user; /* by node: site; 0 for VBT_OUTSIDE */
};

/* places: says whose code it is; NULL: all of the main program, and nothing else, is the user's
 * own. */
void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *model, struct vbt_places *places);
void vbt_attribution_free(struct vbt_attribution *attribution);

#endif
