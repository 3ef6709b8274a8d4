/* Known reasons why runs of one program differ, named where they are seen. */
#ifndef VBT_COMPARE_NOISE_H
#define VBT_COMPARE_NOISE_H

#include "findings.h"

/* Adds a sentence for each reason that shows in numbers that vary, or that are different. */
void vbt_noise_notes(struct vbt_findings *findings);

#endif
