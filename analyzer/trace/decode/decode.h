/* Decodes the payloads of chunks into the model. */
#ifndef VBT_DECODE_H
#define VBT_DECODE_H

#include "analyzer/trace/model.h"
#include "analyzer/trace/trace_file.h"

/* Adds one chunk to the model. Returns NULL, or what is wrong with the payload, for the caller to
 * free; the model is then unchanged. Takes time and memory in proportion to the payload's size,
 * whatever numbers are in it. */
char *vbt_decode(struct vbt_model *model, const struct vbt_chunk *chunk);

/* Before the first chunk: creates the rows of id 0. */
void vbt_decode_begin(struct vbt_model *model);

/* After the last chunk: settles what can only be known then, and sorts intervals, keeping the
 * newest row of each. */
void vbt_decode_finish(struct vbt_model *model);

#endif
