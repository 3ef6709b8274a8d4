/* See python_abi.h. */
#include "python_abi.h"

#include "python_abi_table.h"

#include <stddef.h>
#include <string.h>

const struct vbt_python_abi *vbt_python_abi_known(int minor) {
    if (minor < 8 || (size_t)minor >= sizeof vbt_python_abis / sizeof vbt_python_abis[0])
        return NULL;
    return &vbt_python_abis[minor];
}

/* _Py_DebugOffsets is a row of 64-bit numbers in groups: cookie, version, free-threaded, then runtime state,
 * interpreter state, thread state, interpreter frame, code object, object, ... Groups gain members from version to
 * version (Include/internal/pycore_debug_offsets.h of each). */
struct group_sizes {
    int runtime, interpreter, thread, frame, code;
};

static const struct group_sizes sizes_313 = {3, 13, 9, 6, 10};
static const struct group_sizes sizes_314 = {3, 16, 9, 8, 11};

bool vbt_python_abi_stated(const void *runtime, int minor, struct vbt_python_abi *abi) {
    if (runtime == NULL || minor < 13 || minor > 14)
        return false;
    const struct group_sizes *sizes = minor == 13 ? &sizes_313 : &sizes_314;
    const uint64_t *stated = runtime;
    if (memcmp(stated, "xdebugpy", 8) != 0 || (stated[1] >> 16) != (UINT64_C(0x300) | (unsigned)minor))
        return false;
    bool free_threaded = stated[2] != 0;
    const uint64_t *thread = stated + 3 + sizes->runtime + sizes->interpreter;
    const uint64_t *frame = thread + sizes->thread;
    const uint64_t *code = frame + sizes->frame;
    const uint64_t *object = code + sizes->code;
    abi->tstate_frame = (int)thread[4];
    abi->frame_previous = (int)frame[1];
    abi->frame_code = (int)frame[2];
    abi->frame_instruction = (int)frame[3];
    abi->frame_owner = (int)frame[5];
    abi->code_filename = (int)code[1];
    abi->code_qualname = (int)code[3];
    abi->code_lines = (int)code[4];
    abi->code_first_line = (int)code[5];
    abi->code_start = (int)code[9];
    if (free_threaded && minor >= 14) {
        abi->frame_tlbc = (int)frame[7];
        abi->code_tlbc = (int)code[10];
    }
    int header = (int)object[0];
    abi->object_type = (int)object[1];
    abi->var_size = header;
    abi->bytes_data = header + 16;
    abi->code_constants = header + 8;
    abi->tuple_items = header + (minor >= 14 ? 16 : 8); /* behind its hash */
    abi->string_length = header;
    abi->string_state = header + 16;
    abi->ascii_data = header + 24;
    abi->compact_data = header + 40;
    abi->kind_shift = free_threaded && minor >= 14 ? 8 : 2;
    return true;
}
