/* See text_sources.h. */
#include "text_sources.h"

#include "preload/lines/line_sources.h"
#include "preload/python/python.h"
#include "preload/thread/enter.h"

/* Files that wait for the pending call; 0: the place is free. Those for which there is no room are
 * shown without source. */
enum { WAITING = 32 };

static _Atomic uint32_t waiting[WAITING];
static _Atomic bool scheduled;

/* Runs in the first interpreter's main thread. */
static int keep_waiting(void *unused) {
    (void)unused;
    struct vbt_thread *thread = vbt_thread_own();
    atomic_store(&scheduled, false);
    for (int i = 0; i < WAITING; i++) {
        uint32_t file = atomic_exchange(&waiting[i], 0);
        if (file != 0 && thread != NULL)
            vbt_line_sources_keep(thread, file);
    }
    return 0;
}

/* The interpreter may read the clock to take its lock: that is none of the program's readings. */
static bool schedule(void) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL)
        return false;
    enum vbt_standing before = atomic_load_explicit(&thread->standing, memory_order_relaxed);
    vbt_stand(thread, VBT_IN_CALL);
    bool done = vbt_python.add_pending_call(keep_waiting, NULL) == 0;
    vbt_stand(thread, before);
    return done;
}

static void file_seen(uint32_t file) {
    if (!vbt_line_sources_may_have(file))
        return;
    for (int i = 0; i < WAITING; i++) {
        uint32_t free_place = 0;
        if (atomic_compare_exchange_strong(&waiting[i], &free_place, file))
            break;
    }
    if (!atomic_exchange(&scheduled, true) && !schedule())
        atomic_store(&scheduled, false);
}

void vbt_text_sources_begin(void) {
    vbt_line_sources_begin();
    atomic_store(&scheduled, false);
    vbt_python_file_seen = file_seen;
}
