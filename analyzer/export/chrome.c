/* See chrome.h. */
#include "chrome.h"

#include "export_names.h"
#include "analyzer/base/message.h"
#include "analyzer/report/command_line.h"

#include <inttypes.h>
#include <stdlib.h>

static void print_counter(const char *name, uint64_t time, int64_t pid, int64_t bytes, FILE *out) {
    fprintf(out, ",\n{\"ph\":\"C\",\"name\":\"%s\",\"pid\":%" PRId64 ",\"ts\":%" PRIu64 ".%03u,\"args\":{\"bytes\":%" PRId64 "}}",
            name, pid, time / 1000, (unsigned)(time % 1000), bytes);
}

void vbt_export_chrome(struct vbt_trace *trace, const struct vbt_query *query, FILE *out) {
    const struct vbt_model *m = &trace->model;
    int64_t pid = vbt_model_process_number(m, "pid");
    bool python = vbt_model_process(m, "python") != NULL;
    char *command = vbt_command_line(m);
    fprintf(out,
            "{\"otherData\":{\"vbtrace\":\"" VBT_VERSION
            "\"},\n\"traceEvents\":[\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%" PRId64 ",\"args\":{\"name\":",
            pid);
    vbt_export_json_text(command, out);
    fputs("}}", out);
    for (size_t i = m->ticks.first; i < m->ticks.count; i++) {
        const struct vbt_model_tick *tick = &m->ticks.rows[i];
        print_counter("Live heap", tick->time, pid, (int64_t)((uint64_t)tick->heap + (uint64_t)tick->python), out);
        if (python)
            print_counter("of it Python's", tick->time, pid, tick->python, out);
        print_counter("Resident set", tick->time, pid, tick->rss, out);
    }
    fputs("\n]}\n", out);
    vbt_warn("%s: chrome: call stacks are left out: the format has counters only; --format perfetto has both", query->trace);
    free(command);
}
