/* vbtrace check as JSON. */
#include "check_report.h"

#include "analyzer/base/json.h"

#include <math.h>
#include <stdlib.h>

static json_t *number(double x) { return fabs(x) < 0x1p53 && x == floor(x) ? json_integer((int64_t)x) : vbt_json_real(x); }

static json_t *place_of(const struct vbt_comparison *c, uint32_t pair) {
    uint32_t owner = vbt_pair_function_of(c, pair);
    json_t *object = json_object();
    json_object_set_new(object, "file", vbt_json_text(vbt_pair_file(c, owner)));
    json_object_set_new(object, "line", json_integer(vbt_pair_place(c, pair)->line));
    json_object_set_new(object, "function", vbt_json_text(vbt_pair_function(c, owner)->name));
    json_object_set_new(object, "source", vbt_json_text(vbt_pair_place(c, pair)->text));
    return object;
}

static json_t *result_of(const struct vbt_gate *gate, const struct vbt_gate_result *r) {
    const struct vbt_comparison *c = gate->comparison;
    json_t *object = json_object(), *lines = json_array(), *path = json_array();
    char *sentence = vbt_check_sentence(r);
    for (size_t i = 0; i < r->line_count; i++) {
        json_t *line = place_of(c, r->lines[i].pair);
        json_object_set_new(line, "amount", number(r->lines[i].amount));
        json_array_append_new(lines, line);
    }
    for (size_t i = 0; i < r->path_length; i++)
        json_array_append_new(path, place_of(c, r->path[i]));
    json_object_set_new(object, "limit", vbt_json_text(r->limit->text));
    json_object_set_new(object, "holds", json_boolean(r->holds));
    json_object_set_new(object, "message", vbt_json_text(sentence));
    json_object_set_new(object, "value", r->absent ? json_null() : number(r->is));
    json_object_set_new(object, "allowed", r->absent ? json_null() : number(r->allowed));
    json_object_set_new(object, "old", gate->has_baseline && !r->absent ? number(r->old) : json_null());
    json_object_set_new(object, "new", r->absent ? json_null() : number(r->now));
    json_object_set_new(object, "noisy", json_boolean(r->noisy));
    json_object_set_new(object, "matched", json_integer((int64_t)r->matched));
    json_object_set_new(object, "lines", lines);
    json_object_set_new(object, "path", path);
    free(sentence);
    return object;
}

void vbt_check_json_print(const struct vbt_gate *gate, FILE *out) {
    struct vbt_json json;
    char *verdict = vbt_check_verdict(gate);
    vbt_json_begin(&json, out, "check");
    vbt_json_member(&json, "verdict", vbt_json_text(verdict));
    vbt_json_member(&json, "passed", json_boolean(gate->planted ? gate->failed == gate->count : vbt_gate_holds(gate)));
    vbt_json_member(&json, "planted", json_boolean(gate->planted));
    vbt_json_array_begin(&json, "environment");
    for (size_t i = 0; i < gate->unlikes.count; i++) {
        const struct vbt_unlike *u = &gate->unlikes.rows[i];
        json_t *row = json_object();
        json_object_set_new(row, "fact", json_string(u->fact));
        json_object_set_new(row, "old", vbt_json_text(u->baseline));
        json_object_set_new(row, "new", vbt_json_text(u->now));
        json_object_set_new(row, "allowed", json_boolean(u->allowed));
        vbt_json_item(&json, row);
    }
    vbt_json_array_end(&json);
    vbt_json_array_begin(&json, "limits");
    for (size_t i = 0; i < gate->count; i++)
        vbt_json_item(&json, result_of(gate, &gate->results[i]));
    vbt_json_array_end(&json);
    vbt_json_end(&json);
    free(verdict);
}
