/* The columns of a page's data, as DATA.md has them. */
#ifndef VBT_PAGE_COLUMNS_H
#define VBT_PAGE_COLUMNS_H

#include "analyzer/base/arrays/text_buffer.h"

#include <jansson.h>
#include <stdbool.h>

struct vbt_page_columns {
    struct vbt_text_buffer bytes; /* of all columns, one after another */
    json_t *list;                 /* what they are: the header's "columns" */
    size_t begin;                 /* the column that is being written: its first byte, */
    const char *name;             /* NULL: there is none */
    bool is_signed, is_delta, any;
    uint64_t before;
    size_t count;
};

void vbt_page_columns_begin(struct vbt_page_columns *columns);
void vbt_page_columns_free(struct vbt_page_columns *columns);

enum vbt_page_coding {
    VBT_PAGE_PLAIN,  /* unsigned */
    VBT_PAGE_SIGNED, /* zigzag */
    VBT_PAGE_DELTA,  /* zigzag, of the differences */
};

/* Begins a column; its values follow. The name must live until it is ended. */
void vbt_page_column_begin(struct vbt_page_columns *columns, const char *name, enum vbt_page_coding coding);

/* value: of a signed column its bits. */
void vbt_page_column_put(struct vbt_page_columns *columns, uint64_t value);

/* A column of zeros alone is left out. */
void vbt_page_column_end(struct vbt_page_columns *columns);

#endif
