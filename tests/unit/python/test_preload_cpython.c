/* What is known of CPython's versions: their rows, and the offsets that 3.13 and 3.14 state
 * themselves. */
#include "preload/python/cpython.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* clang-format off */

/* The first words of _PyRuntime as Python 3.13.0 has them. The first word spells "xdebugpy". */
static const uint64_t runtime_313[] = {
    0x7970677562656478, 0x30d00f0, 0,                                          /* cookie, version, free-threaded */
    283320, 608, 632,                                                          /* runtime */
    194968, 7272, 7264, 7344, 7400, 7656, 7640, 7648, 16, 7752, 0, 7768, 7760, /* interpreter */
    304, 0, 8, 16, 72, 152, 160, 232, 32,                                      /* thread state */
    80, 8, 0, 56, 72, 70,                                                      /* frame */
    208, 112, 120, 128, 136, 68, 52, 96, 104, 200,                             /* code */
    16, 8,                                                                     /* object */
};

/* The same for Debian's Python 3.14.10. */
static const uint64_t runtime_314[] = {
    0x7970677562656478, 0x30e0af0, 0,
    316616, 784, 808,
    225864, 7280, 7272, 7344, 7360, 7408, 7688, 7672, 7680, 16, 7784, 0, 7800, 7792, 7992, 0,
    832, 0, 8, 16, 72, 152, 160, 232, 32,
    88, 8, 0, 56, 80, 74, 64, 0,
    216, 112, 120, 128, 136, 68, 52, 96, 104, 208, 0,
    16, 8,
};

/* A free-threaded 3.14, with 1 for fields that are not read: objects have a longer header, and each
 * thread has its own copy of the bytecode. */
static const uint64_t runtime_314t[] = {
    0x7970677562656478, 0x30e0af0, 1,
    1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 72, 1, 1, 1, 1,
    1, 8, 0, 56, 1, 78, 1, 72,
    1, 128, 136, 144, 152, 84, 1, 1, 1, 232, 224,
    32, 24,
};

/* clang-format on */

static void versions_from_the_first_to_the_last_are_known(void **state) {
    (void)state;
    for (int minor = -1; minor < VBT_PYTHON_LAST + 6; minor++) {
        const struct vbt_cpython *known = vbt_cpython_known(minor);
        bool expected = minor >= VBT_PYTHON_FIRST && minor <= VBT_PYTHON_LAST;
        assert_int_equal(known != NULL, expected);
        if (expected)
            assert_ptr_not_equal(known->code_name, NULL);
    }
    char range[32];
    snprintf(range, sizeof range, "3.%d to 3.%d", VBT_PYTHON_FIRST, VBT_PYTHON_LAST);
    assert_string_equal(VBT_PYTHON_RANGE, range);
}

#define ENTRY(minor) minor,

static void each_version_has_a_walker_for_its_offsets(void **state) {
    (void)state;
    static const int walkers[] = {VBT_FOR_EACH_WALKER(ENTRY)};
    for (int minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++) {
        const struct vbt_cpython *known = vbt_cpython_known(minor);
        size_t i = 0;
        while (i < sizeof walkers / sizeof *walkers && walkers[i] != known->walked_as)
            i++;
        assert_in_range(i, 0, sizeof walkers / sizeof *walkers - 1);
        assert_memory_equal(&known->abi, &vbt_cpython_known(known->walked_as)->abi, sizeof known->abi);
    }
}

static void the_list_of_traced_versions_is_that_of_the_table(void **state) {
    (void)state;
    static const int listed[] = {VBT_FOR_EACH_TRACING_PYTHON(ENTRY)};
    size_t traced = 0;
    for (int minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++)
        if (vbt_cpython_known(minor)->line_events == VBT_LINE_EVENTS_TRACED)
            assert_int_equal(listed[traced++], minor);
    assert_int_equal(traced, sizeof listed / sizeof *listed);
}

/* Measured with the interpreters' own headers. */
static void offsets_are_those_of_the_headers(void **state) {
    (void)state;
    static const struct {
        int minor;
        enum vbt_frame_kind kind;
        enum vbt_line_table lines;
        int tstate_frame, frame_previous, frame_code, frame_instruction, frame_owner;
        int filename, qualname, first_line, line_table, start, constants, items, ascii, compact;
    } rows[] = {
        {8, VBT_FRAME_OBJECT, VBT_LINES_LNOTAB, 24, 24, 32, 104, 0, 104, 112, 40, 120, 0, 56, 24, 48, 72},
        {9, VBT_FRAME_OBJECT, VBT_LINES_LNOTAB, 24, 24, 32, 104, 0, 104, 112, 40, 120, 0, 56, 24, 48, 72},
        {10, VBT_FRAME_OBJECT, VBT_LINES_RANGES, 24, 24, 32, 96, 0, 104, 112, 40, 120, 0, 56, 24, 48, 72},
        {11, VBT_FRAME_CFRAME, VBT_LINES_LOCATIONS, 56, 48, 32, 56, 69, 112, 128, 72, 136, 184, 24, 24, 48, 72},
        {12, VBT_FRAME_CFRAME, VBT_LINES_LOCATIONS, 56, 8, 0, 56, 70, 112, 128, 68, 136, 192, 24, 24, 40, 56},
        {13, VBT_FRAME_CURRENT, VBT_LINES_LOCATIONS, 72, 8, 0, 56, 70, 112, 128, 68, 136, 200, 24, 24, 40, 56},
        {14, VBT_FRAME_CURRENT, VBT_LINES_LOCATIONS, 72, 8, 0, 56, 74, 112, 128, 68, 136, 208, 24, 32, 40, 56},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct vbt_python_abi *abi = &vbt_cpython_known(rows[i].minor)->abi;
        assert_int_equal(abi->kind, rows[i].kind);
        assert_int_equal(abi->lines, rows[i].lines);
        assert_int_equal(abi->tstate_frame, rows[i].tstate_frame);
        assert_int_equal(abi->frame_previous, rows[i].frame_previous);
        assert_int_equal(abi->frame_code, rows[i].frame_code);
        assert_int_equal(abi->frame_instruction, rows[i].frame_instruction);
        assert_int_equal(abi->frame_owner, rows[i].frame_owner);
        assert_int_equal(abi->entry_owner, rows[i].minor >= 12 ? 3 : 0);
        assert_int_equal(abi->lasti_unit, rows[i].minor == 10 ? 2 : 1);
        assert_int_equal(abi->code_filename, rows[i].filename);
        assert_int_equal(abi->code_qualname, rows[i].qualname);
        assert_int_equal(abi->code_first_line, rows[i].first_line);
        assert_int_equal(abi->code_lines, rows[i].line_table);
        assert_int_equal(abi->code_start, rows[i].start);
        assert_int_equal(abi->code_constants, rows[i].constants);
        assert_int_equal(abi->tuple_items, rows[i].items);
        assert_int_equal(abi->object_type, 8);
        assert_int_equal(abi->ascii_data, rows[i].ascii);
        assert_int_equal(abi->compact_data, rows[i].compact);
    }
    assert_int_equal(vbt_cpython_known(11)->abi.cframe_current, 8);
    assert_int_equal(vbt_cpython_known(12)->abi.cframe_current, 0);
}

/* Likewise. */
static void what_trace_functions_need_is_where_the_headers_have_it(void **state) {
    (void)state;
    static const struct {
        int minor;
        int c_tracefunc, use_tracing, cframe, f_frame, f_lineno, f_lasti, co_flags, co_code, value;
    } rows[] = {
        {8, 64, 48, 0, 0, 108, 104, 36, 48, 64},
        {9, 64, 48, 0, 0, 108, 104, 36, 48, 64},
        {10, 64, -1, 48, 0, 100, 96, 36, 48, 0},
        {11, 72, -1, 56, 24, 40, 56, 48, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct vbt_cpython *python = vbt_cpython_known(rows[i].minor);
        assert_int_equal(python->line_events, VBT_LINE_EVENTS_TRACED);
        assert_int_equal(python->trace.tstate_function, rows[i].c_tracefunc);
        assert_int_equal(python->trace.tstate_tracing, rows[i].use_tracing);
        assert_int_equal(python->abi.tstate_cframe, rows[i].cframe);
        assert_int_equal(python->trace.frame_inner, rows[i].f_frame);
        assert_int_equal(python->trace.frame_line, rows[i].f_lineno);
        assert_int_equal(python->abi.frame_instruction, rows[i].f_lasti);
        assert_int_equal(python->trace.code_flags, rows[i].co_flags);
        assert_int_equal(python->trace.code_bytes, rows[i].co_code);
        assert_int_equal(python->trace.stop_iteration_value, rows[i].value);
        assert_int_equal(python->trace.evaluates_frame_alone, rows[i].minor == 8);
        assert_int_equal(python->trace.calls_without_c_stack, rows[i].minor == 11);
    }
}

static void objects_are_seen_as_the_version_allows(void **state) {
    (void)state;
    for (int minor = VBT_PYTHON_FIRST; minor <= VBT_PYTHON_LAST; minor++) {
        enum vbt_object_events expected = minor < 10   ? VBT_OBJECT_EVENTS_NONE
                                          : minor < 13 ? VBT_OBJECT_EVENTS_FREE_LISTS
                                                       : VBT_OBJECT_EVENTS_REPORTED;
        assert_int_equal(vbt_cpython_known(minor)->object_events, expected);
    }
    assert_int_equal(vbt_cpython_known(10)->free_lists.smallest_tuple, 0);
    assert_int_equal(vbt_cpython_known(11)->free_lists.smallest_tuple, 1);
    assert_false(vbt_cpython_known(11)->free_lists.side_by_side);
    assert_int_equal(vbt_cpython_known(12)->free_lists.smallest_tuple, 1);
    assert_true(vbt_cpython_known(12)->free_lists.side_by_side);
}

/* Wrong on purpose wherever the interpreter states the offset. */
static struct vbt_python_abi spoiled(int minor) {
    struct vbt_python_abi abi = vbt_cpython_known(minor)->abi;
    abi.tstate_frame = abi.frame_previous = abi.frame_code = abi.frame_instruction = abi.frame_owner = -1;
    abi.code_filename = abi.code_qualname = abi.code_first_line = abi.code_lines = abi.code_start = abi.code_constants = -1;
    abi.object_type = abi.var_size = abi.bytes_data = abi.tuple_items = -1;
    abi.string_length = abi.string_state = abi.ascii_data = abi.compact_data = abi.kind_shift = -1;
    return abi;
}

static void what_real_interpreters_state_is_what_the_table_says(void **state) {
    (void)state;
    struct vbt_python_abi abi = spoiled(13);
    assert_true(vbt_cpython_stated(runtime_313, 13, &abi));
    assert_memory_equal(&abi, &vbt_cpython_known(13)->abi, sizeof abi);
    abi = spoiled(14);
    assert_true(vbt_cpython_stated(runtime_314, 14, &abi));
    assert_memory_equal(&abi, &vbt_cpython_known(14)->abi, sizeof abi);
}

static void free_threaded_builds_state_other_offsets(void **state) {
    (void)state;
    struct vbt_python_abi abi = spoiled(14);
    assert_true(vbt_cpython_stated(runtime_314t, 14, &abi));
    assert_int_equal(abi.frame_owner, 78);
    assert_int_equal(abi.frame_tlbc, 72);
    assert_int_equal(abi.code_tlbc, 224);
    assert_int_equal(abi.code_filename, 128);
    assert_int_equal(abi.code_qualname, 144);
    assert_int_equal(abi.code_lines, 152);
    assert_int_equal(abi.code_first_line, 84);
    assert_int_equal(abi.code_start, 232);
    assert_int_equal(abi.object_type, 24);
    assert_int_equal(abi.var_size, 32);
    assert_int_equal(abi.bytes_data, 48);
    assert_int_equal(abi.code_constants, 40);
    assert_int_equal(abi.tuple_items, 48);
    assert_int_equal(abi.string_length, 32);
    assert_int_equal(abi.string_state, 48);
    assert_int_equal(abi.ascii_data, 56);
    assert_int_equal(abi.compact_data, 72);
    assert_int_equal(abi.kind_shift, 8);
}

/* 3.13's free-threaded build has one copy of the bytecode and the string state of the others. */
static void free_threaded_3_13_has_one_copy_of_the_bytecode(void **state) {
    (void)state;
    uint64_t runtime[sizeof runtime_313 / 8];
    memcpy(runtime, runtime_313, sizeof runtime);
    runtime[2] = 1;
    struct vbt_python_abi abi = spoiled(13);
    assert_true(vbt_cpython_stated(runtime, 13, &abi));
    assert_int_equal(abi.code_tlbc, 0);
    assert_int_equal(abi.kind_shift, 2);
}

static void assert_not_stated(const void *runtime, int minor) {
    struct vbt_python_abi abi = spoiled(13), before = abi;
    assert_false(vbt_cpython_stated(runtime, minor, &abi));
    assert_memory_equal(&abi, &before, sizeof abi);
}

static void what_states_nothing_or_another_version_is_left_alone(void **state) {
    (void)state;
    assert_not_stated(NULL, 13);
    assert_not_stated(runtime_313, 12);
    assert_not_stated(runtime_313, 14);
    assert_not_stated(runtime_314, 13);
    assert_not_stated(runtime_314, 15);
    uint64_t runtime[sizeof runtime_313 / 8];
    memcpy(runtime, runtime_313, sizeof runtime);
    runtime[0] ^= 1; /* no cookie */
    assert_not_stated(runtime, 13);
    memcpy(runtime, runtime_313, sizeof runtime);
    runtime[1] = 0x40d00f0; /* of another major version */
    assert_not_stated(runtime, 13);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_from_the_first_to_the_last_are_known),
        cmocka_unit_test(each_version_has_a_walker_for_its_offsets),
        cmocka_unit_test(the_list_of_traced_versions_is_that_of_the_table),
        cmocka_unit_test(offsets_are_those_of_the_headers),
        cmocka_unit_test(what_trace_functions_need_is_where_the_headers_have_it),
        cmocka_unit_test(objects_are_seen_as_the_version_allows),
        cmocka_unit_test(what_real_interpreters_state_is_what_the_table_says),
        cmocka_unit_test(free_threaded_builds_state_other_offsets),
        cmocka_unit_test(free_threaded_3_13_has_one_copy_of_the_bytecode),
        cmocka_unit_test(what_states_nothing_or_another_version_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
