/* See report_json.h. */
#include "report_json.h"

#include "analyzer/report/json_rows.h"
#include "analyzer/report/merged_report.h"
#include "analyzer/report/overview.h"
#include "analyzer/report/resident_report.h"

/* Null if no call stack was compared. */
static json_t *json_verify(const struct vbt_model *model) {
    if (model->state[VBT_STATE_VERIFY_COMPARED] == 0)
        return json_null();
    json_t *verify = json_object();
    json_object_set_new(verify, "compared", json_integer(model->state[VBT_STATE_VERIFY_COMPARED]));
    json_object_set_new(verify, "different", json_integer(model->state[VBT_STATE_VERIFY_DIFFERENT]));
    return verify;
}

void vbt_json_report_head(struct vbt_json *json, const struct vbt_model *model, const struct vbt_conservation *conservation) {
    vbt_json_member(json, "program", vbt_json_program(model));
    vbt_json_member(json, "processes", vbt_json_processes(model));
    vbt_json_member(json, "together", vbt_json_together(model));
    vbt_json_member(json, "totals", vbt_json_totals(model));
    vbt_json_member(json, "resident", vbt_json_resident(model));
    vbt_json_completeness(json, model);
    vbt_json_member(json, "end_reason", vbt_json_text(model->ended ? model->end_reason : NULL));
    vbt_json_member(json, "conservation", vbt_json_conservation(conservation));
    json_t *stacks = json_object();
    json_object_set_new(stacks, "captured", json_integer(model->state[VBT_STATE_STACKS_CAPTURED]));
    json_object_set_new(stacks, "truncated", json_integer(model->state[VBT_STATE_STACKS_TRUNCATED]));
    vbt_json_member(json, "stacks", stacks);
    vbt_json_member(json, "verify", json_verify(model));
    vbt_json_member(json, "threads", vbt_json_threads(model));
}
