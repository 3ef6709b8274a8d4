/* A baseline as a small text that is committed beside the program: what it ran on, its totals, its
 * sections and the user's own lines, sorted, so that a review shows what changed. Lines stand below
 * their file and function with what they say instead of a number, so that lines that only moved
 * change nothing.
 *
 * A number that was not the same in all runs is written as a range, "20..25". */
#ifndef VBT_BASELINE_H
#define VBT_BASELINE_H

#include "analyzer/analysis/compare/compare_side.h"

#include <stdio.h>

/* Is it such a text, judging by its first line? False if it cannot be read, too. */
bool vbt_is_baseline(const char *path);

void vbt_baseline_write(const struct vbt_side *side, FILE *out);

/* Reads one: a side with a run of the smallest numbers and one of the largest. Returns NULL, or
 * what is wrong as a sentence that names the file and the line, for the caller to free. The side
 * must be freed in both cases. */
char *vbt_baseline_read(struct vbt_side *side, const char *path);

/* The names of the numbers, in the order of enum vbt_counted_as and enum vbt_section_number. */
extern const char *const vbt_baseline_counts[VBT_C_KINDS], *const vbt_baseline_section_numbers[VBT_S_NUMBERS];

#endif
