/* Collects names and source lines where the binaries and sources are, and writes them to a trace
 * after what it already holds. */
#ifndef VBT_SYMBOLIZE_H
#define VBT_SYMBOLIZE_H

#include "analyzer/base/progress.h"
#include "analyzer/symbols/native/binaries.h"
#include "analyzer/trace/model.h"
#include "analyzer/trace/trace_writer.h"

struct vbt_symbolization;

/* Looks up every native site and every source line that a report may show. What the trace already
 * has is kept; only code whose file was gone or replaced is looked up again, and removed from the
 * model first. The model must live longer. binaries: see vbt_symbols_new. progress may be NULL. */
struct vbt_symbolization *vbt_symbolization_new(struct vbt_model *model, struct vbt_binaries *binaries,
                                                struct vbt_progress *progress);
void vbt_symbolization_free(struct vbt_symbolization *symbolization);

/* Writes the chunks. */
void vbt_symbolization_write(const struct vbt_symbolization *symbolization, struct vbt_trace_writer *writer);

/* How many native sites have names, and how many source lines are stored. */
size_t vbt_symbolization_sites(const struct vbt_symbolization *symbolization);
size_t vbt_symbolization_lines(const struct vbt_symbolization *symbolization);

/* See vbt_symbols_trouble. */
char *vbt_symbolization_trouble(const struct vbt_symbolization *symbolization, size_t number);

#endif
