/* What the resident set consisted of: heap in use and fragmentation, mapped memory, stacks, the program, vbtrace, and what nobody knows. */
#ifndef VBT_RESIDENT_REPORT_H
#define VBT_RESIDENT_REPORT_H

#include "analyzer/base/json.h"
#include "analyzer/base/output.h"
#include "analyzer/trace/model.h"

/* A table; nothing where the trace does not tell. */
void vbt_resident_print(const struct vbt_model *model, struct vbt_output *output);

/* {"latest": {…}, "highest": {…}}, each null where it is not told. */
json_t *vbt_json_resident(const struct vbt_model *model);

#endif
