/* See page_columns.h. */
#include "page_columns.h"

#include "format/varint.h"

#include <stdlib.h>

void vbt_page_columns_begin(struct vbt_page_columns *columns) { *columns = (struct vbt_page_columns){.list = json_array()}; }

void vbt_page_columns_free(struct vbt_page_columns *columns) {
    free(columns->bytes.text);
    json_decref(columns->list);
}

void vbt_page_column_begin(struct vbt_page_columns *columns, const char *name, enum vbt_page_coding coding) {
    columns->name = name;
    columns->begin = columns->bytes.size;
    columns->is_signed = coding != VBT_PAGE_PLAIN;
    columns->is_delta = coding == VBT_PAGE_DELTA;
    columns->any = false;
    columns->before = columns->count = 0;
}

void vbt_page_column_put(struct vbt_page_columns *columns, uint64_t value) {
    uint8_t varint[VBT_VARINT_MAX];
    struct vbt_writer writer = {.at = varint, .end = varint + sizeof varint};
    columns->any = columns->any || value != 0;
    columns->count++;
    uint64_t coded = columns->is_delta ? value - columns->before : value;
    columns->before = value;
    vbt_put_varint(&writer, columns->is_signed ? vbt_zigzag((int64_t)coded) : coded);
    vbt_buffer_bytes(&columns->bytes, (const char *)varint, (size_t)(writer.at - varint));
}

void vbt_page_column_end(struct vbt_page_columns *columns) {
    if (columns->any) {
        json_t *row = json_object();
        json_object_set_new(row, "name", json_string(columns->name));
        json_object_set_new(row, "count", json_integer((json_int_t)columns->count));
        json_object_set_new(row, "signed", json_boolean(columns->is_signed));
        json_object_set_new(row, "delta", json_boolean(columns->is_delta));
        json_array_append_new(columns->list, row);
    } else {
        columns->bytes.size = columns->begin;
    }
    columns->name = NULL;
}
