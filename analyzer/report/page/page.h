/* The page of a trace: one HTML file. What its script finds in it: DATA.md. */
#ifndef VBT_PAGE_H
#define VBT_PAGE_H

#include "analyzer/analysis/cells/cells.h"
#include "analyzer/analysis/conservation.h"
#include "analyzer/analysis/intervals.h"
#include "analyzer/analysis/line_mode/line_profile.h"
#include "analyzer/base/arrays/text_buffer.h"

#include <stdio.h>

/* What a page shows of a trace. */
struct vbt_page_content {
    const struct vbt_trace *trace;
    const struct vbt_query *query;
    struct vbt_cells *cells; /* which get fewer, if they would take too much room */
    const struct vbt_conservation *conservation;
    const struct vbt_interval_list *intervals;
    const struct vbt_line_profile *profile;
};

/* The data of a page as text, for the caller to free. */
struct vbt_text_buffer vbt_page_data(const struct vbt_page_content *content);

/* Prints the page. against: of an older trace; empty if there is none. */
void vbt_page_print(const struct vbt_text_buffer *data, const struct vbt_text_buffer *against, FILE *out);

#endif
