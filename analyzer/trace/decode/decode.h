/* From the payload of a chunk into the model. */
#ifndef VBT_DECODE_H
#define VBT_DECODE_H

#include "analyzer/trace/model.h"
#include "analyzer/trace/trace_file.h"

/* Adds one chunk to the model. NULL, or what is wrong with the payload, for the caller to free; the model is then as it was before.
 * Takes time and memory in proportion to the payload, whatever numbers stand in it. */
char *vbt_decode(struct vbt_model *model, const struct vbt_chunk *chunk);

/* Gives the definitions the rows that id 0 names: before the first chunk. */
void vbt_decode_begin(struct vbt_model *model);

/* Puts intervals in order and leaves only their newest rows: after the last chunk. */
void vbt_decode_finish(struct vbt_model *model);

#endif
