/* Draws a call tree as a flame graph: one SVG file with everything it needs, its script included;
 * it loads nothing from the network. Without the script (in a page's <img>) it is a still
 * picture. */
#ifndef VBT_FLAMEGRAPH_H
#define VBT_FLAMEGRAPH_H

#include "analyzer/analysis/calls/call_tree.h"

#include <stdio.h>

struct vbt_flamegraph {
    const struct vbt_call_tree *tree; /* sorted: only calls that are children there are drawn */
    enum vbt_measure measure;
    bool icicle; /* with the root on top */
    const char *title;
    const char *subtitle; /* the traced command */
    const char *left_out; /* a sentence on what is not drawn; "" if everything is */
};

/* No drawn call may have less than 0 of the measure. */
void vbt_flamegraph_print(const struct vbt_flamegraph *graph, FILE *out);

#endif
