/* See cpython.h. */
#include "cpython.h"

#include <string.h>

const struct vbt_cpython *vbt_cpython_known(int minor) {
    return minor >= VBT_PYTHON_FIRST && minor <= VBT_PYTHON_LAST ? &vbt_cpythons[minor] : NULL;
}

/* Free-threaded builds have a longer header before what each object holds. */
static void set_header(struct vbt_python_abi *abi, const struct vbt_python_abi *usual, int header) {
    int more = header - usual->var_size;
    abi->var_size = header;
    abi->bytes_data = usual->bytes_data + more;
    abi->code_constants = usual->code_constants + more;
    abi->tuple_items = usual->tuple_items + more;
    abi->string_length = usual->string_length + more;
    abi->string_state = usual->string_state + more;
    abi->ascii_data = usual->ascii_data + more;
    abi->compact_data = usual->compact_data + more;
}

/* _Py_DebugOffsets begins with a cookie, the version, and whether the build is free-threaded;
 * groups follow: runtime state, interpreter state, thread state, interpreter frame, code object,
 * object, ... */
bool vbt_cpython_stated(const void *runtime, int minor, struct vbt_python_abi *abi) {
    const struct vbt_cpython *known = vbt_cpython_known(minor);
    if (runtime == NULL || known == NULL || known->stated.runtime == 0)
        return false;
    const struct vbt_stated_offsets *sizes = &known->stated;
    const uint64_t *stated = runtime;
    if (memcmp(stated, "xdebugpy", 8) != 0 || (stated[1] >> 16) != (UINT64_C(0x300) | (unsigned)minor))
        return false;
    bool by_thread = stated[2] != 0 && sizes->by_thread;
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
    if (by_thread) {
        abi->frame_tlbc = (int)frame[7];
        abi->code_tlbc = (int)code[10];
    }
    abi->object_type = (int)object[1];
    set_header(abi, &known->abi, (int)object[0]);
    abi->kind_shift = by_thread ? 8 : known->abi.kind_shift;
    return true;
}
