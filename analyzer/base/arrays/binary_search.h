/* Where a value belongs in a sorted array. */
#ifndef VBT_BINARY_SEARCH_H
#define VBT_BINARY_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

/* The number of rows, of `size` bytes each, that come before a value: is_before is true for the
 * first so many, and for no other. */
static inline size_t vbt_rows_before(const void *rows, size_t count, size_t size,
                                     bool (*is_before)(const void *row, const void *value), const void *value) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (is_before((const char *)rows + middle * size, value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
