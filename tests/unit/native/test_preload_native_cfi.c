/* Unwinding rules from .eh_frame: recorded sections of both processors against readelf, hand-made
 * ones, and damaged ones. */
#include "preload/native/native_cfi.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct expected {
    int32_t start, end; /* addresses, from the section's first byte */
    struct vbt_rule rule;
};

struct recorded {
    const struct vbt_cfi_machine *machine;
    const uint8_t *bytes;
    size_t size;
    const struct expected *expected;
    size_t count;
};

#include "native_cfi_cases.inc"

enum { RECORDED = sizeof recorded / sizeof recorded[0] };

/* A copy that ends where its memory ends, so that the sanitizer sees reads beyond. */
static struct vbt_cfi_section copy_of(const uint8_t *bytes, size_t size) {
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return (struct vbt_cfi_section){copy, (uintptr_t)copy, (uintptr_t)copy + size};
}

static void assert_rule(struct vbt_rule found, struct vbt_rule expected, const char *what, int32_t at) {
    bool alone = expected.kind == VBT_RULE_ASK || expected.kind == VBT_RULE_END || expected.kind == VBT_RULE_SIGNAL;
    if (found.kind != expected.kind || (!alone && memcmp(&found, &expected, sizeof found) != 0))
        fail_msg("%s %d: kind %d, %d, %d, %d instead of %d, %d, %d, %d", what, at, found.kind, found.cfa, found.fp, found.ra,
                 expected.kind, expected.cfa, expected.fp, expected.ra);
}

static void recorded_sections_say_what_readelf_says(void **state) {
    (void)state;
    for (int i = 0; i < RECORDED; i++) {
        struct vbt_cfi_section section = copy_of(recorded[i].bytes, recorded[i].size);
        for (size_t k = 0; k < recorded[i].count; k++) {
            const struct expected *row = &recorded[i].expected[k];
            assert_rule(vbt_cfi_rule(recorded[i].machine, &section, section.start + (uintptr_t)row->start), row->rule, "start",
                        row->start);
            assert_rule(vbt_cfi_rule(recorded[i].machine, &section, section.start + (uintptr_t)row->end - 1), row->rule, "end",
                        row->end);
        }
        free((void *)section.start);
    }
}

static void nothing_is_said_of_what_is_no_function(void **state) {
    (void)state;
    for (int i = 0; i < RECORDED; i++) {
        struct vbt_cfi_section section = copy_of(recorded[i].bytes, recorded[i].size);
        const struct expected *last = &recorded[i].expected[recorded[i].count - 1];
        assert_int_equal(vbt_cfi_rule(recorded[i].machine, &section, section.start + (uintptr_t)last->end + (1 << 20)).kind,
                         VBT_RULE_NO_CFI);
        assert_int_equal(vbt_cfi_rule(recorded[i].machine, &section, section.start).kind, VBT_RULE_NO_CFI);
        assert_int_equal(vbt_cfi_rule(recorded[i].machine, &section, 0).kind, VBT_RULE_NO_CFI);
        assert_int_equal(vbt_cfi_rule(recorded[i].machine, &section, UINTPTR_MAX).kind, VBT_RULE_NO_CFI);
        free((void *)section.start);
    }
}

static struct vbt_rule first_rule(int i, const struct vbt_cfi_section *section) {
    return vbt_cfi_rule(recorded[i].machine, section, section->start + (uintptr_t)recorded[i].expected[0].start);
}

/* Wherever the section is truncated: an answer from the rest, or none; the sanitizer sees any read
 * beyond. */
static void a_section_that_is_cut_off_is_not_read_beyond(void **state) {
    (void)state;
    for (int i = 0; i < RECORDED; i++)
        for (size_t size = 1; size < recorded[i].size; size += size < 100 ? 1 : 13) {
            struct vbt_cfi_section section = copy_of(recorded[i].bytes, size);
            struct vbt_rule rule = first_rule(i, &section);
            if (size < 64)
                assert_int_equal(rule.kind, VBT_RULE_NO_CFI);
            free((void *)section.start);
        }
}

static bool makes_sense(struct vbt_rule rule) {
    bool in_frame = rule.fp == VBT_FP_KEPT || rule.fp == VBT_FP_AT_FP || (rule.fp < 0 && rule.fp % 8 == 0);
    switch (rule.kind) {
    case VBT_RULE_SP:
        return in_frame && rule.cfa >= 8 && rule.cfa % 8 == 0 && (rule.fp >= 0 || rule.cfa + rule.fp >= 0);
    case VBT_RULE_LEAF:
        return in_frame && rule.cfa >= 0 && rule.cfa % 8 == 0 && rule.cfa + rule.fp >= -VBT_RED_ZONE;
    case VBT_RULE_FP:
    case VBT_RULE_FP_LOAD:
        return in_frame && rule.cfa % 8 == 0;
    default:
        return rule.kind > VBT_RULE_NONE && rule.kind < VBT_RULE_NO_MODULE;
    }
}

static void damaged_sections_do_no_harm(void **state) {
    (void)state;
    enum { ROUNDS = 60000, DAMAGES = 4 };
    uint64_t seed = 3;
    for (int i = 0; i < RECORDED; i++) {
        struct vbt_cfi_section section = copy_of(recorded[i].bytes, recorded[i].size);
        uint8_t *bytes = (uint8_t *)section.start;
        for (int round = 0; round < ROUNDS; round++) {
            size_t damaged[DAMAGES];
            for (int k = 0; k < DAMAGES; k++) {
                damaged[k] = world_random(&seed) % recorded[i].size;
                bytes[damaged[k]] = (uint8_t)world_random(&seed);
            }
            const struct expected *row = &recorded[i].expected[world_random(&seed) % recorded[i].count];
            assert_true(makes_sense(vbt_cfi_rule(recorded[i].machine, &section, section.start + (uintptr_t)row->start)));
            for (int k = 0; k < DAMAGES; k++)
                bytes[damaged[k]] = recorded[i].bytes[damaged[k]];
        }
        free((void *)section.start);
    }
}

/* A section with one function of 16 bytes at address 4096 from its start, whose frame these
 * instructions describe. */
struct made {
    uint8_t bytes[256];
    size_t size;
};

static void add(struct made *made, const void *bytes, size_t size) {
    memcpy(made->bytes + made->size, bytes, size);
    made->size += size;
}

static void add_number(struct made *made, uint32_t number) { add(made, &number, sizeof number); }

enum { FUNCTION = 4096, FUNCTION_SIZE = 16, COMMON = 20 };

static struct made make(uint8_t ra, const char *augmentation, const uint8_t *program, size_t size) {
    static const uint8_t header[] = {1, 0x1b, 0x03, 0x3b};
    static const uint8_t factors[] = {1, 0x78}; /* 1, -8 */
    struct made made = {.size = 0};
    add(&made, header, sizeof header);
    add_number(&made, COMMON - 4);
    add_number(&made, 1);
    add_number(&made, FUNCTION);
    uint32_t at_function = (uint32_t)made.size;
    add_number(&made, 0);
    size_t common = made.size;
    uint32_t common_size = (uint32_t)(9 + strlen(augmentation) + (augmentation[0] == 'z' ? 2 : 0));
    add_number(&made, common_size + 2);
    add_number(&made, 0);
    add(&made, "\1", 1);
    add(&made, augmentation, strlen(augmentation) + 1);
    add(&made, factors, sizeof factors);
    add(&made, &ra, 1);
    if (augmentation[0] == 'z')
        add(&made, "\1\x1b", 2);
    made.bytes[common] = (uint8_t)(made.size - common - 4);
    uint32_t function = (uint32_t)made.size;
    memcpy(made.bytes + at_function, &function, sizeof function);
    add_number(&made, 0); /* its size, set below */
    add_number(&made, (uint32_t)(made.size - common));
    add_number(&made, FUNCTION - (uint32_t)made.size);
    add_number(&made, FUNCTION_SIZE);
    add(&made, "\0", 1);
    add(&made, program, size);
    uint32_t function_size = (uint32_t)made.size - function - 4;
    memcpy(made.bytes + function, &function_size, sizeof function_size);
    return made;
}

static struct vbt_rule rule_of(const struct vbt_cfi_machine *machine, struct made made, uintptr_t offset) {
    struct vbt_cfi_section section = copy_of(made.bytes, made.size);
    struct vbt_rule rule = vbt_cfi_rule(machine, &section, section.start + FUNCTION + offset);
    free((void *)section.start);
    return rule;
}

#define X86_RULE(offset, ...)                                                                                                      \
    rule_of(&vbt_cfi_x86_64, make(16, "zR", (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})), offset)
#define RULE(kind, cfa, fp, ra) ((struct vbt_rule){cfa, fp, ra, kind})

/* DW_CFA_def_cfa r7 16; offset r16 at cfa-8 */
#define X86_FRAME 0x0c, 7, 16, 0x90, 1

static void hand_made_frames(void **state) {
    (void)state;
    assert_rule(X86_RULE(0, X86_FRAME), RULE(VBT_RULE_SP, 16, 0, -1), "plain", 0);
    assert_rule(X86_RULE(15, X86_FRAME), RULE(VBT_RULE_SP, 16, 0, -1), "plain, last", 0);
    assert_int_equal(X86_RULE(16, X86_FRAME).kind, VBT_RULE_NO_CFI);
    assert_rule(X86_RULE(3, X86_FRAME, 0x42, 0x0e, 32, 0x86, 2), RULE(VBT_RULE_SP, 32, -16, -1), "after advance", 3);
    assert_rule(X86_RULE(1, X86_FRAME, 0x42, 0x0e, 32, 0x86, 2), RULE(VBT_RULE_SP, 16, 0, -1), "before advance", 1);
    /* remember, change, restore */
    assert_rule(X86_RULE(9, X86_FRAME, 0x0a, 0x42, 0x0e, 32, 0x86, 2, 0x42, 0x0b), RULE(VBT_RULE_SP, 16, 0, -1), "restored", 9);
    assert_int_equal(X86_RULE(9, X86_FRAME, 0x0b).kind, VBT_RULE_NO_CFI);
    /* the return address undefined; in another place; in a register */
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x07, 16).kind, VBT_RULE_END);
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x90, 2).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x09, 16, 2).kind, VBT_RULE_ASK);
    /* the CFA from rbx, from no register, off by a byte; the frame pointer below the stack
     * pointer */
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x0d, 3).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, 0x90, 1).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, 0x0c, 7, 17, 0x90, 1).kind, VBT_RULE_ASK);
    assert_rule(X86_RULE(0, X86_FRAME, 0x86, 3), RULE(VBT_RULE_LEAF, 16, -24, -1), "red zone", 0);
    assert_rule(X86_RULE(0, X86_FRAME, 0x86, 18), RULE(VBT_RULE_LEAF, 16, -144, -1), "red zone's end", 0);
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x86, 19).kind, VBT_RULE_ASK);
    /* the stack pointer is not the CFA */
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x87, 2).kind, VBT_RULE_ASK);
    /* an invalid instruction, and an aarch64 one on x86-64 */
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x3f).kind, VBT_RULE_NO_CFI);
    assert_int_equal(X86_RULE(0, X86_FRAME, 0x2d).kind, VBT_RULE_NO_CFI);
}

static void hand_made_expressions(void **state) {
    (void)state;
    /* realigned: CFA = *(rbp - 16), the caller's rbp at rbp */
    assert_rule(X86_RULE(0, 0x90, 1, 0x0f, 3, 0x76, 0x70, 0x06, 0x10, 6, 2, 0x76, 0), RULE(VBT_RULE_FP_LOAD, -16, VBT_FP_AT_FP, -1),
                "realigned", 0);
    /* *(rsp + 8): not in a rule; rsp + 8 + 8 is */
    assert_int_equal(X86_RULE(0, 0x90, 1, 0x0f, 3, 0x77, 8, 0x06).kind, VBT_RULE_ASK);
    assert_rule(X86_RULE(0, 0x90, 1, 0x0f, 4, 0x77, 8, 0x23, 8), RULE(VBT_RULE_SP, 16, 0, -1), "sum", 0);
    /* what linkers write for procedure linkage tables: rsp + 8 + ((rip & 15) >= 11) * 8; the
     * section is 16-aligned */
#define PLT 0x90, 1, 0x0f, 11, 0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22
    assert_rule(X86_RULE(10, PLT), RULE(VBT_RULE_SP, 8, 0, -1), "linkage table, before", 10);
    assert_rule(X86_RULE(11, PLT), RULE(VBT_RULE_SP, 16, 0, -1), "linkage table, after", 11);
#undef PLT
    /* too little or too much on the stack; cut off */
    assert_int_equal(X86_RULE(0, 0x90, 1, 0x0f, 1, 0x22).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, 0x90, 1, 0x0f, 2, 0x31, 0x31).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, 0x90, 1, 0x0f, 0).kind, VBT_RULE_ASK);
    assert_int_equal(X86_RULE(0, 0x90, 1, 0x0f, 9, 0x77, 8).kind, VBT_RULE_NO_CFI);
}

static void hand_made_records(void **state) {
    (void)state;
    static const uint8_t frame[] = {X86_FRAME};
    struct made made = make(16, "zR", frame, sizeof frame);
    assert_int_equal(rule_of(&vbt_cfi_x86_64, made, 0).kind, VBT_RULE_SP);
    assert_int_equal(rule_of(&vbt_cfi_aarch64, made, 0).kind, VBT_RULE_ASK); /* the return address in another register */
    static const struct {
        size_t at;
        uint8_t value, kind;
    } changes[] = {
        {0, 2, VBT_RULE_NO_CFI},                               /* version of the table */
        {3, 0x1b, VBT_RULE_NO_CFI},                            /* another encoding of it */
        {8, 0, VBT_RULE_NO_CFI},                               /* an empty table */
        {11, 0x7f, VBT_RULE_NO_CFI}, {28, 9, VBT_RULE_NO_CFI}, /* version of the common record */
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct made changed = made;
        changed.bytes[changes[i].at] = changes[i].value;
        assert_int_equal(rule_of(&vbt_cfi_x86_64, changed, 0).kind, changes[i].kind);
    }
    assert_int_equal(rule_of(&vbt_cfi_x86_64, make(16, "zRS", frame, sizeof frame), 0).kind, VBT_RULE_SIGNAL);
    assert_int_equal(rule_of(&vbt_cfi_x86_64, make(16, "zRQ", frame, sizeof frame), 0).kind, VBT_RULE_ASK);
    assert_int_equal(rule_of(&vbt_cfi_x86_64, make(16, "eh", frame, sizeof frame), 0).kind, VBT_RULE_NO_CFI);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_sections_say_what_readelf_says),
        cmocka_unit_test(nothing_is_said_of_what_is_no_function),
        cmocka_unit_test(a_section_that_is_cut_off_is_not_read_beyond),
        cmocka_unit_test(damaged_sections_do_no_harm),
        cmocka_unit_test(hand_made_frames),
        cmocka_unit_test(hand_made_expressions),
        cmocka_unit_test(hand_made_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
