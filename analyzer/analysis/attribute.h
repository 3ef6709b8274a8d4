/* Attributes each allocation to a line.
 *
 * Leaf line: the nearest Python line on the call path; without one, the native call itself.
 *
 * User line: the nearest Python line in the user's own files; on a path without Python, the nearest
 * call in the main program's own code, unless that program is a Python interpreter. Everything else
 * belongs to VBT_OUTSIDE.
 *
 * A special site ("[vbtrace]") is its own leaf line and user line. */
#ifndef VBT_ATTRIBUTE_H
#define VBT_ATTRIBUTE_H

#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_attribution {
    uint32_t *leaf; /* by node: site */
    uint32_t *user; /* by node: site; 0 for VBT_OUTSIDE */
};

/* places: used to tell the user's own code from library code that is compiled into the program;
 * NULL: all of the main program is the user's own. */
void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *model, struct vbt_places *places);
void vbt_attribution_free(struct vbt_attribution *attribution);

#endif
