/* The places of a call tree as a page has them. */
#ifndef VBT_PAGE_FRAMES_H
#define VBT_PAGE_FRAMES_H

#include "page_names.h"
#include "analyzer/analysis/calls/call_tree.h"

enum vbt_page_kind { VBT_PAGE_PYTHON, VBT_PAGE_NATIVE, VBT_PAGE_INLINED, VBT_PAGE_SPECIAL };

enum { VBT_PAGE_IMPORTS = 1, VBT_PAGE_USERS = 2 }; /* flags */

struct vbt_page_frame {
    uint32_t name, file, module, group; /* strings */
    int64_t line, start;
    enum vbt_page_kind kind;
    unsigned flags;
};

struct vbt_page_frames {
    struct vbt_page_frame *rows;
    size_t count, capacity;
    uint32_t *of_call; /* of the root: 0, which means nothing */
    char **groups;     /* the texts that are in no trace */
    size_t group_count, group_capacity;
};

/* The names use the texts, so that they must not be written after the frames were freed. */
void vbt_page_frames_build(struct vbt_page_frames *frames, struct vbt_page_names *names, const struct vbt_call_tree *tree,
                           const struct vbt_trace *trace);
void vbt_page_frames_free(struct vbt_page_frames *frames);

#endif
