/* See merged_report.h. */
#include "merged_report.h"

#include "command_line.h"
#include "process_table.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "analyzer/base/units.h"
#include "analyzer/merge/timelines.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct vbt_model *first_of(const struct vbt_model *m) {
    const struct vbt_process_list list = {.rows = m->processes, .count = m->process_rows};
    return vbt_process_list_first(&list);
}

char *vbt_processes_title(const struct vbt_model *m) {
    char *command = vbt_command_line(first_of(m));
    char *title = vbt_text("%s, first %s", vbt_counted((int64_t)m->process_rows, "process").text,
                           command[0] != '\0' ? command : "(unknown program)");
    free(command);
    return title;
}

char *vbt_together_text(const struct vbt_model *m) {
    const struct vbt_model_together *together = &m->together;
    if (m->process_rows < 2 || m->window.is_part || together->bytes <= 0)
        return NULL;
    return vbt_text("%s at one moment, before %s, in %s", vbt_bytes(together->bytes).text, vbt_time((double)together->time).text,
                    vbt_counted(together->processes, "process").text);
}

void vbt_moment_print(const struct vbt_model *m, FILE *out) {
    const struct vbt_model_together *together = &m->together;
    fprintf(out, "%s at %s, in %s\nBy call path: %s", vbt_bytes(together->bytes).text, vbt_time((double)together->time).text,
            vbt_counted(together->processes, "process").text, vbt_bytes(together->by_path_bytes).text);
    if (together->farthest > 0)
        fprintf(out, " as of at most %s before or after", vbt_time((double)together->farthest).text);
}

json_t *vbt_json_processes(const struct vbt_model *m) {
    if (!vbt_model_is_merged(m))
        return json_null();
    const struct vbt_model *first = first_of(m);
    json_t *list = json_array();
    for (size_t i = 0; i < m->process_rows; i++)
        json_array_append_new(list, vbt_json_process(&m->processes[i], &m->processes[i] == first));
    return list;
}

json_t *vbt_json_together(const struct vbt_model *m) {
    if (!vbt_model_is_merged(m))
        return json_null();
    json_t *together = json_object();
    json_object_set_new(together, "bytes", json_integer(m->together.bytes));
    json_object_set_new(together, "time_ns", vbt_json_unsigned(m->together.time));
    json_object_set_new(together, "processes", json_integer(m->together.processes));
    json_object_set_new(together, "by_path_bytes", m->together.by_path ? json_integer(m->together.by_path_bytes) : json_null());
    json_object_set_new(together, "farthest_ns", m->together.by_path ? vbt_json_unsigned(m->together.farthest) : json_null());
    return together;
}
