/* Draws a call tree as a flame graph: one SVG file with everything it needs, its script included;
 * it loads nothing from the network. Without the script (in a page's <img>) it is a still
 * picture. */
#ifndef VBT_FLAMEGRAPH_H
#define VBT_FLAMEGRAPH_H

#include "analyzer/analysis/calls/call_tree.h"

#include <stdio.h>

/* A deeper picture would be of no use. */
enum { VBT_FLAMEGRAPH_LEVELS = 4096 };

struct vbt_flamegraph {
    struct vbt_call_tree *tree; /* sorted: only calls that are children there are drawn */
    enum vbt_measure measure;
    bool reversed;       /* it was read from the innermost frame outwards */
    bool root_at_bottom; /* else the root is on top */
    bool diff;           /* it compares two runs, see call_diff.h: frames that grew are red, those that shrank blue */
    const char *title;
    const char *subtitle; /* the traced command */
    const char *left_out; /* sentences on what is not drawn; "" if everything is */
};

/* Draws the picture in memory, for the caller to free, if it has at most so many bytes; then it
 * returns SIZE_MAX. Otherwise the text is of no use, and it returns how many frames had so many. No
 * drawn call may have less than 0 of the measure. */
size_t vbt_flamegraph_print(const struct vbt_flamegraph *graph, uint64_t most, char **text, size_t *size);

#endif
