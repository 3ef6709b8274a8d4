/* The offsets of every version that is known, as constants that a compiler can see through. */
#ifndef VBT_PYTHON_ABI_TABLE_H
#define VBT_PYTHON_ABI_TABLE_H

#include "python_abi.h"

/* clang-format off */

/* Objects and strings are alike in all builds but the free-threaded ones. */
#define COMMON .object_type = 8, .var_size = 16, .bytes_data = 32, .string_length = 16, .string_state = 32, .kind_shift = 2
#define OLD_STRINGS .ascii_data = 48, .compact_data = 72
#define NEW_STRINGS .ascii_data = 40, .compact_data = 56

#define FRAME_OBJECTS                                                                                                  \
    .kind = VBT_FRAME_OBJECT, .tstate_frame = 24, .frame_previous = 24, .frame_code = 32, .code_filename = 104,        \
    .code_qualname = 112, .code_first_line = 40, .code_lines = 120, .code_constants = 56, .tuple_items = 24

static const struct vbt_python_abi vbt_python_abis[] = {
    [8] = {FRAME_OBJECTS, .lines = VBT_LINES_LNOTAB, .lasti_unit = 1, .frame_instruction = 104, COMMON, OLD_STRINGS},
    [9] = {FRAME_OBJECTS, .lines = VBT_LINES_LNOTAB, .lasti_unit = 1, .frame_instruction = 104, COMMON, OLD_STRINGS},
    [10] = {FRAME_OBJECTS, .lines = VBT_LINES_RANGES, .lasti_unit = 2, .frame_instruction = 96, .tstate_cframe = 48,
            .cframe_previous = 8, COMMON, OLD_STRINGS},
    [11] = {.kind = VBT_FRAME_CFRAME, .lines = VBT_LINES_LOCATIONS, .lasti_unit = 1, .tstate_frame = 56, .cframe_current = 8,
            .tstate_cframe = 56, .cframe_previous = 16, .frame_previous = 48, .frame_code = 32, .frame_instruction = 56, .frame_owner = 69, .code_filename = 112,
            .code_qualname = 128, .code_first_line = 72, .code_lines = 136, .code_start = 184, .code_constants = 24, .tuple_items = 24, COMMON, OLD_STRINGS},
    [12] = {.kind = VBT_FRAME_CFRAME, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 56,
            .cframe_current = 0, .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 70,
            .code_filename = 112, .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 192, .code_constants = 24, .tuple_items = 24, COMMON,
            NEW_STRINGS},
    [13] = {.kind = VBT_FRAME_CURRENT, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 72,
            .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 70, .code_filename = 112,
            .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 200, .code_constants = 24, .tuple_items = 24, COMMON, NEW_STRINGS},
    [14] = {.kind = VBT_FRAME_CURRENT, .lines = VBT_LINES_LOCATIONS, .entry_owner = 3, .lasti_unit = 1, .tstate_frame = 72,
            .frame_previous = 8, .frame_code = 0, .frame_instruction = 56, .frame_owner = 74, .code_filename = 112,
            .code_qualname = 128, .code_first_line = 68, .code_lines = 136, .code_start = 208, .code_constants = 24, .tuple_items = 32, COMMON, NEW_STRINGS},
};

/* clang-format on */

#endif
