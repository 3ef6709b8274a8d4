/* The payload of a chunk on its way into the model: what the decode_*.c, each of which knows the chunks
 * of one subject, have in common.
 *
 * A decoder returns NULL, or what is wrong with the payload, for the caller to free; the model is then as it was before. */
#ifndef VBT_DECODE_PAYLOAD_H
#define VBT_DECODE_PAYLOAD_H

#include "analyzer/trace/model.h"
#include "format/varint.h"

struct vbt_payload {
    struct vbt_model *model;
    struct vbt_reader r;
    const char *chunk; /* its name, for messages */
};

char *vbt_payload_too_short(const struct vbt_payload *p);

/* A count of rows that take at least `least` bytes each: NULL if the payload has room for them, and the model for `limit` less the
 * `have` that it has. */
char *vbt_get_count(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* The two numbers a definition chunk begins with. */
char *vbt_get_definitions(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* An id that must be one of 0 … highest; of a column's ids that are not, the first goes into *foreign, which starts as 0. */
uint32_t vbt_get_id(struct vbt_payload *p, uint64_t highest, uint64_t *foreign);

/* What became of a column or row of ids. */
char *vbt_check_ids(struct vbt_payload *p, uint64_t foreign, const char *what);

/* A line number; 0 for what cannot be one. */
int64_t vbt_get_line(struct vbt_payload *p);

#endif
