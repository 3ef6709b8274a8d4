/* The text of sources in a page. */
#ifndef VBT_PAGE_SOURCES_H
#define VBT_PAGE_SOURCES_H

#include "page_names.h"
#include "analyzer/analysis/calls/call_tree.h"
#include "analyzer/symbols/source.h"

/* The member "files": of small files and the user's own all lines, of others those around the lines
 * that are on call paths; the less, the more there are. sources: NULL: none. */
void vbt_page_sources_write(struct vbt_json *json, struct vbt_page_names *names, const struct vbt_call_tree *tree,
                            struct vbt_sources *sources);

#endif
