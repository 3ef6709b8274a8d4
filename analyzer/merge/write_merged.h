/* Writes the sum of traces to a file: the same bytes for the same sum. */
#ifndef VBT_WRITE_MERGED_H
#define VBT_WRITE_MERGED_H

#include "analyzer/trace/model.h"
#include "analyzer/trace/trace_writer.h"

/* Returns 0, or the error as vbt_trace_writer_finish does. The model was merged with what each
 * process counted, and with histograms. */
int vbt_merged_write(const struct vbt_model *model, const char *path);

/* For write_merged.c: modules, strings, codes, sites, nodes; names of native code and source
 * lines. */
void vbt_merged_write_definitions(struct vbt_trace_writer *writer, const struct vbt_model *model);
void vbt_merged_write_names(struct vbt_trace_writer *writer, const struct vbt_model *model);

/* How many rows of up to so many bytes go into a chunk: those from `at` on, of `count`. */
static inline size_t vbt_merged_rows(size_t at, size_t count, size_t bytes) {
    size_t most = (VBT_CHUNK_RAW_MAX - 64) / bytes;
    return count - at < most ? count - at : most;
}

#endif
