/* Bytes that are read from front to back, in the encodings of .eh_frame. Nothing outside of them is
 * read, whatever they hold: past their end everything is 0, and `bad` stays set. */
#ifndef VBT_NATIVE_BYTES_H
#define VBT_NATIVE_BYTES_H

#include "preload/base/sys.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct vbt_bytes {
    const uint8_t *at, *end;
    bool bad;
};

/* Takes so many bytes; NULL if there are fewer. */
VBT_INLINE const uint8_t *vbt_take(struct vbt_bytes *bytes, uint64_t size) {
    if (bytes->bad || size > (uint64_t)(bytes->end - bytes->at)) {
        bytes->bad = true;
        return NULL;
    }
    const uint8_t *taken = bytes->at;
    bytes->at += size;
    return taken;
}

/* An unsigned number of so many bytes, 8 at most. */
VBT_INLINE uint64_t vbt_take_number(struct vbt_bytes *bytes, unsigned size) {
    uint64_t value = 0;
    const uint8_t *taken = vbt_take(bytes, size);
    if (taken != NULL)
        memcpy(&value, taken, size); /* little-endian, as both processors are */
    return value;
}

/* Numbers in LEB128: seven bits a byte, lowest first. */
uint64_t vbt_take_leb128(struct vbt_bytes *bytes, bool is_signed);
VBT_INLINE uint64_t vbt_take_unsigned(struct vbt_bytes *bytes) {
    if (VBT_LIKELY(!bytes->bad && bytes->at < bytes->end && *bytes->at < 0x80))
        return *bytes->at++; /* nearly all are that short */
    return vbt_take_leb128(bytes, false);
}
VBT_INLINE int64_t vbt_take_signed(struct vbt_bytes *bytes) { return (int64_t)vbt_take_leb128(bytes, true); }

/* The part that a length in front of it announces. */
struct vbt_bytes vbt_take_part(struct vbt_bytes *bytes, uint64_t size);

/* How a pointer is encoded: the low half is its format, the high one what it is relative to. */
enum {
    DW_EH_PE_absptr = 0x00,
    DW_EH_PE_uleb128 = 0x01,
    DW_EH_PE_udata2 = 0x02,
    DW_EH_PE_udata4 = 0x03,
    DW_EH_PE_udata8 = 0x04,
    DW_EH_PE_sleb128 = 0x09,
    DW_EH_PE_sdata2 = 0x0a,
    DW_EH_PE_sdata4 = 0x0b,
    DW_EH_PE_sdata8 = 0x0c,
    DW_EH_PE_pcrel = 0x10,
    DW_EH_PE_datarel = 0x30,
    DW_EH_PE_indirect = 0x80,
    DW_EH_PE_omit = 0xff,
};
enum { VBT_PE_FORMAT = 0x0f, VBT_PE_RELATIVE = 0x70 };

/* data: what DW_EH_PE_datarel is relative to. Bad for encodings that are not used for code. */
uint64_t vbt_take_pointer(struct vbt_bytes *bytes, uint8_t encoding, uintptr_t data);

static inline int64_t vbt_sign_extend(uint64_t value, unsigned bits) { return (int64_t)(value << (64 - bits)) >> (64 - bits); }

#endif
