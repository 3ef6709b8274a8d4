/* A breakdown of the resident set: heap in use and fragmentation, mapped memory, stacks, the
 * program, vbtrace, and the unexplained rest. */
#ifndef VBT_RESIDENT_REPORT_H
#define VBT_RESIDENT_REPORT_H

#include "analyzer/base/json.h"
#include "analyzer/base/output.h"
#include "analyzer/trace/model.h"

/* Has the trace a breakdown? */
bool vbt_resident_known(const struct vbt_model *model);

/* Prints a table; nothing if the trace has no breakdown. */
void vbt_resident_print(const struct vbt_model *model, struct vbt_output *output);

/* {"latest": {…}, "highest": {…}}, each null if unknown. */
json_t *vbt_json_resident(const struct vbt_model *model);

#endif
