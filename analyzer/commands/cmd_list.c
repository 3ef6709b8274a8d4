/* vbtrace list: which processes left traces. */
#include "commands.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/report/process_table.h"

#include <stdlib.h>

static void warn_of_damage(const struct vbt_process_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        char *damage = vbt_trace_damage(&list->rows[i]);
        if (damage != NULL)
            vbt_warn("%s: %s", list->rows[i].path, damage);
        free(damage);
    }
}

int vbt_cmd_list(const struct vbt_query *query) {
    struct vbt_inputs inputs;
    struct vbt_process_list list = {0};
    char *problem = vbt_inputs_find(&inputs, query->traces, query->trace_count);
    if (problem != NULL)
        vbt_fail("%s", problem);
    bool good = problem == NULL && vbt_process_list_read(&list, &inputs);
    free(problem);
    int status = 2;
    if (good) {
        warn_of_damage(&list);
        struct vbt_output output;
        vbt_output_begin(&output, query->output);
        if (query->format == VBT_JSON)
            vbt_process_json_print(&list, query, output.stream);
        else if (query->format == VBT_CSV)
            vbt_process_csv_print(&list, query, output.stream);
        else
            vbt_process_table_print(&list, query, &output);
        status = vbt_output_finish(&output);
    }
    vbt_process_list_free(&list);
    vbt_inputs_free(&inputs);
    return status;
}
