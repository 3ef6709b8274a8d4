/* What each call stack allocated in each section: what can be told of that exactly. */
#ifndef VBT_SECTION_PARTS_H
#define VBT_SECTION_PARTS_H

#include "analyzer/analysis/calls/call_tree.h"

/* What a call stack did in a section, and in none of those that lie in it. */
struct vbt_section_part {
    uint32_t call;
    uint32_t section; /* index into the names */
    int64_t allocs, allocated;
};

struct vbt_section_parts {
    struct vbt_section_part *rows; /* in order of call, then section; none has nothing, or less */
    size_t count, capacity;
    struct vbt_section_place *names;
    bool unknown; /* there are sections, but it is not known which lie in which */
};

/* Of the whole run of one process. calls: by node, see vbt_call_tree_build_with_calls. A trace has
 * for each section what happened in it, sections within it included: those are subtracted, if it is
 * known which they are. */
void vbt_section_parts_build(struct vbt_section_parts *parts, const struct vbt_model *model, const struct vbt_call_tree *tree,
                             const uint32_t *calls, size_t node_count);
void vbt_section_parts_free(struct vbt_section_parts *parts);

#endif
