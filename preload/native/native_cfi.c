/* See native_cfi.h. */
#include "native_cfi.h"

#include <string.h>

const struct vbt_cfi_machine vbt_cfi_x86_64 = {.sp = 7, .fp = 6, .ra = 16, .pushes_ra = true};
const struct vbt_cfi_machine vbt_cfi_aarch64 = {.sp = 31, .fp = 29, .ra = 30};

/* A stretch of bytes that is read from front to back. Past its end everything is 0, and `bad` stays set. */
struct span {
    const uint8_t *at, *end;
    bool bad;
};

static const uint8_t *take(struct span *span, uint64_t size) {
    if (span->bad || size > (uint64_t)(span->end - span->at)) {
        span->bad = true;
        return NULL;
    }
    const uint8_t *bytes = span->at;
    span->at += size;
    return bytes;
}

static uint64_t take_number(struct span *span, unsigned size) {
    uint64_t value = 0;
    const uint8_t *bytes = take(span, size);
    if (bytes != NULL)
        memcpy(&value, bytes, size); /* little-endian, as both processors are */
    return value;
}

static int64_t sign_extend(uint64_t value, unsigned bits) { return (int64_t)(value << (64 - bits)) >> (64 - bits); }

static uint64_t take_leb128(struct span *span, bool is_signed) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint64_t byte = take_number(span, 1);
        if (shift < 64)
            value |= (byte & 0x7f) << shift;
        if (byte & 0x80)
            continue;
        return is_signed && shift + 7 < 64 ? (uint64_t)sign_extend(value, shift + 7) : value;
    }
}

static uint64_t take_unsigned(struct span *span) { return take_leb128(span, false); }
static int64_t take_signed(struct span *span) { return (int64_t)take_leb128(span, true); }

/* The part of a span that a length in front of it announces. */
static struct span take_part(struct span *span, uint64_t size) {
    const uint8_t *bytes = take(span, size);
    return bytes != NULL ? (struct span){bytes, bytes + size, false} : (struct span){.bad = true};
}

/* DW_EH_PE_...: how a pointer is written. The low half is its format, the high one what it is relative to. */
enum { PE_FORMAT = 0x0f, PE_RELATIVE = 0x70, PE_PC = 0x10, PE_DATA = 0x30, PE_INDIRECT = 0x80, PE_OMITTED = 0xff };

static uint64_t take_pointer(struct span *span, uint8_t encoding, uintptr_t data) {
    uint64_t value = 0;
    uintptr_t place = (uintptr_t)span->at;
    switch (encoding & PE_FORMAT) {
    case 0x00:
    case 0x04:
    case 0x0c:
        value = take_number(span, 8);
        break;
    case 0x01:
        value = take_unsigned(span);
        break;
    case 0x02:
        value = take_number(span, 2);
        break;
    case 0x03:
        value = take_number(span, 4);
        break;
    case 0x09:
        value = (uint64_t)take_signed(span);
        break;
    case 0x0a:
        value = (uint64_t)sign_extend(take_number(span, 2), 16);
        break;
    case 0x0b:
        value = (uint64_t)sign_extend(take_number(span, 4), 32);
        break;
    default:
        span->bad = true;
    }
    switch (encoding & (PE_RELATIVE | PE_INDIRECT)) {
    case 0:
        return value;
    case PE_PC:
        return value + place;
    case PE_DATA:
        return value + data;
    default: /* kinds that are not used for code */
        span->bad = true;
        return 0;
    }
}

/* A record of .eh_frame behind its length; *id: where its second word, an offset, stands. Bad at the section's end. */
static struct span take_record(const struct vbt_cfi_section *section, uintptr_t at, uintptr_t *id) {
    if (at < section->start || at >= section->end)
        return (struct span){.bad = true};
    struct span span = {(const uint8_t *)at, (const uint8_t *)section->end, false};
    uint64_t size = take_number(&span, 4);
    if (size == 0xffffffff)
        size = take_number(&span, 8);
    struct span record = take_part(&span, size);
    record.bad |= size == 0;
    *id = (uintptr_t)record.at;
    return record;
}

/* The record of the function that begins last before pc, by the sorted table of .eh_frame_hdr. */
static struct span find_function(const struct vbt_cfi_section *section, uintptr_t pc, uintptr_t *id) {
    static const uint8_t pairs_of_int32 = PE_DATA | 0x0b;
    uintptr_t base = (uintptr_t)section->header;
    struct span none = {.bad = true};
    if (base < section->start || base >= section->end)
        return none;
    struct span header = {section->header, (const uint8_t *)section->end, false};
    const uint8_t *bytes = take(&header, 4);
    if (bytes == NULL || bytes[0] != 1 || bytes[1] == PE_OMITTED || bytes[2] == PE_OMITTED || bytes[3] != pairs_of_int32)
        return none;
    take_pointer(&header, bytes[1], base);
    uint64_t count = take_pointer(&header, bytes[2], base);
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

/* What the functions of a compilation have in common. */
struct common {
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t pointers; /* their encoding */
    bool is_augmented, is_signal, is_strange;
    struct span program;
};

static struct common read_common(const struct vbt_cfi_section *section, uintptr_t at, const struct vbt_cfi_machine *machine) {
    struct common common = {0};
    uintptr_t id;
    struct span span = take_record(section, at, &id);
    bool is_common = take_number(&span, 4) == 0;
    uint64_t version = take_number(&span, 1);
    const char *augmentation = (const char *)span.at;
    while (take_number(&span, 1) != 0)
        ;
    if (version == 4 && take_number(&span, 2) != 8) /* bytes in an address, none in a segment */
        common.is_strange = true;
    common.code_factor = take_unsigned(&span);
    common.data_factor = take_signed(&span);
    uint64_t ra = version == 1 ? take_number(&span, 1) : take_unsigned(&span);
    span.bad |= !is_common || (version != 1 && version != 3 && version != 4);
    common.program = span;
    if (span.bad)
        return common;
    common.is_strange |= ra != machine->ra;
    common.is_augmented = augmentation[0] == 'z';
    if (!common.is_augmented) {
        common.is_strange |= augmentation[0] != '\0';
        return common;
    }
    uint64_t size = take_unsigned(&span);
    struct span data = take_part(&span, size);
    for (augmentation++; *augmentation != '\0'; augmentation++) {
        switch (*augmentation) {
        case 'R':
            common.pointers = (uint8_t)take_number(&data, 1);
            break;
        case 'P':
            take_pointer(&data, take_number(&data, 1) & PE_FORMAT, 0);
            break;
        case 'L':
            take_number(&data, 1);
            break;
        case 'S':
            common.is_signal = true;
            break;
        case 'B': /* return addresses are signed with key B */
        case 'G': /* tagged stack memory */
            break;
        default:
            common.is_strange = true;
        }
    }
    span.bad |= data.bad;
    common.program = span;
    return common;
}

/* How one register of the caller is found again. */
struct saved {
    enum { KEPT, IN_FRAME, BY_EXPRESSION, UNDEFINED, ELSEWHERE } how;
    int64_t offset; /* IN_FRAME: from the CFA */
    struct span expression;
};

/* What holds at one instruction. */
struct row {
    uint64_t cfa_register;
    int64_t cfa_offset;
    struct span cfa_expression; /* at: NULL where a register and an offset say it */
    struct saved fp, ra, sp;
};

struct program {
    const struct vbt_cfi_machine *machine;
    const struct common *common;
    const struct row *initial; /* NULL while it is being made */
    struct row row;
    uintptr_t at; /* address that the row begins to hold for */
};

static struct saved *saved_register(struct program *program, uint64_t number) {
    if (number == program->machine->fp)
        return &program->row.fp;
    if (number == program->machine->ra)
        return &program->row.ra;
    return number == program->machine->sp ? &program->row.sp : NULL;
}

static void set(struct program *program, uint64_t number, struct saved saved) {
    struct saved *of = saved_register(program, number);
    if (of != NULL)
        *of = saved;
}

static void restore(struct program *program, uint64_t number) {
    if (program->initial == NULL)
        return;
    struct program initial = {.machine = program->machine, .row = *program->initial};
    struct saved *before = saved_register(&initial, number);
    if (before != NULL)
        set(program, number, *before);
}

/* Offsets are written as multiples of a common factor. */
static int64_t scaled(const struct program *program, uint64_t multiple) {
    return (int64_t)(multiple * (uint64_t)program->common->data_factor);
}

static struct saved in_frame_at(const struct program *program, uint64_t multiple) {
    return (struct saved){.how = IN_FRAME, .offset = scaled(program, multiple)};
}

static void advance(struct program *program, uint64_t by) { program->at += by * program->common->code_factor; }

/* Runs call frame instructions up to the one that begins to hold after pc. False where they make no sense. */
static bool run(struct program *program, struct span code, uintptr_t pc) {
    enum { DEPTH = 8 };
    struct row remembered[DEPTH];
    int depth = 0;
    while (code.at < code.end && program->at <= pc) {
        uint8_t byte = (uint8_t)take_number(&code, 1);
        uint64_t number, value;
        struct row *row = &program->row;
        switch (byte & 0xc0) {
        case 0x40: /* DW_CFA_advance_loc */
            advance(program, byte & 0x3f);
            continue;
        case 0x80: /* DW_CFA_offset */
            set(program, byte & 0x3f, in_frame_at(program, take_unsigned(&code)));
            continue;
        case 0xc0: /* DW_CFA_restore */
            restore(program, byte & 0x3f);
            continue;
        }
        switch (byte) {
        case 0x00: /* DW_CFA_nop */
            break;
        case 0x01: /* DW_CFA_set_loc */
            program->at = take_pointer(&code, program->common->pointers, 0);
            break;
        case 0x02: /* DW_CFA_advance_loc1, 2, 4 */
        case 0x03:
        case 0x04:
            advance(program, take_number(&code, 1U << (byte - 2)));
            break;
        case 0x05: /* DW_CFA_offset_extended, _sf */
        case 0x11:
            number = take_unsigned(&code);
            value = byte == 0x05 ? take_unsigned(&code) : (uint64_t)take_signed(&code);
            set(program, number, in_frame_at(program, value));
            break;
        case 0x06: /* DW_CFA_restore_extended */
            restore(program, take_unsigned(&code));
            break;
        case 0x07: /* DW_CFA_undefined, same_value */
        case 0x08:
            set(program, take_unsigned(&code), (struct saved){.how = byte == 0x07 ? UNDEFINED : KEPT});
            break;
        case 0x09: /* DW_CFA_register, val_offset, val_offset_sf */
        case 0x14:
        case 0x15:
            number = take_unsigned(&code);
            take_unsigned(&code); /* signed or not takes as many bytes */
            set(program, number, (struct saved){.how = ELSEWHERE});
            break;
        case 0x0a: /* DW_CFA_remember_state */
            if (depth == DEPTH)
                return false;
            remembered[depth++] = *row;
            break;
        case 0x0b: /* DW_CFA_restore_state */
            if (depth == 0)
                return false;
            *row = remembered[--depth];
            break;
        case 0x0c: /* DW_CFA_def_cfa, _sf */
        case 0x12:
            row->cfa_expression.at = NULL;
            row->cfa_register = take_unsigned(&code);
            row->cfa_offset = byte == 0x0c ? (int64_t)take_unsigned(&code) : scaled(program, (uint64_t)take_signed(&code));
            break;
        case 0x0d: /* DW_CFA_def_cfa_register */
            row->cfa_register = take_unsigned(&code);
            break;
        case 0x0e: /* DW_CFA_def_cfa_offset, _sf */
            row->cfa_offset = (int64_t)take_unsigned(&code);
            break;
        case 0x13:
            row->cfa_offset = scaled(program, (uint64_t)take_signed(&code));
            break;
        case 0x0f: /* DW_CFA_def_cfa_expression */
            value = take_unsigned(&code);
            row->cfa_expression = take_part(&code, value);
            break;
        case 0x10: /* DW_CFA_expression, val_expression */
        case 0x16:
            number = take_unsigned(&code);
            value = take_unsigned(&code);
            set(program, number, (struct saved){byte == 0x10 ? BY_EXPRESSION : ELSEWHERE, 0, take_part(&code, value)});
            break;
        case 0x2c: /* DW_CFA_AARCH64_negate_ra_state_with_pc, negate_ra_state: whether the return address is signed. The */
        case 0x2d: /* signature is taken off wherever one can be, so that it does not matter. */
            if (program->machine->pushes_ra)
                return false;
            break;
        case 0x2e: /* DW_CFA_GNU_args_size */
            take_unsigned(&code);
            break;
        default:
            return false;
        }
        if (code.bad)
            return false;
    }
    return !code.bad;
}

/* What an expression comes to, without knowing the registers: one of them or none, plus a number; `loaded`: the word there. */
struct sum {
    enum { NUMBER, SP, FP } base;
    bool loaded;
    int64_t number;
};

static bool operate(uint8_t operation, struct sum *left, const struct sum *right) {
    if (operation == 0x22) { /* DW_OP_plus */
        if (left->loaded || right->loaded || (left->base != NUMBER && right->base != NUMBER))
            return false;
        left->base = left->base != NUMBER ? left->base : right->base;
        left->number = (int64_t)((uint64_t)left->number + (uint64_t)right->number);
        return true;
    }
    if (left->loaded || right->loaded || left->base != NUMBER || right->base != NUMBER)
        return false;
    switch (operation) {
    case 0x1a: /* DW_OP_and */
        left->number &= right->number;
        return true;
    case 0x24: /* DW_OP_shl */
        left->number = right->number >= 0 && right->number < 64 ? (int64_t)((uint64_t)left->number << right->number) : 0;
        return true;
    case 0x2a: /* DW_OP_ge */
        left->number = left->number >= right->number;
        return true;
    default:
        return false;
    }
}

/* Evaluates what compilers and linkers write: the frames of realigned stacks, and those of procedure linkage tables, which depend on
 * the address. False for anything else. */
static bool evaluate(const struct vbt_cfi_machine *machine, struct span code, uintptr_t pc, struct sum *result) {
    enum { DEPTH = 8 };
    struct sum stack[DEPTH];
    int depth = 0;
    while (code.at < code.end) {
        uint8_t operation = (uint8_t)take_number(&code, 1);
        struct sum sum = {NUMBER, false, 0};
        if (operation >= 0x70 && operation <= 0x8f) { /* DW_OP_breg0 ... 31 */
            unsigned number = operation - 0x70U;
            sum.number = take_signed(&code);
            if (number == machine->ra && machine->pushes_ra)
                sum.number = (int64_t)((uint64_t)sum.number + pc);
            else if (number == machine->sp || number == machine->fp)
                sum.base = number == machine->sp ? SP : FP;
            else
                return false;
        } else if (operation >= 0x30 && operation <= 0x4f) { /* DW_OP_lit0 ... 31 */
            sum.number = operation - 0x30;
        } else if (operation == 0x08) { /* DW_OP_const1u */
            sum.number = (int64_t)take_number(&code, 1);
        } else if (operation == 0x09) { /* DW_OP_const1s */
            sum.number = sign_extend(take_number(&code, 1), 8);
        } else if (operation == 0x06 || operation == 0x23) { /* DW_OP_deref, plus_uconst */
            if (depth == 0 || stack[depth - 1].loaded)
                return false;
            struct sum *top = &stack[depth - 1];
            if (operation == 0x23)
                top->number = (int64_t)((uint64_t)top->number + take_unsigned(&code));
            else
                top->loaded = true;
            continue;
        } else {
            if (depth < 2 || !operate(operation, &stack[depth - 2], &stack[depth - 1]))
                return false;
            depth--;
            continue;
        }
        if (depth == DEPTH)
            return false;
        stack[depth++] = sum;
    }
    if (depth != 1 || code.bad)
        return false;
    *result = stack[0];
    return true;
}

enum { WORD = 8 };

static const struct vbt_rule ask = {.kind = VBT_RULE_ASK};

static bool choose_cfa(const struct program *program, uintptr_t pc, struct vbt_rule *rule) {
    const struct row *row = &program->row;
    struct sum cfa = {NUMBER, false, row->cfa_offset};
    if (row->cfa_expression.at != NULL) {
        if (!evaluate(program->machine, row->cfa_expression, pc, &cfa))
            return false;
    } else if (row->cfa_register == program->machine->sp || row->cfa_register == program->machine->fp) {
        cfa.base = row->cfa_register == program->machine->sp ? SP : FP;
    }
    if (cfa.base == NUMBER || (cfa.base == SP && cfa.loaded) || cfa.number < INT32_MIN || cfa.number > INT32_MAX ||
        cfa.number % WORD != 0)
        return false;
    rule->kind = cfa.base == SP ? VBT_RULE_SP : cfa.loaded ? VBT_RULE_FP_LOAD : VBT_RULE_FP;
    rule->cfa = (int32_t)cfa.number;
    return true;
}

/* Saved words lie above the register that the CFA is counted from. */
static bool in_frame(const struct vbt_rule *rule, int64_t offset) {
    return offset < 0 && offset % WORD == 0 && offset >= INT16_MIN && (rule->kind == VBT_RULE_FP_LOAD || rule->cfa + offset >= 0);
}

static bool choose_fp(const struct program *program, uintptr_t pc, struct vbt_rule *rule) {
    const struct saved *fp = &program->row.fp;
    struct sum place;
    switch (fp->how) {
    case KEPT:
    case UNDEFINED:
        rule->fp = VBT_FP_KEPT;
        return true;
    case IN_FRAME:
        rule->fp = (int16_t)fp->offset;
        if (in_frame(rule, fp->offset))
            return true;
        if (!program->machine->pushes_ra || rule->kind != VBT_RULE_SP || fp->offset % WORD != 0 || fp->offset >= 0 ||
            fp->offset < INT16_MIN || rule->cfa + fp->offset < -VBT_RED_ZONE)
            return false;
        rule->kind = VBT_RULE_LEAF;
        return true;
    case BY_EXPRESSION:
        rule->fp = VBT_FP_AT_FP;
        return evaluate(program->machine, fp->expression, pc, &place) && place.base == FP && !place.loaded && place.number == 0;
    default:
        return false;
    }
}

static bool choose_ra(const struct program *program, struct vbt_rule *rule) {
    const struct saved *ra = &program->row.ra;
    if (program->machine->pushes_ra)
        return ra->how == IN_FRAME && ra->offset == -WORD && in_frame(rule, ra->offset);
    if (ra->how == KEPT) {
        bool is_leaf = rule->kind == VBT_RULE_SP && rule->cfa >= 0;
        rule->kind = VBT_RULE_LEAF;
        return is_leaf;
    }
    if (ra->how != IN_FRAME || !in_frame(rule, ra->offset))
        return false;
    int64_t words = (ra->offset - (rule->fp < 0 ? rule->fp : 0)) / WORD;
    rule->ra = (int8_t)words;
    return words >= INT8_MIN && words <= INT8_MAX;
}

struct vbt_rule vbt_cfi_rule(const struct vbt_cfi_machine *machine, const struct vbt_cfi_section *section, uintptr_t pc) {
    const struct vbt_rule none = {.kind = VBT_RULE_NO_CFI};
    uintptr_t id;
    struct span function = find_function(section, pc, &id);
    uint64_t back = take_number(&function, 4);
    if (function.bad || back == 0)
        return none;
    struct common common = read_common(section, id - back, machine);
    if (common.program.bad)
        return none;
    uintptr_t start = take_pointer(&function, common.pointers, 0);
    uint64_t size = take_pointer(&function, common.pointers & PE_FORMAT, 0);
    if (function.bad || pc - start >= size)
        return none;
    if (common.is_augmented)
        take_part(&function, take_unsigned(&function));
    if (common.is_strange)
        return ask;
    if (common.is_signal)
        return (struct vbt_rule){.kind = VBT_RULE_SIGNAL};
    struct program program = {.machine = machine, .common = &common, .row.cfa_register = UINT64_MAX};
    if (!run(&program, common.program, pc))
        return none;
    struct row initial = program.row;
    program.initial = &initial;
    program.at = start;
    if (!run(&program, function, pc))
        return none;
    if (program.row.ra.how == UNDEFINED)
        return (struct vbt_rule){.kind = VBT_RULE_END};
    struct vbt_rule rule = {.ra = -1};
    bool fits = program.row.sp.how == KEPT && choose_cfa(&program, pc, &rule) && choose_fp(&program, pc, &rule) &&
                choose_ra(&program, &rule);
    return fits ? rule : ask;
}
