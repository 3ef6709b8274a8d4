/* Finds the description of a function in .eh_frame and makes a rule of it: see native_cfi.h. */
#include "native_cfi.h"

#include "native_bytes.h"
#include "native_cfi_row.h"

#include <string.h>

const struct vbt_cfi_machine vbt_cfi_x86_64 = {.sp = 7, .fp = 6, .ra = 16, .pushes_ra = true};
const struct vbt_cfi_machine vbt_cfi_aarch64 = {.sp = 31, .fp = 29, .ra = 30};

/* A record of .eh_frame after its length; *id: the address of its second word, an offset. Bad at
 * the section's end. */
static struct vbt_bytes take_record(const struct vbt_cfi_section *section, uintptr_t at, uintptr_t *id) {
    if (at < section->start || at >= section->end)
        return (struct vbt_bytes){.bad = true};
    struct vbt_bytes bytes = {(const uint8_t *)at, (const uint8_t *)section->end, false};
    uint64_t size = vbt_take_number(&bytes, 4);
    if (size == 0xffffffff)
        size = vbt_take_number(&bytes, 8);
    struct vbt_bytes record = vbt_take_part(&bytes, size);
    record.bad |= size == 0;
    *id = (uintptr_t)record.at;
    return record;
}

/* The record (FDE) of the function that begins last before pc, by the sorted table of
 * .eh_frame_hdr. */
static struct vbt_bytes find_function(const struct vbt_cfi_section *section, uintptr_t pc, uintptr_t *id) {
    static const uint8_t pairs_of_int32 = DW_EH_PE_datarel | DW_EH_PE_sdata4;
    uintptr_t base = (uintptr_t)section->header;
    struct vbt_bytes none = {.bad = true};
    if (base < section->start || base >= section->end)
        return none;
    struct vbt_bytes header = {section->header, (const uint8_t *)section->end, false};
    const uint8_t *bytes = vbt_take(&header, 4);
    if (bytes == NULL || bytes[0] != 1 || bytes[1] == DW_EH_PE_omit || bytes[2] == DW_EH_PE_omit || bytes[3] != pairs_of_int32)
        return none;
    vbt_take_pointer(&header, bytes[1], base);
    uint64_t count = vbt_take_pointer(&header, bytes[2], base);
    if (header.bad || count == 0 || count > (uint64_t)(header.end - header.at) / 8)
        return none;
    const uint8_t *table = header.at;
    uint64_t low = 0;
    for (uint64_t high = count; high - low > 1;) {
        uint64_t middle = (low + high) / 2;
        int32_t start;
        memcpy(&start, table + 8 * middle, sizeof start);
        if (base + (uintptr_t)(intptr_t)start <= pc)
            low = middle;
        else
            high = middle;
    }
    int32_t record;
    memcpy(&record, table + 8 * low + 4, sizeof record);
    return take_record(section, base + (uintptr_t)(intptr_t)record, id);
}

/* augmentation: the letters that say what `data` holds. */
static void read_augmentation(struct vbt_cie *cie, const char *augmentation, struct vbt_bytes *data) {
    for (; *augmentation != '\0'; augmentation++) {
        switch (*augmentation) {
        case 'R':
            cie->pointers = (uint8_t)vbt_take_number(data, 1);
            break;
        case 'P':
            vbt_take_pointer(data, vbt_take_number(data, 1) & VBT_PE_FORMAT, 0);
            break;
        case 'L':
            vbt_take_number(data, 1);
            break;
        case 'S':
            cie->is_signal = true;
            break;
        case 'B': /* return addresses are signed with key B */
        case 'G': /* tagged stack memory */
            break;
        default:
            cie->is_strange = true;
        }
    }
}

/* The instructions of a CIE that makes no sense are bad. */
static struct vbt_cie read_cie(const struct vbt_cfi_section *section, uintptr_t at, const struct vbt_cfi_machine *machine) {
    struct vbt_cie cie = {0};
    uintptr_t id;
    struct vbt_bytes bytes = take_record(section, at, &id);
    bool is_cie = vbt_take_number(&bytes, 4) == 0;
    uint64_t version = vbt_take_number(&bytes, 1);
    const char *augmentation = (const char *)bytes.at;
    while (vbt_take_number(&bytes, 1) != 0)
        ;
    if (version == 4 && vbt_take_number(&bytes, 2) != 8) /* bytes in an address, none in a segment */
        cie.is_strange = true;
    cie.code_factor = vbt_take_unsigned(&bytes);
    cie.data_factor = vbt_take_signed(&bytes);
    uint64_t ra = version == 1 ? vbt_take_number(&bytes, 1) : vbt_take_unsigned(&bytes);
    bytes.bad |= !is_cie || (version != 1 && version != 3 && version != 4);
    cie.instructions = bytes;
    if (bytes.bad)
        return cie;
    cie.is_strange |= ra != machine->ra;
    cie.is_augmented = augmentation[0] == 'z';
    if (!cie.is_augmented) {
        cie.is_strange |= augmentation[0] != '\0';
        return cie;
    }
    uint64_t size = vbt_take_unsigned(&bytes);
    struct vbt_bytes data = vbt_take_part(&bytes, size);
    read_augmentation(&cie, augmentation + 1, &data);
    bytes.bad |= data.bad;
    cie.instructions = bytes;
    return cie;
}

enum { WORD = 8 };

static const struct vbt_rule ask = {.kind = VBT_RULE_ASK};

static bool choose_cfa(const struct vbt_cfi_machine *machine, const struct vbt_cfi_row *row, uintptr_t pc, struct vbt_rule *rule) {
    struct vbt_cfi_value cfa = {VBT_CFI_NUMBER, false, row->cfa_offset};
    if (row->cfa_expression.at != NULL) {
        if (!vbt_cfi_evaluate(machine, row->cfa_expression, pc, &cfa))
            return false;
    } else if (row->cfa_register == machine->sp || row->cfa_register == machine->fp) {
        cfa.base = row->cfa_register == machine->sp ? VBT_CFI_SP : VBT_CFI_FP;
    }
    if (cfa.base == VBT_CFI_NUMBER || (cfa.base == VBT_CFI_SP && cfa.loaded) || cfa.number < INT32_MIN || cfa.number > INT32_MAX ||
        cfa.number % WORD != 0)
        return false;
    rule->kind = cfa.base == VBT_CFI_SP ? VBT_RULE_SP : cfa.loaded ? VBT_RULE_FP_LOAD : VBT_RULE_FP;
    rule->cfa = (int32_t)cfa.number;
    return true;
}

/* Saved words lie above the register that the CFA is counted from. */
static bool in_frame(const struct vbt_rule *rule, int64_t offset) {
    return offset < 0 && offset % WORD == 0 && offset >= INT16_MIN && (rule->kind == VBT_RULE_FP_LOAD || rule->cfa + offset >= 0);
}

static bool choose_fp(const struct vbt_cfi_machine *machine, const struct vbt_cfi_row *row, uintptr_t pc, struct vbt_rule *rule) {
    const struct vbt_cfi_saved *fp = &row->fp;
    struct vbt_cfi_value value;
    switch (fp->how) {
    case VBT_CFI_KEPT:
    case VBT_CFI_UNDEFINED:
        rule->fp = VBT_FP_KEPT;
        return true;
    case VBT_CFI_IN_FRAME:
        rule->fp = (int16_t)fp->offset;
        if (in_frame(rule, fp->offset))
            return true;
        if (!machine->pushes_ra || rule->kind != VBT_RULE_SP || fp->offset % WORD != 0 || fp->offset >= 0 ||
            fp->offset < INT16_MIN || rule->cfa + fp->offset < -VBT_RED_ZONE)
            return false;
        rule->kind = VBT_RULE_LEAF;
        return true;
    case VBT_CFI_BY_EXPRESSION:
        rule->fp = VBT_FP_AT_FP;
        return vbt_cfi_evaluate(machine, fp->expression, pc, &value) && value.base == VBT_CFI_FP && !value.loaded &&
               value.number == 0;
    default:
        return false;
    }
}

static bool choose_ra(const struct vbt_cfi_machine *machine, const struct vbt_cfi_row *row, struct vbt_rule *rule) {
    const struct vbt_cfi_saved *ra = &row->ra;
    if (machine->pushes_ra)
        return ra->how == VBT_CFI_IN_FRAME && ra->offset == -WORD && in_frame(rule, ra->offset);
    if (ra->how == VBT_CFI_KEPT) {
        bool is_leaf = rule->kind == VBT_RULE_SP && rule->cfa >= 0;
        rule->kind = VBT_RULE_LEAF;
        return is_leaf;
    }
    if (ra->how != VBT_CFI_IN_FRAME || !in_frame(rule, ra->offset))
        return false;
    int64_t words = (ra->offset - (rule->fp < 0 ? rule->fp : 0)) / WORD;
    rule->ra = (int8_t)words;
    return words >= INT8_MIN && words <= INT8_MAX;
}

struct vbt_rule vbt_cfi_rule(const struct vbt_cfi_machine *machine, const struct vbt_cfi_section *section, uintptr_t pc) {
    const struct vbt_rule none = {.kind = VBT_RULE_NO_CFI};
    uintptr_t id;
    struct vbt_bytes function = find_function(section, pc, &id);
    uint64_t back = vbt_take_number(&function, 4);
    if (function.bad || back == 0)
        return none;
    struct vbt_cie cie = read_cie(section, id - back, machine);
    if (cie.instructions.bad)
        return none;
    uintptr_t start = vbt_take_pointer(&function, cie.pointers, 0);
    uint64_t size = vbt_take_pointer(&function, cie.pointers & VBT_PE_FORMAT, 0);
    if (function.bad || pc - start >= size)
        return none;
    if (cie.is_augmented)
        vbt_take_part(&function, vbt_take_unsigned(&function));
    if (cie.is_strange)
        return ask;
    if (cie.is_signal)
        return (struct vbt_rule){.kind = VBT_RULE_SIGNAL};
    struct vbt_cfi_row row;
    if (!vbt_cfi_row_at(machine, &cie, function, start, pc, &row))
        return none;
    if (row.ra.how == VBT_CFI_UNDEFINED)
        return (struct vbt_rule){.kind = VBT_RULE_END};
    struct vbt_rule rule = {.ra = -1};
    bool fits = row.sp.how == VBT_CFI_KEPT && choose_cfa(machine, &row, pc, &rule) && choose_fp(machine, &row, pc, &rule) &&
                choose_ra(machine, &row, &rule);
    return fits ? rule : ask;
}
