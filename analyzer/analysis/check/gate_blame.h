/* What made a limit fail. */
#ifndef VBT_GATE_BLAME_H
#define VBT_GATE_BLAME_H

#include "gate.h"

/* Finds the lines that have most of what a limit compares, and the call path to the first. */
void vbt_gate_blame(struct vbt_gate_result *result, const struct vbt_comparison *comparison);

#endif
