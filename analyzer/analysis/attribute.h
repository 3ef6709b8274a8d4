/* To which line an allocation belongs.
 *
 * Leaf line: the nearest Python line on the call path; where there is none, the native call itself.
 * User line: the nearest Python line in the user's own files; on a path without Python, the nearest call in the main program's own
 * code, unless that is a Python interpreter; everything else belongs to VBT_OUTSIDE.
 * A special site ("[vbtrace]") stands for itself in both. */
#ifndef VBT_ATTRIBUTE_H
#define VBT_ATTRIBUTE_H

#include "analyzer/symbols/places.h"
#include "analyzer/trace/model.h"

struct vbt_attribution {
    uint32_t *leaf; /* by node: site */
    uint32_t *user; /* by node: site; 0 for VBT_OUTSIDE */
};

/* places: tell code of the user's from library code compiled into the program; NULL: all of the main program is the user's. */
void vbt_attribute(struct vbt_attribution *attribution, const struct vbt_model *model, struct vbt_places *places);
void vbt_attribution_free(struct vbt_attribution *attribution);

#endif
