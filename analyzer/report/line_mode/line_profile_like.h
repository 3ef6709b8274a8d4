/* The layouts of two profilers whose output people and scripts know, to the byte: memory_profiler
 * 0.61 and line_profiler 4.0. The numbers are vbtrace's: increments are the heap's exact change.
 *
 * Each prints the functions with @profile, or all functions if there are none with it, and returns
 * how many it printed. */
#ifndef VBT_LINE_PROFILE_LIKE_H
#define VBT_LINE_PROFILE_LIKE_H

#include "analyzer/analysis/line_mode/line_profile.h"

#include <stdio.h>

size_t vbt_line_profile_print_as_memory_profiler(const struct vbt_line_profile *profile, struct vbt_sources *sources, FILE *out);
size_t vbt_line_profile_print_as_line_profiler(const struct vbt_line_profile *profile, struct vbt_sources *sources, FILE *out);

#endif
