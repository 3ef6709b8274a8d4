/* See helper.h. */
#include "helper.h"

#include "helper_process.h"
#include "program_end.h"
#include "rights.h"
#include "surroundings.h"
#include "preload/base/clock.h"
#include "preload/base/lock.h"
#include "preload/base/start.h"
#include "preload/base/sys.h"
#include "preload/stream/stream.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

enum { NOTHING, LOOK, STOP };

/* The value of the process's id until the kernel has written it. */
enum { STARTING = 1 };

static VBT_CHANGED_BY_FORK struct {
    struct vbt_lock changing; /* one start or stop at a time */
    _Atomic uint32_t id;      /* of the process; 0: none; cleared and woken by the kernel when it ends */
    _Atomic uint32_t call;    /* what it is asked to do; it sleeps on this word */
    _Atomic uint32_t to_follow,
        followed; /* how often the program gave up rights or moved, and how many of these times the helper has followed */
    _Atomic uint32_t to_keep, kept; /* how often a state was to be kept, and how many of these times it was */
    _Atomic uint32_t leaves;        /* enum vbt_follow, since the helper looked: the program moves, or has moved */
    _Atomic bool dozes;
    int64_t first_tick;
    bool knows_itself;  /* has read what rights it has, and where it is */
    int64_t rights_due; /* when it next looks at the program's rights unasked, CLOCK_MONOTONIC, ns */
    const char *reason;
    bool finish;
    _Atomic bool impossible;
    bool (*put_in_order)(const char *end);
} helper;

/* Valgrind ends a program that starts such a process. It preloads a library of its own first. */
void vbt_helper_init(bool (*put_in_order)(const char *end)) {
    helper.put_in_order = put_in_order;
    vbt_program_end_init();
    for (char **entry = vbt_environment(); *entry != NULL; entry++)
        if (strncmp(*entry, "LD_PRELOAD=", 11) == 0 && strstr(*entry, "/vgpreload_core") != NULL)
            atomic_store(&helper.impossible, true);
}

void vbt_helper_reserve(void) {
    if (!atomic_load(&helper.impossible))
        vbt_helper_process_reserve();
}

bool vbt_helper_runs(void) { return atomic_load(&helper.id) != 0; }

bool vbt_helper_is_impossible(void) { return atomic_load(&helper.impossible); }

/* First the namespaces: the helper may lack the right to enter them when it has given up what the
 * program has given up. Either makes the memory, which is the program's, not dumpable: that is for
 * the program to decide, and is restored. */
static enum vbt_rights become_like_program(enum vbt_follow what) {
    long dumpable = vbt_sys(SYS_prctl, PR_GET_DUMPABLE);
    if (!helper.knows_itself) {
        vbt_rights_begin();
        vbt_surroundings_begin();
        helper.knows_itself = true;
    }
    if (what == VBT_FOLLOW_SOON) {
        vbt_stream_before_moving();
        vbt_surroundings_keep();
        return VBT_RIGHTS_EQUAL;
    }
    enum vbt_surroundings surroundings = vbt_surroundings_follow(what == VBT_FOLLOW_THERE, vbt_stream_before_moving);
    if (surroundings == VBT_SURROUNDINGS_ENTERED)
        vbt_rights_begin();
    enum vbt_rights rights = vbt_rights_follow(vbt_surroundings_share_users(), vbt_stream_before_losing_rights);
    if (dumpable == 1 && vbt_sys(SYS_prctl, PR_GET_DUMPABLE) != 1)
        vbt_sys(SYS_prctl, PR_SET_DUMPABLE, 1);
    return surroundings == VBT_SURROUNDINGS_CLOSED && rights == VBT_RIGHTS_EQUAL ? VBT_RIGHTS_UNKNOWN : rights;
}

/* Follows the program: at once if a hook asks for it; soon, if a system call may have bypassed the
 * hooks. */
static enum vbt_rights follow(void) {
    enum { SOON = 50 * 1000 * 1000 };
    uint32_t to_follow = atomic_load(&helper.to_follow);
    bool asked = to_follow != atomic_load(&helper.followed);
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC);
    if (!asked && now < helper.rights_due)
        return VBT_RIGHTS_EQUAL;
    helper.rights_due = now + SOON;
    enum vbt_rights rights = become_like_program(atomic_exchange(&helper.leaves, VBT_FOLLOW_RIGHTS));
    if (rights == VBT_RIGHTS_EQUAL && asked) {
        atomic_store(&helper.followed, to_follow);
        vbt_sys(SYS_futex, &helper.followed, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
    }
    return rights;
}

/* The program cannot ask the helper for it. */
static bool stop_unasked(const char *end, const char **reason, bool *finish) {
    *reason = end;
    *finish = helper.put_in_order == NULL || helper.put_in_order(end);
    return true;
}

bool vbt_helper_sleep(int64_t nanoseconds, const char **reason, bool *finish) {
    uint32_t call = atomic_load(&helper.call);
    if (call == NOTHING)
        vbt_program_end_sleep(&helper.call, NOTHING, nanoseconds);
    call = LOOK;
    atomic_compare_exchange_strong(&helper.call, &call, NOTHING);
    if (atomic_load(&helper.call) == STOP) {
        *reason = helper.reason;
        *finish = helper.finish;
        return true;
    }
    enum vbt_rights rights = follow();
    const char *end = vbt_program_end(); /* after it, since the rights of a process that has ended are unknown */
    if (end != NULL)
        return stop_unasked(end, reason, finish);
    if (rights == VBT_RIGHTS_SANDBOX)
        return stop_unasked("seccomp", reason, finish);
    *reason = VBT_STREAM_LEAVES;
    *finish = false;
    return rights != VBT_RIGHTS_EQUAL;
}

void vbt_helper_doze(void) { atomic_store(&helper.dozes, true); }

bool vbt_helper_dozes(void) { return atomic_load(&helper.dozes); }

void vbt_helper_rouse(void) {
    uint32_t nothing = NOTHING;
    if (!atomic_load(&helper.dozes) || !atomic_exchange(&helper.dozes, false))
        return;
    if (atomic_compare_exchange_strong(&helper.call, &nothing, LOOK))
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static int run(void *unused) {
    (void)unused;
    vbt_program_end_open();
    helper.knows_itself = false;
    vbt_stream_run(helper.first_tick);
    vbt_surroundings_end();
    vbt_program_end_close();
    return 0;
}

static bool start(void) {
    if (atomic_load(&helper.impossible))
        return false;
    atomic_store(&helper.followed, atomic_load(&helper.to_follow));
    int result = vbt_helper_process_make(run, &helper.id);
    if (result < 0 && result != -EAGAIN && result != -ENOMEM)
        atomic_store(&helper.impossible, true); /* an emulator or a system call filter: trying again later will not help */
    return result == 0;
}

bool vbt_helper_start(int64_t first_tick) {
    if (!vbt_trylock(&helper.changing))
        return false;
    bool runs = vbt_helper_runs();
    if (!runs) {
        atomic_store(&helper.id, STARTING);
        helper.first_tick = first_tick;
        runs = start();
        if (!runs)
            atomic_store(&helper.id, 0);
    }
    vbt_unlock(&helper.changing);
    return runs;
}

void vbt_helper_stop(const char *reason, bool finish) {
    vbt_lock(&helper.changing);
    helper.reason = reason;
    helper.finish = finish;
    atomic_store(&helper.call, STOP);
    if (vbt_helper_runs()) {
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    } else {
        atomic_store(&helper.id, STARTING);
        if (!start()) {
            atomic_store(&helper.id, 0);
            vbt_stream_run(0);
        }
    }
    uint32_t id, last = 0;
    while ((id = atomic_load(&helper.id)) != 0) {
        last = id;
        vbt_sys(SYS_futex, &helper.id, FUTEX_WAIT, id, 0, 0, 0); /* not private, as the kernel's wake is not */
    }
    if (last != 0)
        vbt_helper_process_reap(last);
    atomic_store(&helper.call, NOTHING);
    atomic_store(&helper.dozes, false);
    vbt_unlock(&helper.changing);
}

/* Wakes the helper, and waits until it has counted so far, or has ended. */
static void wake_and_wait(_Atomic uint32_t *done, uint32_t wanted) {
    const struct timespec look_again = {0, 10 * 1000 * 1000};
    uint32_t nothing = NOTHING;
    if (atomic_compare_exchange_strong(&helper.call, &nothing, LOOK))
        vbt_sys(SYS_futex, &helper.call, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
    while (vbt_helper_runs()) {
        uint32_t count = atomic_load(done);
        if ((int32_t)(count - wanted) >= 0)
            return;
        vbt_sys(SYS_futex, done, FUTEX_WAIT_PRIVATE, count, &look_again, 0, 0);
    }
}

void vbt_helper_follow(enum vbt_follow what) {
    if (what == VBT_FOLLOW_THERE)
        vbt_surroundings_left();
    if (what != VBT_FOLLOW_RIGHTS)
        atomic_store(&helper.leaves, what);
    uint32_t wanted = atomic_fetch_add(&helper.to_follow, 1) + 1;
    wake_and_wait(&helper.followed, wanted);
}

void vbt_helper_keep(void) {
    uint32_t wanted = atomic_fetch_add(&helper.to_keep, 1) + 1;
    wake_and_wait(&helper.kept, wanted);
}

bool vbt_helper_keeps(void) { return atomic_load(&helper.to_keep) != atomic_load(&helper.kept); }

void vbt_helper_has_kept(void) {
    atomic_store(&helper.kept, atomic_load(&helper.to_keep));
    vbt_sys(SYS_futex, &helper.kept, FUTEX_WAKE_PRIVATE, INT32_MAX, 0, 0, 0);
}

void vbt_helper_after_fork(void) {
    vbt_helper_process_after_fork();
    vbt_program_end_init();
    helper.changing = (struct vbt_lock){0};
    atomic_store(&helper.id, 0);
    atomic_store(&helper.call, NOTHING);
    atomic_store(&helper.dozes, false);
    atomic_store(&helper.kept, atomic_load(&helper.to_keep));
}
