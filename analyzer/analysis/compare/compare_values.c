/* See compare_values.h. */
#include "compare_values.h"

#include "analyzer/base/allocate.h"

#include <stdlib.h>
#include <string.h>

const char *const vbt_counted_names[VBT_C_KINDS] = {
    [VBT_C_ALLOCS] = "allocs",   [VBT_C_BYTES] = "allocated_bytes", [VBT_C_PEAK] = "at_peak_bytes",
    [VBT_C_LEFT] = "live_bytes", [VBT_C_BLOCKS] = "live_blocks",    [VBT_C_TEMPORARY] = "temporary_allocs"};

void vbt_values_begin(struct vbt_values *v, size_t runs, size_t kinds) { *v = (struct vbt_values){.runs = runs, .kinds = kinds}; }

void vbt_values_free(struct vbt_values *v) {
    free(v->of);
    vbt_values_begin(v, v->runs, v->kinds);
}

int64_t *vbt_values_at(struct vbt_values *v, size_t row, size_t run) {
    size_t size = v->runs * v->kinds;
    if (row >= v->rows) {
        v->of = vbt_grow(v->of, &v->capacity, row + 1, size * sizeof *v->of);
        memset(v->of + v->rows * size, 0, (row + 1 - v->rows) * size * sizeof *v->of);
        v->rows = row + 1;
    }
    return v->of + row * size + run * v->kinds;
}

void vbt_counts_add(int64_t to[VBT_C_KINDS], const int64_t more[VBT_C_KINDS]) {
    for (int i = 0; i < VBT_C_KINDS; i++)
        to[i] = (int64_t)((uint64_t)to[i] + (uint64_t)more[i]);
}
