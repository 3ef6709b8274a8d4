/* Call frame instructions one by one, and the expressions that they may carry. The whole parser is
 * compared with compilers' output in test_preload_native_cfi.c. */
#include "preload/native/native_cfi_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { START = 0x4000, CODE_FACTOR = 4, DATA_FACTOR = -8 };

/* The registers' numbers on x86-64. */
enum { FP = 6, SP = 7, RA = 16, OTHER = 3 };

static const struct vbt_cfi_machine *machine = &vbt_cfi_x86_64;
static struct vbt_cfi_row row;

/* The row at START + at, after the CIE's instructions and the function's. */
static bool run_both(const char *cie_code, size_t cie_size, const char *code, size_t size, unsigned at) {
    struct vbt_cie cie = {.code_factor = CODE_FACTOR, .data_factor = DATA_FACTOR, .pointers = DW_EH_PE_udata4};
    cie.instructions = (struct vbt_bytes){(const uint8_t *)cie_code, (const uint8_t *)cie_code + cie_size, false};
    struct vbt_bytes own = {(const uint8_t *)code, (const uint8_t *)code + size, false};
    return vbt_cfi_row_at(machine, &cie, own, START, START + at, &row);
}

#define RUN(text, at) run_both("", 0, (text), sizeof(text) - 1, at)
#define RUN_AFTER(cie, text) run_both((cie), sizeof(cie) - 1, (text), sizeof(text) - 1, 0)

static void no_instruction_says_nothing(void **state) {
    (void)state;
    assert_true(RUN("", 0));
    assert_int_equal(row.cfa_register, UINT64_MAX);
    assert_null(row.cfa_expression.at);
    assert_int_equal(row.fp.how, VBT_CFI_KEPT);
    assert_int_equal(row.ra.how, VBT_CFI_KEPT);
    assert_int_equal(row.sp.how, VBT_CFI_KEPT);
    assert_true(RUN("\x00\x00", 0));
}

static void the_cfa_is_a_register_and_an_offset(void **state) {
    (void)state;
    assert_true(RUN("\x0c\x07\x10", 0)); /* def_cfa sp, 16 */
    assert_int_equal(row.cfa_register, SP);
    assert_int_equal(row.cfa_offset, 16);
    assert_true(RUN("\x0c\x07\x10\x0d\x06", 0)); /* def_cfa_register fp */
    assert_int_equal(row.cfa_register, FP);
    assert_int_equal(row.cfa_offset, 16);
    assert_true(RUN("\x0c\x07\x10\x0e\x90\x01", 0)); /* def_cfa_offset 144 */
    assert_int_equal(row.cfa_register, SP);
    assert_int_equal(row.cfa_offset, 144);
    assert_true(RUN("\x12\x06\x7e", 0)); /* def_cfa_sf fp, -2 * -8 */
    assert_int_equal(row.cfa_register, FP);
    assert_int_equal(row.cfa_offset, 16);
    assert_true(RUN("\x13\x7d", 0)); /* def_cfa_offset_sf -3 * -8 */
    assert_int_equal(row.cfa_offset, 24);
}

static void the_cfa_may_be_an_expression_until_it_is_defined_again(void **state) {
    (void)state;
    assert_true(RUN("\x0f\x02\x76\x08", 0)); /* def_cfa_expression: breg6 8 */
    assert_int_equal(row.cfa_expression.end - row.cfa_expression.at, 2);
    assert_int_equal(row.cfa_expression.at[0], 0x76);
    assert_true(RUN("\x0f\x02\x76\x08\x0c\x07\x08", 0));
    assert_null(row.cfa_expression.at);
    assert_true(RUN("\x0f\x02\x76\x08\x12\x07\x7f", 0));
    assert_null(row.cfa_expression.at);
    assert_false(RUN("\x0f\x03\x76\x08", 0)); /* longer than what is there */
}

static void registers_are_saved_in_the_frame(void **state) {
    (void)state;
    assert_true(RUN("\x86\x02\x90\x01", 0)); /* offset fp, 2 * -8; ra, 1 * -8 */
    assert_int_equal(row.fp.how, VBT_CFI_IN_FRAME);
    assert_int_equal(row.fp.offset, -16);
    assert_int_equal(row.ra.how, VBT_CFI_IN_FRAME);
    assert_int_equal(row.ra.offset, -8);
    assert_true(RUN("\x05\x06\x03", 0)); /* offset_extended */
    assert_int_equal(row.fp.offset, -24);
    assert_true(RUN("\x11\x06\x7c", 0)); /* offset_extended_sf -4 * -8 */
    assert_int_equal(row.fp.offset, 32);
    assert_true(RUN("\x83\x02\x11\x03\x7c", 0)); /* of a register that does not matter */
    assert_int_equal(row.fp.how, VBT_CFI_KEPT);
}

static void registers_are_found_otherwise(void **state) {
    (void)state;
    assert_true(RUN("\x07\x10", 0)); /* undefined ra */
    assert_int_equal(row.ra.how, VBT_CFI_UNDEFINED);
    assert_true(RUN("\x86\x02\x08\x06", 0)); /* same_value */
    assert_int_equal(row.fp.how, VBT_CFI_KEPT);
    assert_true(RUN("\x09\x06\x03", 0)); /* register */
    assert_int_equal(row.fp.how, VBT_CFI_ELSEWHERE);
    assert_true(RUN("\x14\x07\x82\x01\x00", 0)); /* val_offset of sp, a number of two bytes */
    assert_int_equal(row.sp.how, VBT_CFI_ELSEWHERE);
    assert_true(RUN("\x15\x07\x7f", 0)); /* val_offset_sf */
    assert_int_equal(row.sp.how, VBT_CFI_ELSEWHERE);
    assert_true(RUN("\x10\x06\x02\x76\x00", 0)); /* expression */
    assert_int_equal(row.fp.how, VBT_CFI_BY_EXPRESSION);
    assert_int_equal(row.fp.expression.end - row.fp.expression.at, 2);
    assert_true(RUN("\x16\x06\x02\x76\x00", 0)); /* val_expression */
    assert_int_equal(row.fp.how, VBT_CFI_ELSEWHERE);
}

static void rows_begin_at_their_address(void **state) {
    (void)state;
    static const char code[] = "\x0e\x10\x41\x0e\x18\x02\x02\x0e\x20\x03\x01\x00\x0e\x28\x04\x01\x00\x00\x00\x0e\x30";
    static const struct {
        unsigned at;
        int64_t offset;
    } cases[] = {{0, 16}, {3, 16}, {4, 24}, {11, 24}, {12, 32}, {15, 32}, {16, 40}, {19, 40}, {20, 48}, {1000, 48}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(RUN(code, cases[i].at));
        assert_int_equal(row.cfa_offset, cases[i].offset);
    }
    assert_true(RUN("\x0e\x10\x01\x00\x50\x00\x00\x0e\x18", 0xfff)); /* set_loc 0x5000 */
    assert_int_equal(row.cfa_offset, 16);
    assert_true(RUN("\x0e\x10\x01\x00\x50\x00\x00\x0e\x18", 0x1000));
    assert_int_equal(row.cfa_offset, 24);
}

static void states_are_remembered_and_restored(void **state) {
    (void)state;
    assert_true(RUN("\x0e\x10\x0a\x0e\x18\x0a\x0e\x20\x0b\x0b", 0));
    assert_int_equal(row.cfa_offset, 16);
    assert_true(RUN("\x0e\x10\x0a\x0e\x18\x0a\x0e\x20\x0b", 0));
    assert_int_equal(row.cfa_offset, 24);
    assert_false(RUN("\x0b", 0));
    assert_true(RUN("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 0));
    assert_false(RUN("\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 0)); /* one more than there is room for */
}

static void restoring_a_register_leads_back_to_the_cie(void **state) {
    (void)state;
    static const char both[] = "\x0c\x07\x08\x90\x01\x86\x02"; /* def_cfa sp, 8; offset ra, 1; fp, 2 */
    assert_true(RUN_AFTER(both, "\x86\x04\xc6"));              /* restore */
    assert_int_equal(row.fp.offset, -16);
    assert_true(RUN_AFTER(both, "\x08\x06\x06\x06")); /* restore_extended */
    assert_int_equal(row.fp.how, VBT_CFI_IN_FRAME);
    assert_int_equal(row.fp.offset, -16);
    assert_true(RUN_AFTER("\x86\x02\x86\x04\xc6", "")); /* in the CIE there is nothing to lead back to */
    assert_int_equal(row.fp.offset, -32);
    assert_true(RUN_AFTER(both, "\xc3\x06\x03")); /* of a register that does not matter */
}

static void signed_return_addresses_are_aarch64s(void **state) {
    (void)state;
    assert_false(RUN("\x2d", 0));
    assert_false(RUN("\x2c", 0));
    machine = &vbt_cfi_aarch64;
    bool good = RUN("\x2d\x2c\x0e\x10", 0);
    machine = &vbt_cfi_x86_64;
    assert_true(good);
    assert_int_equal(row.cfa_offset, 16);
}

static void what_makes_no_sense_is_refused(void **state) {
    (void)state;
    static const struct vbt_cfi_row untouched = {.cfa_offset = 77};
    row = untouched;
    assert_true(RUN("\x2e\x10", 0)); /* GNU_args_size changes nothing */
    row = untouched;
    assert_false(RUN("\x17", 0)); /* no such instruction */
    assert_false(RUN("\x3f", 0));
    assert_false(RUN("\x0c\x07", 0)); /* cut short */
    assert_false(RUN("\x86", 0));
    assert_false(RUN("\x02", 0));
    assert_false(RUN("\x10\x06\x7f\x00", 0));
    assert_memory_equal(&row, &untouched, sizeof row);
    assert_false(RUN_AFTER("\x17", "")); /* nor in the CIE */
}

#define EVALUATE(text)                                                                                                             \
    vbt_cfi_evaluate(machine, (struct vbt_bytes){(const uint8_t *)(text), (const uint8_t *)(text) + sizeof(text) - 1, false},      \
                     0x40b7, &value)

static void expressions_are_sums(void **state) {
    (void)state;
    struct vbt_cfi_value value;
    assert_true(EVALUATE("\x76\x78")); /* breg6 (fp) - 8 */
    assert_int_equal(value.base, VBT_CFI_FP);
    assert_int_equal(value.number, -8);
    assert_false(value.loaded);
    assert_true(EVALUATE("\x76\x78\x06")); /* deref */
    assert_true(value.loaded);
    assert_true(EVALUATE("\x77\x08\x23\x90\x01")); /* breg7 (sp) 8, plus_uconst 144 */
    assert_int_equal(value.base, VBT_CFI_SP);
    assert_int_equal(value.number, 152);
    assert_true(EVALUATE("\x35\x76\x01\x22\x08\xfe\x22\x09\xfe\x22")); /* lit5 + (fp + 1) + 254 + -2 */
    assert_int_equal(value.base, VBT_CFI_FP);
    assert_int_equal(value.number, 258);
    assert_true(EVALUATE("\x4f"));
    assert_int_equal(value.base, VBT_CFI_NUMBER);
    assert_int_equal(value.number, 31);
}

/* As linkers describe a procedure linkage table: 8 bytes more are pushed from the 11th byte of an
 * entry of 16 on. */
static void expressions_may_depend_on_the_address(void **state) {
    (void)state;
    struct vbt_cfi_value value;
    assert_true(EVALUATE("\x77\x08\x80\x00\x3f\x1a\x3b\x2a\x33\x24\x22")); /* at 0x40b7 */
    assert_int_equal(value.base, VBT_CFI_SP);
    assert_int_equal(value.number, 8);
    assert_true(EVALUATE("\x77\x08\x80\x00\x3f\x1a\x37\x2a\x33\x24\x22")); /* from the 7th byte on */
    assert_int_equal(value.number, 16);
}

static void other_expressions_are_refused(void **state) {
    (void)state;
    struct vbt_cfi_value value;
    assert_false(EVALUATE(""));
    assert_false(EVALUATE("\x31\x32"));                                 /* two values */
    assert_false(EVALUATE("\x22"));                                     /* too few */
    assert_false(EVALUATE("\x06"));                                     /* likewise */
    assert_false(EVALUATE("\x23\x01"));                                 /* likewise */
    assert_false(EVALUATE("\x73\x00"));                                 /* a register that is not known */
    assert_false(EVALUATE("\x76\x00\x77\x00\x22"));                     /* two registers */
    assert_false(EVALUATE("\x76\x00\x06\x31\x22"));                     /* more, after loading */
    assert_false(EVALUATE("\x76\x00\x06\x06"));                         /* loading twice */
    assert_false(EVALUATE("\x76\x00\x31\x24"));                         /* a register, shifted */
    assert_false(EVALUATE("\x31\x32\x1e"));                             /* an operation that is not known */
    assert_false(EVALUATE("\x76"));                                     /* cut short */
    assert_false(EVALUATE("\x30\x30\x30\x30\x30\x30\x30\x30\x30\x22")); /* one more than there is room for */
    assert_true(EVALUATE("\x31\x08\x7f\x24"));                          /* shifted by more than there are bits */
    assert_int_equal(value.number, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_instruction_says_nothing),
        cmocka_unit_test(the_cfa_is_a_register_and_an_offset),
        cmocka_unit_test(the_cfa_may_be_an_expression_until_it_is_defined_again),
        cmocka_unit_test(registers_are_saved_in_the_frame),
        cmocka_unit_test(registers_are_found_otherwise),
        cmocka_unit_test(rows_begin_at_their_address),
        cmocka_unit_test(states_are_remembered_and_restored),
        cmocka_unit_test(restoring_a_register_leads_back_to_the_cie),
        cmocka_unit_test(signed_return_addresses_are_aarch64s),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(expressions_are_sums),
        cmocka_unit_test(expressions_may_depend_on_the_address),
        cmocka_unit_test(other_expressions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
