/* The payload of a chunk as it is decoded: what the decode_*.c have in common. Each of them decodes
 * the chunks of one subject.
 *
 * A decoder returns NULL, or what is wrong with the payload, for the caller to free; the model is
 * then unchanged. */
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

/* Reads a count of rows that take at least `least` bytes each. Returns NULL if the payload can hold
 * them and the model, which has `have` of at most `limit` rows, can too. */
char *vbt_get_count(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* Reads the two numbers at the beginning of a definition chunk. */
char *vbt_get_definitions(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit);

/* Reads an id, which must be one of 0 … highest. The first of a column that is not is stored in
 * *foreign, which must be 0 at first. */
uint32_t vbt_get_id(struct vbt_payload *p, uint64_t highest, uint64_t *foreign);

/* Returns NULL if all ids of a column or row were valid, else the message. */
char *vbt_check_ids(struct vbt_payload *p, uint64_t foreign, const char *what);

/* Passes over numbers; sets r->bad as reading them would. */
void vbt_skip_numbers(struct vbt_reader *r, uint64_t count);

/* Reads a line number; 0 for a number that cannot be one. */
int64_t vbt_get_line(struct vbt_payload *p);

#endif
