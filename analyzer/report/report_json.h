/* What the JSON of a report begins with, whoever prints it. */
#ifndef VBT_REPORT_JSON_H
#define VBT_REPORT_JSON_H

#include "analyzer/analysis/conservation.h"
#include "analyzer/base/json.h"
#include "analyzer/trace/model.h"

/* The members from "program" to "threads". */
void vbt_json_report_head(struct vbt_json *json, const struct vbt_model *model, const struct vbt_conservation *conservation);

#endif
