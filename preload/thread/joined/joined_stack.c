/* See joined_stack.h. */
#include "joined_stack.h"

#include "joined_room.h"
#include "preload/base/memory.h"
#include "preload/native/native_tail.h"
#include "preload/python/python_code.h"
#include "preload/tree/tree.h"

#include <string.h>

#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

void vbt_joined_reset(struct vbt_joined_stack *joined) { joined->runs = joined->depth = joined->listed = 0; }

void vbt_joined_expire(struct vbt_joined_stack *joined) {
    struct vbt_joined_room *room = joined->room;
    vbt_joined_reset(joined);
    if (room == NULL)
        return;
    memset(room->steps, 0, sizeof *room->steps << joined->steps.bits);
    memset(room->ways, 0, sizeof *room->ways << joined->ways.bits);
    memset(room->ends, 0, sizeof *room->ends << joined->ends.bits);
}

uint32_t vbt_joined_in_domain(uint32_t node, enum vbt_domain domain) {
    const struct vbt_node *at = vbt_node_at(node);
    return at->domain == domain ? node : vbt_node_of(at->parent, at->site, domain);
}

static bool is_lost(uint32_t node) {
    return node == vbt_tree.lost_nodes[VBT_DOMAIN_HEAP] || node == vbt_tree.lost_nodes[VBT_DOMAIN_PYTHON];
}

/* ---- nodes ---- */

/* An entry is about to be displaced, which was valid. */
static void displace(struct vbt_joined_table *table, uint32_t most_bits, const struct vbt_ledger *ledger) {
    uint64_t now = ledger->totals[VBT_DOMAIN_HEAP].allocs + ledger->totals[VBT_DOMAIN_PYTHON].allocs;
    if (VBT_UNLIKELY(vbt_crowd_is_dense(&table->crowd, 1U << table->bits, now)) && table->bits < most_bits)
        table->bits++;
}

/* The number of an entry. */
VBT_INLINE uint64_t number_of(const struct vbt_joined_table *table, uint64_t hash) { return hash * GOLDEN >> (64 - table->bits); }

static __attribute__((noinline)) uint32_t new_step(struct vbt_joined_stack *joined, const struct vbt_python_stack *python,
                                                   struct vbt_joined_step *step, const struct vbt_frame *frame, uint32_t parent) {
    uint32_t site = vbt_python_site(frame->frame, frame->key, frame->key2);
    uint32_t node = site == vbt_transparent_site ? parent : vbt_node_of(parent, site, VBT_DOMAIN_PYTHON);
    if (is_lost(node))
        return node;
    if (step->generation == python->code_generation)
        displace(&joined->steps, VBT_JOINED_STEP_BITS, python->ledger);
    *step = (struct vbt_joined_step){frame->key, frame->key2, parent, node, python->code_generation};
    return node;
}

/* The node of a Python frame; that of the frame outside it, if it has no place of its own. */
VBT_INLINE uint32_t step(struct vbt_joined_stack *joined, const struct vbt_python_stack *python, const struct vbt_frame *frame,
                         uint32_t parent) {
    const struct vbt_python_abi *abi = &vbt_python.abi;
    if (abi->entry_owner != 0 && *(const int8_t *)(frame->frame + abi->frame_owner) >= abi->entry_owner)
        return parent;
    uint64_t hash = (frame->key + frame->key2) ^ (uint64_t)parent << 32;
    struct vbt_joined_step *step = &joined->room->steps[number_of(&joined->steps, hash)];
    bool is_known = step->key == frame->key && step->parent == parent && step->key2 == frame->key2 &&
                    step->generation == python->code_generation;
    return VBT_LIKELY(is_known) ? step->node : new_step(joined, python, step, frame, parent);
}

/* The list of the native frames from `start` to `end`; 0: there are none. */
static uint64_t list_of(struct vbt_joined_stack *joined, struct vbt_native_stack *native, uint32_t start, uint32_t end) {
    const struct vbt_native_frame *frames = vbt_native_frames(native);
    uint64_t *lists = joined->room->lists;
    if (start > end)
        return 0;
    if (joined->list_start != start || joined->listed < start) {
        joined->list_start = start;
        joined->listed = start;
        lists[start] = vbt_native_list(native, 0, frames[start].node);
    }
    for (; joined->listed < end; joined->listed++)
        lists[joined->listed + 1] = vbt_native_list(native, lists[joined->listed], frames[joined->listed + 1].node);
    return lists[end];
}

/* The node of the native frames from `start` to `end` under another. */
static uint32_t way(struct vbt_joined_stack *joined, struct vbt_native_stack *native, const struct vbt_ledger *ledger,
                    uint32_t parent, uint32_t start, uint32_t end) {
    uint64_t list = list_of(joined, native, start, end);
    struct vbt_joined_way *way = &joined->room->ways[number_of(&joined->ways, list * GOLDEN ^ parent)];
    if (list == 0 || (way->list == list && way->parent == parent))
        return list == 0 ? parent : way->node;
    uint32_t node = parent;
    for (; start <= end; start++)
        node = vbt_node_of(node, vbt_native_frames(native)[start].node, VBT_DOMAIN_HEAP);
    if (is_lost(node))
        return node;
    if (way->list != 0)
        displace(&joined->ways, VBT_JOINED_WAY_BITS, ledger);
    *way = (struct vbt_joined_way){list, parent, node};
    return node;
}

/* The node outside all frames. */
static uint32_t root_of(const struct vbt_native_stack *native) {
    return native->cut != VBT_CUT_NONE ? vbt_native_cut_node(native->cut) : 0;
}

static uint32_t first_of(const struct vbt_run *runs, uint32_t run) { return run > 0 ? runs[run].first : 0; }

/* Gives the Python frames from `from` on their nodes; the runs and their native frames are
 * known. */
static void find_nodes(struct vbt_joined_stack *joined, struct vbt_native_stack *native, struct vbt_python_stack *python,
                       uint32_t from) {
    struct vbt_joined_room *room = joined->room;
    const struct vbt_run *runs = room->runs;
    uint32_t at = joined->runs - 1;
    while (first_of(runs, at) > from)
        at--;
    uint32_t node = from > 0 ? room->nodes[from - 1] : root_of(native);
    for (; at < joined->runs; at++) {
        uint32_t end = at + 1 < joined->runs ? runs[at + 1].first : python->depth;
        if (from == first_of(runs, at) && runs[at].is_found)
            node = way(joined, native, python->ledger, node, at > 0 ? runs[at - 1].native : 1, runs[at].native - 2);
        for (; from < end; from++)
            room->nodes[from] = node = step(joined, python, &python->frames[from], node);
    }
    joined->depth = python->same = python->depth;
}

/* ---- the innermost native frames ---- */

static struct vbt_joined_end *end_of(struct vbt_joined_stack *joined, uint64_t list, uint32_t parent, enum vbt_domain domain) {
    return &joined->room->ends[number_of(&joined->ends, (list * GOLDEN ^ parent) + domain)];
}

VBT_INLINE bool is_end(const struct vbt_joined_end *end, uint64_t list, uint32_t parent, enum vbt_domain domain) {
    return end->list == list && end->parent == parent && end->domain == (uint32_t)domain && end->place.counters != NULL;
}

/* The place of a node that is an end, or was found without one (NULL). */
static struct vbt_place *keep_end(struct vbt_joined_stack *joined, struct vbt_python_stack *python, struct vbt_joined_end *end,
                                  struct vbt_joined_end key, uint32_t node) {
    key.place = vbt_place_of(python->ledger, node);
    joined->room->other = key.place;
    if (key.place.counters == NULL || is_lost(node))
        return &joined->room->other;
    if (end->place.counters != NULL)
        displace(&joined->ends, VBT_JOINED_END_BITS, python->ledger);
    *end = key;
    return &end->place;
}

/* The place of the frames from `start` on of the latest capture, under a node. */
static struct vbt_place *captured_end(struct vbt_joined_stack *joined, struct vbt_native_stack *native,
                                      struct vbt_python_stack *python, uint32_t parent, uint32_t start, enum vbt_domain domain) {
    uint64_t list = list_of(joined, native, start, native->leaf);
    struct vbt_joined_end *end = end_of(joined, list, parent, domain);
    if (VBT_LIKELY(is_end(end, list, parent, domain)))
        return &end->place;
    const struct vbt_native_frame *frames = vbt_native_frames(native);
    uint32_t node = parent;
    for (; start < native->leaf; start++)
        node = vbt_node_of(node, frames[start].node, VBT_DOMAIN_HEAP);
    node = start == native->leaf ? vbt_node_of(node, frames[start].node, domain) : vbt_joined_in_domain(node, domain);
    return keep_end(joined, python, end, (struct vbt_joined_end){.list = list, .parent = parent, .domain = domain}, node);
}

static struct vbt_place *remembered_end(struct vbt_joined_stack *joined, struct vbt_python_stack *python,
                                        const struct vbt_native_tail *tail, uint32_t parent, enum vbt_domain domain) {
    struct vbt_joined_end *end = end_of(joined, tail->list, parent, domain);
    if (VBT_LIKELY(is_end(end, tail->list, parent, domain)))
        return &end->place;
    uint32_t node = parent, count = tail->sites_count;
    for (uint32_t i = 0; i + 1 < count; i++)
        node = vbt_node_of(node, tail->sites[i], VBT_DOMAIN_HEAP);
    node = count > 0 ? vbt_node_of(node, tail->sites[count - 1], domain) : vbt_joined_in_domain(node, domain);
    return keep_end(joined, python, end, (struct vbt_joined_end){.list = tail->list, .parent = parent, .domain = domain}, node);
}

/* ---- the whole ---- */

/* The place, if the native stack need not be captured: the innermost run has stayed, and what it
 * called is remembered. */
static struct vbt_place *remembered(struct vbt_joined_stack *joined, struct vbt_native_stack *native,
                                    struct vbt_python_stack *python, const struct vbt_registers *caller, enum vbt_domain domain) {
    struct vbt_joined_room *room = joined->room;
    if (VBT_UNLIKELY(native->cut != VBT_CUT_NONE) || VBT_UNLIKELY(joined->cut != VBT_CUT_NONE))
        return NULL;
    uint32_t count = vbt_runs_left(joined, python);
    const struct vbt_run *run = &room->runs[(int64_t)count - 1];
    if (VBT_UNLIKELY(count == 0) || VBT_UNLIKELY(!run->is_found) || VBT_UNLIKELY(run->native <= 2))
        return NULL;
    const struct vbt_native_tail *tail = vbt_native_tail(native, caller, run->native - 2);
    if (VBT_UNLIKELY(tail == NULL) || VBT_UNLIKELY(!vbt_run_reaches(run, caller->sp + tail->first_sp)) ||
        VBT_UNLIKELY(!vbt_runs_are_alike(joined, python, count)))
        return NULL;
    joined->runs = count;
    uint32_t from = python->same < joined->depth ? python->same : joined->depth;
    if (from < python->depth)
        find_nodes(joined, native, python, from);
    joined->depth = python->same = python->depth;
    return remembered_end(joined, python, tail, room->nodes[python->depth - 1], domain);
}

/* Finds the native frames of the runs that have not stayed. */
static void find_frames(struct vbt_joined_stack *joined, const struct vbt_native_stack *native, uint32_t kept) {
    const struct vbt_native_frame *frames = vbt_native_frames(native);
    struct vbt_run *runs = joined->room->runs;
    uint32_t next = native->leaf;
    for (uint32_t at = joined->runs; at-- > kept;) {
        runs[at].native = vbt_run_frame(frames, next, &runs[at]);
        if (runs[at].native != 0)
            next = runs[at].native - 1;
    }
    next = kept > 0 ? runs[kept - 1].native : 1;
    for (; kept < joined->runs; kept++) {
        struct vbt_run *run = &runs[kept];
        run->is_found = run->native >= next;
        next = run->native = run->is_found ? run->native + 1 : next;
    }
}

/* leaf: NULL if no Python code runs. */
static struct vbt_place *captured(struct vbt_joined_stack *joined, struct vbt_native_stack *native, struct vbt_python_stack *python,
                                  const struct vbt_frame *leaf, enum vbt_domain domain) {
    if (joined->listed > native->same)
        joined->listed = native->same;
    uint32_t kept = joined->cut == native->cut ? vbt_runs_in_place(joined, native) : 0;
    joined->cut = native->cut;
    if (leaf == NULL || leaf == &python->cut) {
        vbt_joined_reset(joined);
        uint32_t root = root_of(native);
        if (leaf != NULL)
            root = vbt_node_of(root, vbt_python_site(leaf->frame, leaf->key, leaf->key2), VBT_DOMAIN_PYTHON);
        return captured_end(joined, native, python, root, 1, domain);
    }
    uint32_t from = python->same < joined->depth ? python->same : joined->depth;
    kept = vbt_runs_update(joined, python, kept);
    find_frames(joined, native, kept);
    if (kept < joined->runs && first_of(joined->room->runs, kept) < from)
        from = first_of(joined->room->runs, kept);
    if (from < python->depth)
        find_nodes(joined, native, python, from);
    const struct vbt_run *run = &joined->room->runs[joined->runs - 1];
    joined->depth = python->same = python->depth;
    struct vbt_place *place = captured_end(joined, native, python, joined->room->nodes[python->depth - 1], run->native, domain);
    if (run->is_found && run->native > 2)
        vbt_native_tail_remember(native, run->native - 2, list_of(joined, native, run->native, native->leaf));
    return place;
}

static bool open_room(struct vbt_joined_stack *joined) {
    joined->steps.bits = joined->ways.bits = joined->ends.bits = VBT_JOINED_FEW_BITS;
    return (joined->room = vbt_map(sizeof *joined->room)) != NULL;
}

struct vbt_place *vbt_joined_place(struct vbt_joined_stack *joined, struct vbt_native_stack *native,
                                   struct vbt_python_stack *python, const struct vbt_registers *caller, enum vbt_domain domain) {
    if (VBT_UNLIKELY(joined->room == NULL) && !open_room(joined))
        return NULL;
    const struct vbt_frame *leaf = vbt_python_chain(python);
    struct vbt_place *place = NULL;
    if (VBT_UNLIKELY(leaf == &python->override)) {
        uint32_t node = vbt_node_of(leaf->node, vbt_native_site(caller->pc), domain);
        joined->room->other = vbt_place_of(python->ledger, node);
        return &joined->room->other;
    }
    if (VBT_LIKELY(leaf != NULL) && VBT_LIKELY(leaf != &python->cut))
        place = remembered(joined, native, python, caller, domain);
    if (VBT_UNLIKELY(place == NULL)) {
        if (!vbt_native_capture_sites(native, caller))
            return NULL;
        place = captured(joined, native, python, leaf, domain);
    }
    if (VBT_UNLIKELY(vbt_native_verify_every != 0) && ++joined->unverified >= vbt_native_verify_every)
        vbt_joined_verify(joined, native, python, caller, domain, place->node);
    return place;
}
