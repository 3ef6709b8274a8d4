/* See native_bytes.h. */
#include "native_bytes.h"

uint64_t vbt_take_leb128(struct vbt_bytes *bytes, bool is_signed) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = vbt_take_number(bytes, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        return is_signed && shift + 7 < 64 ? (uint64_t)vbt_sign_extend(value, shift + 7) : value;
    }
}

struct vbt_bytes vbt_take_part(struct vbt_bytes *bytes, uint64_t size) {
    const uint8_t *taken = vbt_take(bytes, size);
    return taken != NULL ? (struct vbt_bytes){taken, taken + size, false} : (struct vbt_bytes){.bad = true};
}

static uint64_t take_by_format(struct vbt_bytes *bytes, uint8_t format) {
    switch (format) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8:
        return vbt_take_number(bytes, 8);
    case DW_EH_PE_uleb128:
        return vbt_take_unsigned(bytes);
    case DW_EH_PE_udata2:
        return vbt_take_number(bytes, 2);
    case DW_EH_PE_udata4:
        return vbt_take_number(bytes, 4);
    case DW_EH_PE_sleb128:
        return (uint64_t)vbt_take_signed(bytes);
    case DW_EH_PE_sdata2:
        return (uint64_t)vbt_sign_extend(vbt_take_number(bytes, 2), 16);
    case DW_EH_PE_sdata4:
        return (uint64_t)vbt_sign_extend(vbt_take_number(bytes, 4), 32);
    default:
        bytes->bad = true;
        return 0;
    }
}

uint64_t vbt_take_pointer(struct vbt_bytes *bytes, uint8_t encoding, uintptr_t data) {
    uintptr_t place = (uintptr_t)bytes->at;
    uint64_t value = take_by_format(bytes, encoding & VBT_PE_FORMAT);
    switch (encoding & (VBT_PE_RELATIVE | DW_EH_PE_indirect)) {
    case 0:
        return value;
    case DW_EH_PE_pcrel:
        return value + place;
    case DW_EH_PE_datarel:
        return value + data;
    default:
        bytes->bad = true;
        return 0;
    }
}
