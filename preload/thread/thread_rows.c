/* See thread_rows.h. */
#include "thread_rows.h"

#include "preload/base/clock.h"
#include "preload/base/proc.h"
#include "preload/base/sys.h"
#include "preload/process/process.h"
#include "preload/shared/say.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

static VBT_CHANGED_BY_FORK _Atomic uint32_t begun; /* threads */
static VBT_CHANGED_BY_FORK struct vbt_thread_row rows[VBT_THREAD_LATER + 1];

uint32_t vbt_thread_row_begin(uint32_t tid) {
    uint32_t number = atomic_fetch_add(&begun, 1) + 1;
    if (number > VBT_THREAD_LATER)
        return VBT_THREAD_LATER;
    struct vbt_thread_row *row = &rows[number];
    row->begun = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    if (number < VBT_THREAD_LATER)
        vbt_sys(SYS_prctl, PR_GET_NAME, row->name); /* later it may be gone */
    memcpy(row->first_name, row->name, sizeof row->name);
    atomic_store_explicit(&row->tid, tid, memory_order_release);
    return number;
}

void vbt_thread_row_named(uint32_t tid, const char *name) {
    char all[VBT_THREAD_NAME] = "";
    uint64_t words[VBT_THREAD_NAME / 8];
    uint32_t number = atomic_load(&begun);
    if (tid == 0)
        tid = (uint32_t)vbt_sys(SYS_gettid); /* in the child of a vfork, not that of its parent's thread */
    number = number < VBT_THREAD_LATER ? number : VBT_THREAD_LATER - 1;
    while (number > 0 && atomic_load_explicit(&rows[number].tid, memory_order_acquire) != tid)
        number--;
    if (number == 0)
        return; /* it gets its row, with its name, at its first event */
    if (name != NULL)
        memcpy(all, name, strnlen(name, sizeof all - 1));
    else
        vbt_sys(SYS_prctl, PR_GET_NAME, all);
    memcpy(words, all, sizeof words);
    for (unsigned i = 0; i < VBT_THREAD_NAME / 8; i++)
        atomic_store_explicit(&rows[number].called[i], words[i], memory_order_relaxed);
    atomic_fetch_add(&rows[number].times_called, 1);
}

void vbt_thread_row_called(uint32_t number, const char *name) {
    struct vbt_thread_row *row = &rows[number];
    if (number == 0 || number >= VBT_THREAD_LATER || atomic_load(&row->has_long_name))
        return;
    memcpy(row->long_name, name, strnlen(name, sizeof row->long_name - 1));
    atomic_store_explicit(&row->has_long_name, true, memory_order_release);
}

const char *vbt_thread_row_name(const struct vbt_thread_row *row) {
    bool is_told = memcmp(row->name, row->first_name, sizeof row->name) != 0;
    return !is_told && atomic_load_explicit(&row->has_long_name, memory_order_acquire) ? row->long_name : row->name;
}

uint32_t vbt_thread_count(void) { return atomic_load(&begun); }

const struct vbt_thread_row *vbt_thread_row_at(uint32_t row) { return &rows[row]; }

bool vbt_thread_is_gone(uint32_t tid) { return vbt_sys(SYS_tgkill, vbt_pid, tid, 0) == -ESRCH; }

static bool read_name(struct vbt_thread_row *row, uint32_t tid) {
    char path[64], name[VBT_THREAD_NAME + 1];
    vbt_format(path, sizeof path, "/proc/%d/task/%d/comm", vbt_pid, (int)tid);
    long fd = vbt_proc_open(path);
    if (vbt_sys_failed(fd))
        return false;
    long size = vbt_sys(SYS_read, fd, name, sizeof name);
    vbt_sys(SYS_close, fd);
    if (size <= 1)
        return false;
    size--; /* the newline */
    memcpy(row->name, name, (size_t)size);
    memset(row->name + size, 0, sizeof row->name - (size_t)size);
    return true;
}

static void take_called(struct vbt_thread_row *row) {
    uint64_t words[VBT_THREAD_NAME / 8];
    for (unsigned i = 0; i < VBT_THREAD_NAME / 8; i++)
        words[i] = atomic_load_explicit(&row->called[i], memory_order_relaxed);
    memcpy(row->name, words, sizeof words);
}

/* What the kernel says is the newest, unless a hook has seen another name since, or the thread is
 * gone. */
static void look_at_name(struct vbt_thread_row *row, uint32_t tid) {
    uint32_t before = atomic_load(&row->times_called);
    bool is_read = row->ended == 0 && read_name(row, tid);
    uint32_t now = atomic_load(&row->times_called);
    if (now != row->times_seen && !(is_read && now == before))
        take_called(row);
    row->times_seen = now;
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
        look_at_name(row, tid);
    }
}

void vbt_thread_rows_after_fork(uint32_t tid) {
    uint32_t used = vbt_thread_count() < VBT_THREAD_LATER ? vbt_thread_count() : VBT_THREAD_LATER;
    memset(rows, 0, (used + 1) * sizeof rows[0]);
    atomic_store(&begun, 0);
    if (tid != 0)
        vbt_thread_row_begin(tid);
}
