/* The functions that vbtrace.h and the Python module call. */
#include "hook.h"
#include "preload/base/clock.h"
#include "preload/python/python_code.h"

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
    enum { LABEL_MAX = 1024 }; /* bytes that distinguish labels */
    vbt_lock(&vbt_tree_lock);
    uint32_t id = vbt_intern_string(label, strnlen(label, LABEL_MAX));
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

VBT_EXPORT void vbtrace_section_end(const char *label) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    uint32_t site = section_site(thread, VBT_CALLER);
    vbt_intervals_section_end(&thread->ledger, site, label_id(label), now);
    vbt_leave(thread);
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

VBT_EXPORT void vbtrace_recording_start(void) { vbt_lifecycle_record(true); }

VBT_EXPORT void vbtrace_recording_stop(void) { vbt_lifecycle_record(false); }

/* Python code of this file is vbtrace's own: sections and intervals do not include what it
 * allocates. */
VBT_EXPORT void vbtrace_own_file(const char *path) {
    struct vbt_thread *thread = vbt_enter();
    if (thread == NULL)
        return;
    vbt_stand(thread, VBT_IN_LEDGER);
    vbt_python_own_file(path);
    vbt_leave(thread);
}
