/* Steps of vbt_compare: what is on both sides becomes one row. */
#ifndef VBT_COMPARE_JOIN_H
#define VBT_COMPARE_JOIN_H

#include "analyzer/analysis/compare/comparison.h"

/* Pairs modules by name, those of the programs, and what is left by name without numbers of
 * versions, if that is unique. */
void vbt_join_modules(struct vbt_comparison *comparison);

/* Pairs sections by label and the lines where they begin and end; what is left by label, in
 * order. */
void vbt_join_sections(struct vbt_comparison *comparison);

/* Call paths are one if their frames are pairs. Adds up what both sides counted at each. */
void vbt_join_paths(struct vbt_comparison *comparison);

/* What each function asked for itself, and with all that it called. Needs the paths. */
void vbt_join_functions(struct vbt_comparison *comparison);

#endif
