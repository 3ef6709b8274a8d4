/* A call tree as a flame graph: one SVG file that holds all it needs, its script included, and asks no network for anything. Without
 * the script (in a page's <img>) it is a picture. */
#ifndef VBT_FLAMEGRAPH_H
#define VBT_FLAMEGRAPH_H

#include "analyzer/analysis/calls/call_tree.h"

#include <stdio.h>

struct vbt_flamegraph {
    const struct vbt_call_tree *tree; /* sorted: what is no child there is not drawn */
    enum vbt_measure measure;
    bool icicle; /* the root on top */
    const char *title;
    const char *subtitle; /* the traced command */
    const char *left_out; /* a sentence on what is not drawn; "" if all is */
};

/* The drawn calls' share of the measure may not be negative anywhere. */
void vbt_flamegraph_print(const struct vbt_flamegraph *graph, FILE *out);

#endif
