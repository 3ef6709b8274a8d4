/* The functions that vbtrace.h and the Python module call. */
#include "hook.h"
#include "preload/base/clock.h"
#include "preload/python/python_code.h"
#include "preload/thread/program_counts.h"
#include "preload/vbtrace.h"

#include <string.h>

/* The nearest place in the program's own code: Python frames of vbtrace's own module are
 * skipped. */
static uint32_t section_site(struct vbt_thread *thread, uintptr_t caller) {
    const struct vbt_frame *python = vbt_python_leaf(&thread->stack);
    uint32_t node = python != NULL ? python->node : 0;
    while (node != 0 && (vbt_node_at(node)->flags & VBT_SITE_OWN))
        node = vbt_node_at(node)->parent;
    return node != 0 ? vbt_node_at(node)->site : vbt_native_site(caller);
}

static uint32_t label_id(const char *label) {
    vbt_lock(&vbt_tree_lock);
    uint32_t id = vbt_intern_string(label, strnlen(label, VBT_LABEL_MAX));
    vbt_unlock(&vbt_tree_lock);
    return id;
}

VBT_EXPORT void vbtrace_section_begin(const char *label, uint64_t iterations) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    uint32_t site = section_site(thread, VBT_CALLER);
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    vbt_intervals_section_begin(&thread->ledger, site, label_id(label), iterations, now);
    vbt_leave(thread);
}

/* False if nothing is recorded, or no such section was. */
static bool end_section(const char *label, uintptr_t caller, struct vbt_section_counts *counts) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return false;
    vbt_stand(thread, VBT_IN_LEDGER);
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    uint32_t site = section_site(thread, caller);
    bool counted = vbt_intervals_section_end_counted(&thread->ledger, site, label_id(label), now, counts);
    vbt_leave(thread);
    return counted;
}

VBT_EXPORT void vbtrace_section_end(const char *label) {
    struct vbt_section_counts unused;
    end_section(label, VBT_CALLER, &unused);
}

VBT_EXPORT int vbtrace_section_end_counted(const char *label, struct vbtrace_counters *out) {
    struct vbt_section_counts counts = {0};
    bool counted = end_section(label, VBT_CALLER, &counts);
    *out = (struct vbtrace_counters){
        .allocations = counts.flow.allocs,
        .frees = counts.flow.frees,
        .allocated_bytes = counts.flow.allocated,
        .freed_bytes = counts.flow.freed,
        .live_bytes = (int64_t)(counts.flow.allocated - counts.flow.freed),
        .peak_bytes = counts.high,
    };
    return counted;
}

enum { OF_PROCESS, OF_THREAD, OF_PROCESS_LATELY }; /* the last: its peak is that since vbtrace_peak_restart */

VBT_EXPORT int vbtrace_count(int of, struct vbtrace_counters *out) {
    struct vbt_thread *thread = vbt_enter();
    *out = (struct vbtrace_counters){0};
    if (thread == NULL)
        return 0;
    struct vbt_program_counts counts;
    vbt_program_counts_read(of == OF_THREAD ? thread : NULL, &counts);
    vbt_leave(thread);
    *out = (struct vbtrace_counters){
        .allocations = counts.allocs,
        .frees = counts.frees,
        .allocated_bytes = counts.allocated,
        .freed_bytes = counts.freed,
        .live_bytes = counts.live,
        .peak_bytes = of == OF_THREAD           ? 0
                      : of == OF_PROCESS_LATELY ? counts.peak_lately
                                                : counts.peak,
    };
    return 1;
}

/* The program's live bytes of heap and Python's memory: exact for the calling thread, as last
 * published for the others. What vbtrace's own Python code holds is not included. */
VBT_EXPORT int64_t vbtrace_live_bytes(void) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return 0;
    const struct vbt_ledger *ledger = &thread->ledger;
    int64_t others = atomic_load(&vbt_peak.total) - atomic_load_explicit(&ledger->published, memory_order_relaxed);
    int64_t live = others + ledger->live - ledger->own;
    vbt_leave(thread);
    return live;
}

/* The peak that vbtrace_count tells as of the process since this call is counted from now on. */
VBT_EXPORT void vbtrace_peak_restart(void) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    vbt_program_counts_restart_peak(&thread->ledger);
    vbt_leave(thread);
}

VBT_EXPORT void vbtrace_recording_start(void) { vbt_lifecycle_record(true); }

VBT_EXPORT void vbtrace_recording_stop(void) { vbt_lifecycle_record(false); }

/* Python code of this file is vbtrace's own: sections and intervals do not include what it
 * allocates. */
VBT_EXPORT void vbtrace_own_file(const char *path) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    if (vbt_python_own_file(path))
        vbt_program_counts_disown(&thread->ledger);
    vbt_leave(thread);
}
