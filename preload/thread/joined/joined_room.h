/* What joins native and Python frames: for joined_*.c alone. */
#ifndef VBT_JOINED_ROOM_H
#define VBT_JOINED_ROOM_H

#include "joined_stack.h"

/* A run of the evaluation loop. */
struct vbt_run {
    uintptr_t identity; /* address of the structure that the interpreter keeps for it; 3.8 and 3.9: of its Python frame */
    const char *frame;  /* up to 3.10: its Python frame; 3.11: the one outside it; NULL: there is none */
    uint32_t first;     /* the outermost of the Python frames that it executes; any before the outermost run's are its, too */
    uint32_t native;    /* the native frame after its own; if that was not found, after the one before */
    bool is_found;      /* its native frame is */
};

/* What was found before, by what it was found from. */

/* The node of a Python frame: by what it executes, and the node of the frame outside it. */
struct vbt_joined_step {
    uintptr_t key; /* key and key2: as in struct vbt_frame */
    uint32_t key2, parent, node;
    uint32_t generation; /* of code */
};

/* The node of native frames that lead to a run. */
struct vbt_joined_way {
    uint64_t list; /* as vbt_native_list numbers it */
    uint32_t parent, node;
};

/* The place of native frames that the innermost run has called. */
struct vbt_joined_end {
    uint64_t list;
    uint32_t parent, domain;
    struct vbt_place place;
};

/* Each table begins with few entries, and doubles while they displace each other often, up to
 * these. What was kept is then found elsewhere, if at all. */
enum {
    VBT_JOINED_FEW_BITS = 9,
    VBT_JOINED_STEP_BITS = 14,
    VBT_JOINED_WAY_BITS = 11,
    VBT_JOINED_END_BITS = 14,
};

/* Only what is used takes memory. */
struct vbt_joined_room {
    struct vbt_joined_step steps[1 << VBT_JOINED_STEP_BITS];
    struct vbt_joined_way ways[1 << VBT_JOINED_WAY_BITS];
    struct vbt_joined_end ends[1 << VBT_JOINED_END_BITS];
    struct vbt_place other;                 /* the place of a stack that is not remembered */
    struct vbt_run runs[VBT_STACK_FRAMES];  /* outermost first */
    uint32_t nodes[VBT_STACK_FRAMES];       /* of the Python frames */
    uint64_t lists[VBT_NATIVE_FRAMES + 1];  /* of the native frames from list_start to each */
    struct vbt_run found[VBT_STACK_FRAMES]; /* innermost first */
};

/* The runs that execute these Python frames, innermost first; returns how many. Python frames
 * without a run (there should be none) are treated as those of a run without a native frame. */
uint32_t vbt_runs_find(const struct vbt_python_stack *python, const struct vbt_frame *frames, uint32_t depth,
                       struct vbt_run *found);

/* How many of the runs make up the stack, if none has begun; else 0. Nothing is changed. Where the
 * native frames that lead to the innermost of them are what they were, vbt_runs_are_alike has to
 * agree. */
uint32_t vbt_runs_left(const struct vbt_joined_stack *joined, const struct vbt_python_stack *python);

/* Do the outermost `count` runs, of which there is at least one, execute the same Python frames? */
bool vbt_runs_are_alike(const struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t count);

/* May the innermost run's frame be the one of this stack pointer, the next inside the run's
 * caller? */
static inline bool vbt_run_reaches(const struct vbt_run *run, uintptr_t sp) {
    bool has_structure = vbt_python.abi.entry_owner != 0 || vbt_python.abi.cframe_previous != 0;
    return !has_structure || run->identity >= sp;
}

/* Brings the runs up to date, of which the outermost `kept` may have stayed. Returns how many have;
 * the others' native frames are to be found. */
uint32_t vbt_runs_update(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, uint32_t kept);

/* How many of the runs still have the same native frame, after a capture. */
uint32_t vbt_runs_in_place(const struct vbt_joined_stack *joined, const struct vbt_native_stack *native);

/* The native frame of a run: `from`, or one outside it; 0: there is none. */
uint32_t vbt_run_frame(const struct vbt_native_frame *frames, uint32_t from, const struct vbt_run *run);

/* Joins the stack anew, independently of all that is remembered, and compares: counts, in the
 * native stack, what was compared and what differs. node: of the stack as it was found. */
void vbt_joined_verify(struct vbt_joined_stack *joined, struct vbt_native_stack *native, struct vbt_python_stack *python,
                       const struct vbt_registers *caller, enum vbt_domain domain, uint32_t node);

#endif
