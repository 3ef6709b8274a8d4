/* See thread_rows.h. */
#include "thread_rows.h"

#include "preload/base/clock.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/say.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>

static _Atomic uint32_t begun; /* threads */
static struct vbt_thread_row rows[VBT_THREAD_LATER + 1];

uint32_t vbt_thread_row_begin(uint32_t tid) {
    uint32_t number = atomic_fetch_add(&begun, 1) + 1;
    if (number > VBT_THREAD_LATER)
        return VBT_THREAD_LATER;
    struct vbt_thread_row *row = &rows[number];
    row->begun = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    if (number < VBT_THREAD_LATER)
        vbt_sys(SYS_prctl, PR_GET_NAME, row->name); /* later it may be gone */
    atomic_store_explicit(&row->tid, tid, memory_order_release);
    return number;
}

uint32_t vbt_thread_count(void) { return atomic_load(&begun); }

const struct vbt_thread_row *vbt_thread_row_at(uint32_t row) { return &rows[row]; }

bool vbt_thread_is_gone(uint32_t tid) { return vbt_sys(SYS_tgkill, vbt_pid, tid, 0) == -ESRCH; }

static void read_name(struct vbt_thread_row *row, uint32_t tid) {
    char path[64], name[VBT_THREAD_NAME + 1];
    vbt_format(path, sizeof path, "/proc/%d/task/%d/comm", vbt_pid, (int)tid);
    long fd = vbt_sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (vbt_sys_failed(fd))
        return;
    long size = vbt_sys(SYS_read, fd, name, sizeof name);
    vbt_sys(SYS_close, fd);
    if (size > 1) {
        size--; /* the newline */
        memcpy(row->name, name, (size_t)size);
        memset(row->name + size, 0, sizeof row->name - (size_t)size);
    }
}

void vbt_thread_rows_look(int64_t time) {
    uint32_t count = vbt_thread_count();
    for (uint32_t number = 1; number <= count && number < VBT_THREAD_LATER; number++) {
        struct vbt_thread_row *row = &rows[number];
        uint32_t tid = atomic_load_explicit(&row->tid, memory_order_acquire);
        if (tid == 0 || row->ended != 0)
            continue;
        if (vbt_thread_is_gone(tid))
            row->ended = time;
        else
            read_name(row, tid);
    }
}

void vbt_thread_rows_after_fork(uint32_t tid) {
    memset(rows, 0, sizeof rows);
    atomic_store(&begun, 0);
    if (tid != 0)
        vbt_thread_row_begin(tid);
}
