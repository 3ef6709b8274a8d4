/* What was counted in each run of a comparison, row by row. */
#ifndef VBT_COMPARE_VALUES_H
#define VBT_COMPARE_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* What is compared. All but the last add up over lines, functions, call paths and modules to the
 * totals. */
enum vbt_counted_as {
    VBT_C_ALLOCS,
    VBT_C_BYTES,
    VBT_C_PEAK,   /* bytes that were live when the heap was largest */
    VBT_C_LEFT,   /* bytes live at the end, inherited ones too */
    VBT_C_BLOCKS, /* live at the end */
    VBT_C_TEMPORARY,
    VBT_C_KINDS
};

/* As JSON, CSV and --sort call them. */
extern const char *const vbt_counted_names[VBT_C_KINDS];

struct vbt_values {
    int64_t *of; /* by row, run and kind */
    size_t rows, capacity;
    size_t runs, kinds;
};

/* kinds: how many numbers a run has in a row; VBT_C_KINDS, where they are those above. */
void vbt_values_begin(struct vbt_values *values, size_t runs, size_t kinds);
void vbt_values_free(struct vbt_values *values);

/* The numbers of a run in a row; rows that are not there yet are added, all 0. Valid until the next
 * call. */
int64_t *vbt_values_at(struct vbt_values *values, size_t row, size_t run);

/* The same of a row that is there. */
static inline const int64_t *vbt_values_of(const struct vbt_values *values, size_t row, size_t run) {
    return values->of + (row * values->runs + run) * values->kinds;
}

/* Adds numbers of any size: sums of damaged traces wrap. */
void vbt_counts_add(int64_t to[VBT_C_KINDS], const int64_t more[VBT_C_KINDS]);

#endif
