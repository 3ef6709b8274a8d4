/* The runs of the evaluation loop: which Python frames belong to each, and which native frame it
 * is. See joined_stack.h. */
#include "joined_room.h"

static bool has_entries(void) { return vbt_python.abi.entry_owner != 0; }   /* 3.12 on */
static bool has_chain(void) { return vbt_python.abi.cframe_previous != 0; } /* 3.10, 3.11 */

/* 3.11: the chain's structures name frames; in 3.10 each has one of its own. */
static bool chain_names_frames(void) { return vbt_python.abi.kind == VBT_FRAME_CFRAME; }

static bool is_entry(const struct vbt_frame *frame) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    return *(const int8_t *)(frame->frame + abi->frame_owner) >= abi->entry_owner;
}

static struct vbt_run new_run(const char *identity, const struct vbt_frame *frames, uint32_t first) {
    const char *frame = chain_names_frames() ? frames[(int64_t)first - 1].frame : frames[first].frame; /* NULL outside the root */
    return (struct vbt_run){.identity = (uintptr_t)identity, .frame = frame, .first = first};
}

/* ---- from nothing ---- */

/* The chain ends with a structure in the thread's state, which belongs to no run. */
static uint32_t runs_of_chain(const struct vbt_python_stack *python, const struct vbt_frame *frames, uint32_t depth,
                              struct vbt_run *found) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const char *run = vbt_load_pointer(python->state, abi->tstate_cframe), *outer;
    uint32_t first = depth, count = 0;
    for (; run != NULL && first > 0 && (outer = vbt_load_pointer(run, abi->cframe_previous)) != NULL; run = outer) {
        first--;
        if (chain_names_frames()) {
            const char *caller = vbt_load_pointer(outer, abi->cframe_current);
            while (first > 0 && frames[first - 1].frame != caller)
                first--;
        }
        found[count++] = new_run(run, frames, first);
    }
    return count;
}

uint32_t vbt_runs_find(const struct vbt_python_stack *python, const struct vbt_frame *frames, uint32_t depth,
                       struct vbt_run *found) {
    uint32_t count = 0;
    if (depth == 0)
        return 0;
    if (has_chain()) {
        count = runs_of_chain(python, frames, depth, found);
    } else {
        for (uint32_t i = depth; i-- > 0;)
            if (!has_entries() || is_entry(&frames[i]))
                found[count++] = new_run(frames[i].frame, frames, i);
    }
    if (count == 0)
        found[count++] = (struct vbt_run){0};
    return count;
}

/* ---- from what is kept ---- */

static uint32_t update_all(struct vbt_joined_stack *joined, const struct vbt_python_stack *python) {
    struct vbt_joined_room *room = joined->room;
    uint32_t count = vbt_runs_find(python, python->frames, python->depth, room->found);
    joined->is_one_to_one = !has_entries() && count == python->depth;
    for (uint32_t i = 0; i < count; i++)
        room->runs[i] = room->found[count - 1 - i];
    joined->runs = count;
    return 0;
}

/* 3.12 on: the entry frames among the frames that have changed. */
static uint32_t update_by_entries(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t kept) {
    struct vbt_run *runs = joined->room->runs;
    while (kept > 0 && runs[kept - 1].first >= python->same)
        kept--;
    uint32_t from = kept < joined->runs && runs[kept].first < python->same ? runs[kept].first : python->same;
    if (kept == 0)
        return update_all(joined, python);
    joined->runs = kept;
    for (; from < python->depth; from++)
        if (is_entry(&python->frames[from]))
            runs[joined->runs++] = new_run(python->frames[from].frame, python->frames, from);
    return kept;
}

/* Up to 3.10: how many of the outermost frames, each with a run of its own, are the same objects,
 * whatever they execute. */
static uint32_t same_objects(const struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t most) {
    uint32_t count = python->same < python->depth ? python->same : python->depth;
    while (count < most && count < python->depth && joined->room->runs[count].frame == python->frames[count].frame)
        count++;
    return count < most ? count : most;
}

/* Up to 3.10. */
static uint32_t update_by_turns(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t kept) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    const struct vbt_frame *frames = python->frames;
    if (!joined->is_one_to_one || (kept = same_objects(joined, python, kept)) == 0)
        return update_all(joined, python);
    const char *run = has_chain() && kept < python->depth ? vbt_load_pointer(python->state, abi->tstate_cframe) : NULL,
               *outer = NULL;
    for (uint32_t i = python->depth; i-- > kept; run = outer) {
        if (has_chain() && (run == NULL || (outer = vbt_load_pointer(run, abi->cframe_previous)) == NULL))
            return update_all(joined, python);
        joined->room->runs[i] = new_run(has_chain() ? run : frames[i].frame, frames, i);
    }
    joined->runs = python->depth;
    return kept;
}

/* 3.11: is the chain from the outermost `count` runs on the kept one, with the same Python frames
 * in each? All addresses are known, so that the loads overlap. */
static bool chain_stayed(const struct vbt_run *runs, uint32_t count, const struct vbt_frame *frames) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    for (; count > 1; count--) {
        const struct vbt_run *run = &runs[count - 1];
        const char *outer = vbt_load_pointer((const char *)run->identity, abi->cframe_previous);
        if (outer != (const char *)run[-1].identity || vbt_load_pointer(outer, abi->cframe_current) != frames[run->first - 1].frame)
            return false;
    }
    const char *outer = vbt_load_pointer((const char *)runs[0].identity, abi->cframe_previous);
    return outer != NULL && vbt_load_pointer(outer, abi->cframe_previous) == NULL;
}

/* 3.11: new runs inside of those that stayed; or some have ended. */
static uint32_t update_by_chain(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t kept) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    struct vbt_run *runs = joined->room->runs, *found = joined->room->found;
    const char *run = vbt_load_pointer(python->state, abi->tstate_cframe);
    uint32_t first = python->depth, count = 0;
    for (;;) {
        uint32_t at = kept; /* an inner run is mostly found at once, or not at all */
        while (at > 0 && runs[at - 1].identity != (uintptr_t)run)
            at--;
        if (at > 0) {
            kept = at;
            break;
        }
        const char *outer = run != NULL ? vbt_load_pointer(run, abi->cframe_previous) : NULL;
        if (outer == NULL || first == 0)
            return update_all(joined, python);
        const char *caller = vbt_load_pointer(outer, abi->cframe_current);
        for (first--; first > 0 && python->frames[first - 1].frame != caller;)
            first--;
        found[count++] = new_run(run, python->frames, first);
        run = outer;
    }
    if (runs[kept - 1].first >= first || !chain_stayed(runs, kept, python->frames))
        return update_all(joined, python);
    joined->runs = kept;
    while (count > 0)
        runs[joined->runs++] = found[--count];
    return kept;
}

uint32_t vbt_runs_update(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t kept) {
    if (kept > joined->runs)
        kept = joined->runs;
    if (kept == 0 || joined->room->runs[0].identity == 0)
        return update_all(joined, python);
    return has_entries()                         ? update_by_entries(joined, python, kept)
           : has_chain() && chain_names_frames() ? update_by_chain(joined, python, kept)
                                                 : update_by_turns(joined, python, kept);
}

uint32_t vbt_runs_left(const struct vbt_joined_stack *joined, const struct vbt_python_stack *python) {
    const struct vbt_run *runs = joined->room->runs;
    uint32_t count = joined->runs;
    if (VBT_UNLIKELY(count == 0) || VBT_UNLIKELY(runs[0].identity == 0))
        return 0;
    if (has_entries()) {
        while (count > 0 && runs[count - 1].first >= python->same)
            count--;
        for (uint32_t i = python->same; i < python->depth; i++)
            if (VBT_UNLIKELY(is_entry(&python->frames[i])))
                return 0;
    } else if (has_chain() && chain_names_frames()) {
        uintptr_t innermost = vbt_load_word(python->state, vbt_python.abi.tstate_cframe);
        while (count > 0 && runs[count - 1].identity != innermost)
            count--;
    } else {
        bool is_left = joined->is_one_to_one && python->depth <= count && same_objects(joined, python, count) >= python->depth;
        return is_left ? python->depth : 0;
    }
    return count;
}

/* Only 3.11 has to be asked. The chain's structures are where they were, since the native frames
 * that they are in are. */
bool vbt_runs_are_alike(const struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t count) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (!has_chain() || !chain_names_frames())
        return true;
    const struct vbt_run *run = &joined->room->runs[count - 1];
    if (run->first > python->same || run->first >= python->depth)
        return false;
    for (; run > joined->room->runs; run--)
        if (VBT_UNLIKELY(vbt_load_pointer((const char *)run[-1].identity, abi->cframe_current) != run->frame))
            return false;
    return true;
}

/* ---- native frames ---- */

/* A frame's part of the stack ends where its caller's begins. */
static bool is_run(const struct vbt_native_frame *frame, const struct vbt_run *run) {
    if (has_entries() || has_chain())
        return frame->sp <= run->identity && run->identity < frame[-1].sp;
    return frame->pc > vbt_python.evaluate_start && frame->pc <= vbt_python.evaluate_end;
}

uint32_t vbt_run_frame(const struct vbt_native_frame *frames, uint32_t from, const struct vbt_run *run) {
    while (from > 0 && !is_run(&frames[from], run))
        from--;
    return from;
}

uint32_t vbt_runs_in_place(const struct vbt_joined_stack *joined, const struct vbt_native_stack *native) {
    const struct vbt_run *runs = joined->room->runs;
    const struct vbt_native_frame *frames = vbt_native_frames(native);
    uint32_t count = joined->runs;
    for (; count > 0; count--) {
        const struct vbt_run *run = &runs[count - 1];
        uint32_t frame = run->native - 1; /* its caller, and all outside it, are what they were */
        if (run->is_found && frame - 1 <= native->same && frame <= native->leaf && is_run(&frames[frame], run))
            break;
    }
    return count;
}
