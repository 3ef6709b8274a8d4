/* See decode_payload.h. */
#include "decode_payload.h"

#include "analyzer/base/allocate.h"

#include <inttypes.h>

char *vbt_payload_too_short(const struct vbt_payload *p) {
    return vbt_text("%s ends too early, or holds a malformed number", p->chunk);
}

char *vbt_get_count(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit) {
    *count = vbt_get_varint(&p->r);
    if (p->r.bad)
        return vbt_payload_too_short(p);
    uint64_t room = (uint64_t)(p->r.end - p->r.at) / least;
    if (*count > room)
        return vbt_text("%s claims %" PRIu64 " rows, has room for %" PRIu64, p->chunk, *count, room);
    if (*count > limit - have)
        return vbt_text("%s: more than %" PRIu64 " rows in all, which no trace has", p->chunk, limit);
    return NULL;
}

char *vbt_get_definitions(struct vbt_payload *p, uint64_t *count, size_t least, uint64_t have, uint64_t limit) {
    uint64_t first = vbt_get_varint(&p->r);
    char *wrong = vbt_get_count(p, count, least, have, limit);
    if (wrong == NULL && first != have + 1)
        wrong = vbt_text("%s starts with id %" PRIu64 ", expected %" PRIu64, p->chunk, first, have + 1);
    return wrong;
}

uint32_t vbt_get_id(struct vbt_payload *p, uint64_t highest, uint64_t *foreign) {
    uint64_t id = vbt_get_varint(&p->r);
    if (id > highest && *foreign == 0)
        *foreign = id;
    return id <= highest ? (uint32_t)id : 0;
}

char *vbt_check_ids(struct vbt_payload *p, uint64_t foreign, const char *what) {
    if (p->r.bad)
        return vbt_payload_too_short(p);
    if (foreign != 0)
        return vbt_text("%s refers to %s %" PRIu64 ", which is not defined before it", p->chunk, what, foreign);
    return NULL;
}

/* Most numbers are of one byte: eight of them at a time. */
void vbt_skip_numbers(struct vbt_reader *r, uint64_t count) {
    static const uint64_t more = UINT64_C(0x8080808080808080);
    while (count > 0 && !r->bad) {
        uint64_t bytes = more;
        if (count >= sizeof bytes && (size_t)(r->end - r->at) >= sizeof bytes)
            memcpy(&bytes, r->at, sizeof bytes);
        if ((bytes & more) == 0) {
            r->at += sizeof bytes;
            count -= sizeof bytes;
        } else {
            vbt_get_varint(r);
            count--;
        }
    }
}

int64_t vbt_get_line(struct vbt_payload *p) {
    uint64_t line = vbt_get_varint(&p->r);
    return line <= INT32_MAX ? (int64_t)line : 0;
}
