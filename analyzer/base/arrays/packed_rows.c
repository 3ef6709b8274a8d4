/* See packed_rows.h. */
#include "packed_rows.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>

/* A number is read as 8 bytes, the last one of the array, too. */
enum { SIZES = sizeof(uint32_t), LARGEST = SIZES + 8 * VBT_PACKED_MOST, SLACK = 8 };

void vbt_packed_begin(struct vbt_packed_rows *rows) {
    *rows = (struct vbt_packed_rows){0};
    rows->bytes = vbt_grow(NULL, &rows->capacity, LARGEST + SLACK, 1);
    memset(rows->bytes, 0, LARGEST + SLACK);
    rows->size = SIZES;
}

void vbt_packed_free(struct vbt_packed_rows *rows) {
    free(rows->bytes);
    *rows = (struct vbt_packed_rows){0};
}

static size_t rounded(size_t size) { return (size + VBT_PACKED_UNIT - 1) / VBT_PACKED_UNIT * VBT_PACKED_UNIT; }

/* The size of a row, from the 32 bits at its beginning. */
static size_t size_of(uint32_t sizes) {
    bool wide = sizes >> 31 != 0;
    size_t size = SIZES;
    for (sizes &= INT32_MAX; sizes != 0; sizes >>= 2)
        size += vbt_packed_bytes(sizes, wide);
    return rounded(size);
}

/* Two bits for the size of a number. */
static uint32_t code_of(uint64_t value, bool wide) {
    if (wide)
        return value == 0 ? 0 : value <= UINT16_MAX ? 1 : value <= UINT32_MAX ? 2 : 3;
    return value == 0 ? 0 : value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : 3;
}

/* Writes a row, at most LARGEST and SLACK bytes. Returns its size. */
static size_t write_row(uint8_t *to, const uint64_t *values, unsigned count) {
    uint64_t all = 0;
    for (unsigned i = 0; i < count; i++)
        all |= values[i];
    bool wide = all > UINT32_MAX;
    uint32_t sizes = wide ? UINT32_C(1) << 31 : 0;
    uint8_t *at = to + SIZES;
    for (unsigned i = 0; i < count; i++) {
        uint32_t code = code_of(values[i], wide);
        sizes |= code << (2 * i);
        memcpy(at, &values[i], sizeof values[i]);
        at += vbt_packed_bytes(code, wide);
    }
    memcpy(to, &sizes, sizeof sizes);
    return rounded((size_t)(at - to));
}

static void make_room(struct vbt_packed_rows *rows) {
    rows->bytes = vbt_grow(rows->bytes, &rows->capacity, rows->size + LARGEST + SLACK, 1);
}

/* The row that was written after the last one becomes the last one. */
static uint32_t append(struct vbt_packed_rows *rows, size_t size) {
    size_t row = rows->size / VBT_PACKED_UNIT;
    if (row >= VBT_PACKED_END)
        return 0;
    rows->size += size;
    return (uint32_t)row;
}

uint32_t vbt_packed_put(struct vbt_packed_rows *rows, uint32_t row, const uint64_t *values, unsigned count) {
    if (row == 0) {
        make_room(rows);
        return append(rows, write_row(rows->bytes + rows->size, values, count));
    }
    uint8_t written[LARGEST + SLACK], *old = rows->bytes + (size_t)VBT_PACKED_UNIT * row;
    uint32_t sizes;
    memcpy(&sizes, old, sizeof sizes);
    size_t had = size_of(sizes), size = write_row(written, values, count);
    if (size <= had) {
        rows->unused += had - size;
        memcpy(old, written, size);
        return row;
    }
    rows->unused += had;
    make_room(rows);
    memcpy(rows->bytes + rows->size, written, size);
    return append(rows, size);
}

uint32_t vbt_packed_copy(struct vbt_packed_rows *rows, const struct vbt_packed_rows *from, uint32_t row) {
    const uint8_t *old = from->bytes + (size_t)VBT_PACKED_UNIT * row;
    uint32_t sizes;
    memcpy(&sizes, old, sizeof sizes);
    make_room(rows);
    size_t size = size_of(sizes);
    memcpy(rows->bytes + rows->size, old, size);
    return append(rows, size);
}
