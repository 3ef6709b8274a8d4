/* See symbolize_file.h. */
#include "symbolize_file.h"

#include "symbolize.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/message.h"
#include "analyzer/trace/load.h"
#include "analyzer/trace/trace_file.h"
#include "preload/shared/destination.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Copies the valid chunks, without the names, which are rewritten. These go before the END chunk;
 * if the trace is damaged they go last, so that it remains one that was cut off. */
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

/* Says what could not be done. Returns the exit status: a trace that merely has no end is all there
 * is to symbolize. */
static int warn(const struct vbt_model *model, const struct vbt_symbolization *names) {
    int status = model->damage != NULL ? 2 : 0;
    if (model->damage != NULL)
        vbt_warn("%s: damaged at byte %llu: %s; everything before it is kept", model->path,
                 (unsigned long long)model->damage_offset, model->damage);
    else if (!model->ended)
        vbt_warn("%s: cut off at %llu bytes, or still being written; everything before that is kept", model->path,
                 (unsigned long long)model->file_bytes);
    char *trouble;
    for (size_t i = 0; (trouble = vbt_symbolization_trouble(names, i)) != NULL; i++) {
        vbt_warn("%s", trouble);
        free(trouble);
        status = 2;
    }
    return status;
}

/* The real path of a file, even one that does not exist yet; symbolic links are followed, so that
 * they stay links. */
static char *real_path(const char *path) {
    struct stat status;
    char *real = realpath(path, NULL);
    if (real != NULL)
        return real;
    if (stat(path, &status) == 0) /* a pipe behind /dev/stdout has no real path */
        return vbt_copy(path, strlen(path));
    size_t size = strlen(path) + PATH_MAX;
    char *followed = strcpy(vbt_new(size, 1), path);
    vbt_destination_follow(followed, (int)size);
    return followed;
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
    return error == 0 ? 0 : vbt_fail("%s: cannot be written: %s", to, vbt_destination_error(error));
}

int vbt_symbolize_file(const char *trace, const char *to, bool warnings, struct vbt_binaries *binaries,
                       struct vbt_progress *progress, struct vbt_symbolized_file *result) {
    struct stat status_of_trace;
    if (stat(trace, &status_of_trace) == 0 && !S_ISREG(status_of_trace.st_mode) && !S_ISDIR(status_of_trace.st_mode))
        return vbt_fail("%s: expected a regular file, which can be read twice; copy it to one first", trace);
    struct vbt_model model;
    char *problem = vbt_model_load(&model, trace, false);
    if (problem != NULL) {
        vbt_fail("%s: %s", trace, problem);
        free(problem);
        vbt_model_free(&model);
        return 2;
    }
    struct vbt_symbolization *names = vbt_symbolization_new(&model, binaries, progress);
    if (progress != NULL)
        vbt_progress_end(progress);
    int status = write_trace(&model, names, to);
    bool written = status == 0;
    if (status == 0 && warnings)
        status = warn(&model, names);
    *result = (struct vbt_symbolized_file){written, vbt_symbolization_sites(names), vbt_symbolization_lines(names)};
    vbt_symbolization_free(names);
    vbt_model_free(&model);
    return status;
}
