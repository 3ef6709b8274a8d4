/* Rows of a few numbers, of which most are 0 or small, in as few bytes as they need. There may be
 * millions, and their rows in a plain array would be mostly zeros.
 *
 * A row begins with 32 bits that say how many bytes each number takes: two bits for each, for 0, 1,
 * 2 or 4 bytes; if bit 31 is set, for 0, 2, 4 or 8. The numbers follow. A row is named by where it
 * begins, in units of 4 bytes; row 0 is always there and all 0. How many numbers a row has is known
 * to its user alone. */
#ifndef VBT_PACKED_ROWS_H
#define VBT_PACKED_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { VBT_PACKED_UNIT = 4, VBT_PACKED_MOST = 15 }; /* bytes; numbers in a row */

/* All rows are named by less than this: by so many bits. */
#define VBT_PACKED_BITS 30
#define VBT_PACKED_END (UINT32_C(1) << VBT_PACKED_BITS)

struct vbt_packed_rows {
    uint8_t *bytes;
    size_t size, capacity;
    size_t unused; /* bytes of rows that were replaced by longer ones elsewhere */
};

void vbt_packed_begin(struct vbt_packed_rows *rows);
void vbt_packed_free(struct vbt_packed_rows *rows);

/* Writes a row over another one, which is then unknown, or adds one if `row` is 0. Returns its
 * name, which may be another; 0 if there is no room for it. */
uint32_t vbt_packed_put(struct vbt_packed_rows *rows, uint32_t row, const uint64_t *values, unsigned count);

/* Adds a copy of a row. Returns its name. */
uint32_t vbt_packed_copy(struct vbt_packed_rows *rows, const struct vbt_packed_rows *from, uint32_t row);

static inline uint64_t vbt_packed_load(const uint8_t *bytes, size_t size) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value); /* the array ends later */
    return size == 0 ? 0 : value & (UINT64_MAX >> (64 - 8 * size));
}

/* How many bytes the number with the lowest two bits of `sizes` takes. */
static inline size_t vbt_packed_bytes(uint32_t sizes, bool wide) {
    return (sizes & 3) == 0 ? 0 : (size_t)1 << ((sizes & 3) - 1 + wide);
}

static inline void vbt_packed_get(const struct vbt_packed_rows *rows, uint32_t row, uint64_t *values, unsigned count) {
    const uint8_t *at = rows->bytes + (size_t)VBT_PACKED_UNIT * row;
    uint32_t sizes;
    memcpy(&sizes, at, sizeof sizes);
    bool wide = sizes >> 31 != 0;
    at += sizeof sizes;
    for (unsigned i = 0; i < count; i++, sizes >>= 2) {
        size_t size = vbt_packed_bytes(sizes, wide);
        values[i] = vbt_packed_load(at, size);
        at += size;
    }
}

/* One number of a row. */
static inline uint64_t vbt_packed_one(const struct vbt_packed_rows *rows, uint32_t row, unsigned number) {
    const uint8_t *at = rows->bytes + (size_t)VBT_PACKED_UNIT * row;
    uint32_t sizes;
    memcpy(&sizes, at, sizeof sizes);
    bool wide = sizes >> 31 != 0;
    at += sizeof sizes;
    for (; number > 0; number--, sizes >>= 2)
        at += vbt_packed_bytes(sizes, wide);
    return vbt_packed_load(at, vbt_packed_bytes(sizes, wide));
}

#endif
