/* The tables of a page: frames, nodes, cells, their history and whose they are. */
#ifndef VBT_PAGE_TABLES_H
#define VBT_PAGE_TABLES_H

#include "page_columns.h"
#include "page_frames.h"
#include "analyzer/analysis/cells/cells.h"

/* Writes all columns. Returns the member "counts": how many rows each table has. */
json_t *vbt_page_tables_write(struct vbt_page_columns *columns, const struct vbt_page_frames *frames,
                              const struct vbt_cells *cells);

#endif
