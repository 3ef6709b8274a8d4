/* vbtrace symbolize: puts names and source lines into a trace. */
#include "message.h"
#include "options.h"
#include "output.h"
#include "symbolize.h"
#include "trace.h"
#include "trace_file.h"
#include "units.h"

#include "allocate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Copies what is sound, without names that are written anew; they come before the END, or, of a damaged trace, last, so that it is still
 * one that was cut off. */
static void copy(struct vbt_trace_file *file, const struct vbt_model *model, const struct vbt_symbolization *names,
                 struct vbt_trace_writer *writer) {
    struct vbt_chunk chunk;
    struct vbt_chunk_header end = {0};
    uint8_t *end_stored = NULL;
    while (file->offset < model->file_bytes && vbt_trace_next(file, &chunk)) {
        if (end_stored != NULL)
            vbt_trace_writer_copy(writer, &end, end_stored);
        free(end_stored);
        end_stored = NULL;
        if (chunk.header.kind == VBT_CHUNK_END) {
            end = chunk.header;
            end_stored = (uint8_t *)vbt_copy((const char *)chunk.stored, end.stored_size);
        } else if (chunk.header.kind != VBT_CHUNK_FRAMES && chunk.header.kind != VBT_CHUNK_SOURCES) {
            vbt_trace_writer_copy(writer, &chunk.header, chunk.stored);
        }
    }
    if (end_stored != NULL && model->damage != NULL)
        vbt_trace_writer_copy(writer, &end, end_stored);
    vbt_symbolization_write(names, writer);
    if (end_stored != NULL && model->damage == NULL)
        vbt_trace_writer_copy(writer, &end, end_stored);
    free(end_stored);
}

static void warn(const struct vbt_model *model, const struct vbt_symbolization *names) {
    if (model->damage != NULL)
        vbt_warn("%s: damaged at byte %llu: %s; everything before it is kept", model->path,
                 (unsigned long long)model->damage_offset, model->damage);
    else if (!model->ended)
        vbt_warn("%s: cut off at %llu bytes; everything before that is kept", model->path, (unsigned long long)model->file_bytes);
    char *trouble;
    for (size_t i = 0; (trouble = vbt_symbolization_trouble(names, i)) != NULL; i++) {
        vbt_warn("%s", trouble);
        free(trouble);
    }
}

/* The file behind a name: a symbolic link stays one. */
static char *real_path(const char *path) {
    char *real = realpath(path, NULL);
    return real != NULL ? real : vbt_copy(path, strlen(path));
}

static int write_trace(const struct vbt_model *model, const struct vbt_symbolization *names, const char *to) {
    struct vbt_trace_file file;
    struct vbt_trace_writer writer;
    struct stat status;
    char *problem = vbt_trace_open(&file, model->path);
    if (problem == NULL && fstat(fileno(file.stream), &status) != 0)
        problem = vbt_text("cannot be read");
    if (problem != NULL) {
        vbt_fail("%s: %s", model->path, problem);
        free(problem);
        vbt_trace_close(&file);
        return 2;
    }
    char *path = real_path(to);
    vbt_trace_writer_open(&writer, path, status.st_mode, file.header);
    if (writer.error == 0)
        copy(&file, model, names, &writer);
    int error = vbt_trace_writer_finish(&writer);
    free(path);
    vbt_trace_close(&file);
    return error == 0 ? 0 : vbt_fail("%s: cannot be written: %s", to, strerror(error));
}

static int run(const struct vbt_options *options) {
    struct vbt_model model;
    char *problem = vbt_model_load(&model, options->trace, false);
    if (problem != NULL) {
        vbt_fail("%s: %s", options->trace, problem);
        free(problem);
        vbt_model_free(&model);
        return 2;
    }
    const char *to = options->output != NULL ? options->output : options->trace;
    struct vbt_symbolization *names = vbt_symbolization_new(&model);
    int result = write_trace(&model, names, to);
    if (result == 0) {
        struct vbt_output output;
        warn(&model, names);
        vbt_output_begin(&output, NULL);
        fprintf(output.stream, "%s: the functions of %s native call sites, %s source lines\n", to,
                vbt_count((int64_t)vbt_symbolization_sites(names)).text, vbt_count((int64_t)vbt_symbolization_lines(names)).text);
        result = vbt_output_finish(&output);
    }
    vbt_symbolization_free(names);
    vbt_model_free(&model);
    return result;
}

const struct vbt_command vbt_command_symbolize = {
    .name = "symbolize",
    .summary = "put names and source lines into a trace, for another machine",
    .help = "Writes the trace anew, with the functions of its native code and the source lines that reports show: then it reads "
            "the same\n"
            "where binaries and sources are others or none. Run it where they are those that ran. Without --output the trace "
            "itself is\n"
            "replaced, in one step. A trace that was symbolized before is left as it is, but for code whose file was missing then.",
    .formats = 1U << VBT_TEXT,
    .output = "replacing TRACE",
    .run = run,
};
