/* Verification: joins a stack anew, in the plainest way, and compares. Nothing of what is kept or
 * remembered is used or changed. */
#include "joined_room.h"
#include "preload/base/memory.h"
#include "preload/python/python_code.h"
#include "preload/tree/tree.h"

struct vbt_joined_fresh {
    struct vbt_native_stack native;
    struct vbt_frame frames[VBT_STACK_FRAMES];
    struct vbt_run runs[VBT_STACK_FRAMES];
};

static uint32_t add_python(uint32_t node, const struct vbt_frame *frame) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (abi->entry_owner != 0 && *(const int8_t *)(frame->frame + abi->frame_owner) >= abi->entry_owner)
        return node;
    uint32_t site = vbt_python_site(frame->frame, frame->key, frame->key2);
    return site == vbt_transparent_site ? node : vbt_node_of(node, site, VBT_DOMAIN_PYTHON);
}

static uint32_t join(struct vbt_joined_fresh *fresh, const struct vbt_python_stack *python, uint32_t depth) {
    const struct vbt_native_frame *frames = vbt_native_frames(&fresh->native);
    uint32_t count = vbt_runs_find(python, fresh->frames, depth, fresh->runs);
    uint32_t next = fresh->native.leaf, native = 1;
    uint32_t node = fresh->native.cut != VBT_CUT_NONE ? vbt_native_cut_node(fresh->native.cut) : 0;
    for (uint32_t i = 0; i < count; i++) {
        fresh->runs[i].native = vbt_run_frame(frames, next, &fresh->runs[i]);
        if (fresh->runs[i].native != 0)
            next = fresh->runs[i].native - 1;
    }
    for (uint32_t i = count; i-- > 0;) {
        const struct vbt_run *run = &fresh->runs[i];
        uint32_t end = i > 0 ? run[-1].first : depth;
        for (; native < run->native; native++)
            node = vbt_node_of(node, frames[native].node, VBT_DOMAIN_HEAP);
        if (native == run->native)
            native++; /* the run's own frame */
        for (uint32_t frame = i + 1 == count ? 0 : run->first; frame < end; frame++)
            node = add_python(node, &fresh->frames[frame]);
    }
    for (; native <= fresh->native.leaf; native++)
        node = vbt_node_of(node, frames[native].node, VBT_DOMAIN_HEAP);
    return node;
}

void vbt_joined_verify(struct vbt_joined_stack *joined, struct vbt_native_stack *native, struct vbt_python_stack *python,
                       const struct vbt_registers *caller, enum vbt_domain domain, uint32_t node) {
    joined->unverified = 0;
    if (joined->fresh == NULL && (joined->fresh = vbt_map(sizeof *joined->fresh)) == NULL)
        return;
    struct vbt_joined_fresh *fresh = joined->fresh;
    vbt_native_stack_forget(&fresh->native);
    if (!vbt_native_capture_sites(&fresh->native, caller))
        return;
    vbt_native_verify(&fresh->native, caller);
    uint32_t depth = vbt_python_stack_in_use() ? vbt_python_read_chain(python, fresh->frames, VBT_STACK_FRAMES) : 0;
    bool same = depth >= VBT_STACK_FRAMES || vbt_joined_in_domain(join(fresh, python, depth), domain) == node;
    native->compared += fresh->native.compared;
    native->different += fresh->native.different != 0 || !same;
    fresh->native.compared = fresh->native.different = 0;
}
