/* Integers and strings as FORMAT.md defines them, written to and read from a buffer in memory.
 *
 * Neither side allocates or reports errors at once. A writer that would overrun its buffer, and a
 * reader that would overrun its input or meets an overlong varint, sets its error flag and stays
 * within bounds; callers check the flag once, after a series of calls. */
#ifndef VBT_VARINT_H
#define VBT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VBT_VARINT_MAX 10

struct vbt_writer {
    uint8_t *at;
    uint8_t *end;
    bool overrun;
};

struct vbt_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static inline uint64_t vbt_zigzag(int64_t n) { return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63); }

static inline int64_t vbt_unzigzag(uint64_t n) { return (int64_t)(n >> 1) ^ -(int64_t)(n & 1); }

static inline void vbt_put_varint(struct vbt_writer *w, uint64_t n) {
    if (w->end - w->at < VBT_VARINT_MAX) {
        w->overrun = true;
        return;
    }
    while (n >= 0x80) {
        *w->at++ = (uint8_t)(n | 0x80);
        n >>= 7;
    }
    *w->at++ = (uint8_t)n;
}

static inline void vbt_put_zigzag(struct vbt_writer *w, int64_t n) { vbt_put_varint(w, vbt_zigzag(n)); }

static inline void vbt_put_bytes(struct vbt_writer *w, const void *bytes, size_t size) {
    if ((size_t)(w->end - w->at) < size) {
        w->overrun = true;
        return;
    }
    memcpy(w->at, bytes, size);
    w->at += size;
}

static inline void vbt_put_string(struct vbt_writer *w, const char *bytes, size_t size) {
    vbt_put_varint(w, size);
    vbt_put_bytes(w, bytes, size);
}

static inline void vbt_put_u64(struct vbt_writer *w, uint64_t n) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(n >> (8 * i));
    vbt_put_bytes(w, bytes, sizeof bytes);
}

static inline void vbt_put_f64(struct vbt_writer *w, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    vbt_put_u64(w, bits);
}

static inline uint64_t vbt_get_varint(struct vbt_reader *r) {
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 70 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        if (shift == 63 && byte > 1)
            break;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return n;
    }
    r->bad = true;
    r->at = r->end;
    return 0;
}

static inline int64_t vbt_get_zigzag(struct vbt_reader *r) { return vbt_unzigzag(vbt_get_varint(r)); }

/* Points into the input. For an empty string *size is 0, and the result is not NULL. */
static inline const char *vbt_get_string(struct vbt_reader *r, size_t *size) {
    uint64_t n = vbt_get_varint(r);
    if (n > (uint64_t)(r->end - r->at)) {
        r->bad = true;
        r->at = r->end;
        n = 0;
    }
    const char *bytes = (const char *)r->at;
    r->at += n;
    *size = (size_t)n;
    return bytes;
}

static inline uint64_t vbt_get_u64(struct vbt_reader *r) {
    if (r->end - r->at < 8) {
        r->bad = true;
        r->at = r->end;
        return 0;
    }
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)*r->at++ << (8 * i);
    return n;
}

static inline double vbt_get_f64(struct vbt_reader *r) {
    uint64_t bits = vbt_get_u64(r);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#endif
