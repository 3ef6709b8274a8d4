/* Where CPython keeps what we read: offsets into its structures, by version.
 *
 * The values are those of the interpreters' own headers on x86-64 and aarch64 (both are LP64 with the same
 * alignments). From 3.13 on the interpreter states most of them itself, in _Py_DebugOffsets at the start of
 * _PyRuntime, and what it states is what is used: that is how free-threaded builds are read. A self-check compares
 * the outcome with the interpreter's own answers (python_check.c). */
#ifndef VBT_PYTHON_ABI_H
#define VBT_PYTHON_ABI_H

#include <stdbool.h>
#include <stdint.h>

enum vbt_frame_kind {
    VBT_FRAME_OBJECT,  /* up to 3.10: a heap object; the place is (code, f_lasti) */
    VBT_FRAME_CFRAME,  /* 3.11, 3.12: reached through tstate->cframe; the place is an instruction's address */
    VBT_FRAME_CURRENT, /* 3.13 on: reached through tstate->current_frame */
};

enum vbt_line_table { VBT_LINES_LNOTAB, VBT_LINES_RANGES, VBT_LINES_LOCATIONS }; /* up to 3.9; 3.10; 3.11 on */

struct vbt_python_abi {
    enum vbt_frame_kind kind;
    enum vbt_line_table lines;
    int entry_owner; /* frames whose owner is at least this are the evaluation loop's own, not Python code's; 0: none are */
    int lasti_unit;  /* bytes of code one step of f_lasti stands for */
    int tstate_frame, cframe_current;
    int tstate_cframe, cframe_previous; /* 3.10, 3.11 */
    int frame_previous, frame_code, frame_instruction, frame_owner, frame_tlbc;
    int code_filename, code_qualname, code_first_line, code_lines, code_start, code_tlbc, code_constants;
    int object_type, var_size, bytes_data, tuple_items;
    int string_length, string_state, ascii_data, compact_data, kind_shift;
};

/* The table's entry for 3.minor; NULL for a version that is not known. */
const struct vbt_python_abi *vbt_python_abi_known(int minor);

/* What _PyRuntime of 3.13 or later says of itself. False where it is not there or of another version; *abi is then
 * unchanged. */
bool vbt_python_abi_stated(const void *runtime, int minor, struct vbt_python_abi *abi);

#endif
