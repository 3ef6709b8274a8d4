/* See run_summary.h. */
#include "run_summary.h"

#include "analyzer/analysis/line_mode/uncounted_lines.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/analysis/totals.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/output.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/merge/process_list.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/lines/largest.h"
#include "analyzer/report/overview.h"
#include "analyzer/trace/load.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { PROCESSES_SHOWN = 20 };

/* A process and the numbers of its trace that are shown in one row. */
struct process {
    const char *path;
    char *command;
    uint64_t allocs, allocated, lost;
    int64_t peak;
    char *uncounted; /* NULL, or why; see uncounted_lines.h */
    bool any_line;
};

static bool read_process(struct process *process, const char *path) {
    struct vbt_model model;
    char *problem = vbt_model_load(&model, path, false);
    if (problem == NULL) {
        struct vbt_trace_totals totals;
        vbt_totals_get(&totals, &model);
        *process = (struct process){.path = path,
                                    .command = vbt_command_line(&model),
                                    .allocs = totals.all.allocs,
                                    .allocated = totals.all.allocated,
                                    .lost = vbt_lost_total(&model),
                                    .peak = totals.peak_bytes,
                                    .uncounted = vbt_uncounted_lines(&model),
                                    .any_line = model.line_counts_count > 0};
    }
    bool good = problem == NULL;
    free(problem);
    vbt_model_free(&model);
    return good;
}

static int by_allocs(const void *left, const void *right) {
    const struct process *a = left, *b = right;
    if (a->allocs != b->allocs)
        return a->allocs > b->allocs ? -1 : 1;
    return strcmp(a->path, b->path);
}

/* The process that `vbtrace list` marks, too. */
static const struct process *main_process(const struct process *processes, size_t count) {
    struct vbt_process_list list = {0};
    for (size_t i = 0; i < count; i++) {
        struct vbt_model model;
        free(vbt_model_load_brief(&model, processes[i].path)); /* it could be loaded before */
        vbt_process_list_add(&list, &model);
    }
    const struct process *found = &processes[vbt_process_list_first(&list) - list.rows];
    vbt_process_list_free(&list);
    return found;
}

static void print_processes(const struct process *processes, size_t count, struct vbt_output *output) {
    static const struct vbt_column columns[] = {
        {.title = "Allocations", .align = VBT_RIGHT},
        {.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "Peak", .align = VBT_RIGHT, .gap = 2, .width = 8},
        {.title = "Program", .gap = 2, .width = 20, .least = 20},
        {.title = "Trace", .gap = 2, .least = 20, .ellipsis = VBT_ELLIPSIS_START},
    };
    struct vbt_text_table *table = vbt_text_table_new(columns, VBT_COUNT(columns));
    for (size_t i = 0; i < count && i < PROCESSES_SHOWN; i++) {
        vbt_text_table_cell(table, "%s", vbt_count((int64_t)processes[i].allocs).text);
        vbt_text_table_cell(table, "%s", vbt_bytes((int64_t)processes[i].allocated).text);
        vbt_text_table_cell(table, "%s", vbt_bytes(processes[i].peak).text);
        vbt_text_table_cell(table, "%s", processes[i].command + vbt_command_folder(processes[i].command));
        vbt_text_table_cell(table, "%s", processes[i].path);
    }
    vbt_text_table_print(table, output, 0);
    vbt_text_table_free(table);
    if (count > PROCESSES_SHOWN)
        fprintf(output->stream, "… and %zu more\n", count - PROCESSES_SHOWN);
    putc('\n', output->stream);
}

static void print_trace(const char *path, struct vbt_output *output) {
    struct vbt_trace trace;
    struct vbt_query query = {.trace = path, .format = VBT_TEXT};
    if (!vbt_trace_load(&trace, &query, false))
        return;
    vbt_trace_attribute(&trace);
    vbt_program_print(&trace.model, output);
    putc('\n', output->stream);
    struct vbt_lines lines, outside;
    vbt_lines_build(&lines, &trace.model, trace.places, trace.attribution.user, trace.counts, true);
    vbt_lines_build_outside(&outside, &trace.model, trace.places, trace.attribution.user, trace.attribution.leaf, trace.counts);
    vbt_lines_sort(&lines, "bytes");
    vbt_lines_sort(&outside, "bytes");
    vbt_largest_print(&trace, &query, &lines, &outside, output);
    vbt_lines_free(&lines);
    vbt_lines_free(&outside);
    vbt_trace_free(&trace);
}

/* Says which patterns of lines to count matched nothing. What matched nothing in one process may
 * have matched in another. */
static void print_uncounted(const struct process *processes, size_t count, const struct process *shown, FILE *out) {
    for (size_t i = 0; i < count; i++)
        if (&processes[i] != shown && (processes[i].any_line || processes[i].uncounted == NULL))
            return;
    if (shown->uncounted != NULL)
        fprintf(out, "\nvbtrace: %s\n", shown->uncounted);
}

/* Says why there is nothing to show. */
static void print_nothing(const char *program, int status, size_t running, FILE *out) {
    fprintf(out, "vbtrace: %s left no trace: ", program);
    if (running > 0)
        fputs("it is still running in the background, and writes its trace there\n", out);
    else if (WIFSIGNALED(status))
        fprintf(out, "signal %d killed it before anything could be written\n", WTERMSIG(status));
    else
        fputs("it ran only a shell and its helpers (--follow all traces those, too), or programs that cannot be "
              "preloaded\n",
              out);
}

void vbt_run_summary_print(const struct vbt_session *session, size_t running, const char *program, int status) {
    struct process *processes = vbt_new(session->count, sizeof *processes);
    size_t count = 0;
    for (size_t i = 0; i < session->count; i++)
        count += read_process(&processes[count], session->traces[i]);
    qsort(processes, count, sizeof *processes, by_allocs);
    struct vbt_output output;
    vbt_output_begin_beside(&output);
    FILE *out = output.stream;
    if (count == 0)
        print_nothing(program, status, running, out);
    if (count > 1) {
        fprintf(out, "%svbtrace: %zu processes left traces%s\n\n", output.bold, count, output.normal);
        print_processes(processes, count, &output);
    }
    if (count > 0) {
        const struct process *shown = main_process(processes, count);
        const char *path = shown->path;
        print_trace(path, &output);
        print_uncounted(processes, count, shown, out);
        char *word = vbt_shell_word(path);
        fprintf(out, "\nvbtrace: next: vbtrace report %s\n", word);
        free(word);
    }
    if (running > 0)
        fprintf(out, "vbtrace: %zu %s still running and write%s to %s\n", running, running == 1 ? "process is" : "processes are",
                running == 1 ? "s" : "", session->folder != NULL ? session->folder : session->output);
    vbt_output_finish(&output);
    for (size_t i = 0; i < count; i++) {
        free(processes[i].command);
        free(processes[i].uncounted);
    }
    free(processes);
}
