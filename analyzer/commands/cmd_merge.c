/* vbtrace merge: several traces become one file. */
#include "commands.h"
#include "analyzer/analysis/symbolize/symbolize_file.h"
#include "analyzer/analysis/trace.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/base/output.h"
#include "analyzer/base/units.h"
#include "analyzer/merge/load_several.h"
#include "analyzer/merge/write_merged.h"
#include "preload/shared/destination.h"

#include <stdlib.h>
#include <sys/stat.h>

static bool wants_all(void *context, const struct vbt_model *process) {
    (void)context;
    (void)process;
    return true;
}

static bool is_input(const struct vbt_inputs *inputs, const char *path) {
    struct stat file, other;
    if (stat(path, &file) != 0)
        return false;
    for (size_t i = 0; i < inputs->count; i++)
        if (stat(inputs->files[i].path, &other) == 0 && file.st_dev == other.st_dev && file.st_ino == other.st_ino)
            return true;
    return false;
}

/* Where only some traces had names, the other names are looked up, as for any trace. */
static int name_the_rest(const char *path) {
    struct vbt_binaries *binaries = vbt_binaries_new();
    struct vbt_symbolized_file done;
    int status = vbt_symbolize_file(path, path, false, binaries, NULL, &done);
    vbt_binaries_free(binaries);
    return status;
}

static int write_sum(const struct vbt_model *sum, const char *path) {
    if (sum->process_rows > VBT_MAX_PROCESSES)
        return vbt_fail("merge: expected at most %u processes, found %zu", VBT_MAX_PROCESSES, sum->process_rows);
    int error = vbt_merged_write(sum, path);
    if (error != 0)
        return vbt_fail("%s: cannot be written: %s", path, vbt_destination_error(error));
    for (size_t i = 0; i < sum->process_rows; i++) {
        char *damage = vbt_trace_damage(&sum->processes[i]);
        if (damage != NULL)
            vbt_warn("%s: %s", sum->processes[i].path, damage);
        free(damage);
    }
    return !sum->symbolized && sum->named_frame_count > 0 ? name_the_rest(path) : 0;
}

int vbt_cmd_merge(const struct vbt_query *query) {
    struct vbt_inputs inputs;
    const struct vbt_several how = {.with_sizes = true, .by_process = true, .always = true, .wants = wants_all};
    if (query->output == NULL)
        return vbt_fail("merge: expected -o FILE, which the merged trace is written to");
    char *problem = vbt_inputs_find(&inputs, query->traces, query->trace_count);
    if (problem == NULL && is_input(&inputs, query->output))
        problem = vbt_text("%s: is one of the traces; choose another name for --output", query->output);
    int status = problem != NULL ? vbt_fail("%s", problem) : 0;
    free(problem);
    if (status == 0) {
        struct vbt_model sum;
        bool none;
        status = vbt_load_several(&sum, &inputs, &how, &none) ? write_sum(&sum, query->output) : 2;
        vbt_model_free(&sum);
    }
    vbt_inputs_free(&inputs);
    return status;
}
