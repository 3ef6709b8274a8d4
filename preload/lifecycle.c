/* See lifecycle.h.
 *
 * The library wakes at the first allocation or in its constructor (constructor.c), whichever comes
 * first. It ends in a handler that was registered before all others and therefore runs after all
 * others, including destructors. */
#include "lifecycle.h"

#include "preload/base/clock.h"
#include "preload/base/proc.h"
#include "preload/base/real.h"
#include "preload/ledger/ledger.h"
#include "preload/ledger/maps.h"
#include "preload/lines/books/line_books.h"
#include "preload/native/native_oracle.h"
#include "preload/native/native_rules.h"
#include "preload/process/process.h"
#include "preload/python/python_code.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"
#include "preload/stream/helper/helper.h"
#include "preload/stream/runner.h"
#include "preload/stream/stream.h"
#include "preload/stream/stream_summary.h"
#include "preload/stream/trace_path.h"
#include "preload/stream/trace_room.h"
#include "preload/thread/books.h"
#include "preload/thread/enter.h"
#include "preload/thread/pause.h"
#include "preload/thread/trim.h"
#include "preload/tree/main_program.h"
#include "preload/tree/modules.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

/* A process writes nothing in its first moments, while an interpreter starts: if it ends soon,
 * everything is written at once. If it execs even sooner, it was only a wrapper. (Time spent
 * waiting for a processor does not count towards that: on a busy machine, a wrapper is still a
 * wrapper.) If the kernel refuses a process for the helper, it is asked again after a while. All in
 * ns. */
enum { FIRST_TICK = 50 * 1000 * 1000, WRAPPER = 30 * 1000 * 1000, AFTER_REFUSAL = 1000 * 1000 * 1000 };

_Atomic(vbt_still_starting) vbt_lifecycle_still_starting;

static _Atomic int awake;                         /* 0 no, 1 waking, 2 yes */
static VBT_CHANGED_BY_FORK int64_t helper_due;    /* CLOCK_MONOTONIC, ns: when poll starts the helper */
static VBT_CHANGED_BY_FORK int64_t waited_before; /* for a processor, when the process began; ns */
static bool over;                                 /* recording has stopped for good */
static VBT_CHANGED_BY_FORK _Atomic bool ending;   /* a thread is about to make the helper write the end */
static VBT_CHANGED_BY_FORK bool summary_over;     /* has been printed, or will not be */
static VBT_CHANGED_BY_FORK _Atomic bool idle;     /* the child of a fork, in which nothing has happened yet */

/* Beginning a trace touches many pages that a child shares with its parent, and most children of a
 * program with one thread do nothing, or execute another program. Their trace begins at their first
 * event, as in a process that was forked without handlers. */
static VBT_CHANGED_BY_FORK struct {
    bool is_due;
    int64_t time; /* of the fork: CLOCK_MONOTONIC, ns */
} postponed;

static bool put_in_order(const char *end);

/* More accounts than VBT_FEW_ACCOUNTS would not fit into that much address space anyway. */
#define SCARCE ((rlim_t)1 << 32)

/* In bytes; RLIM_INFINITY: as much as there is. */
static rlim_t address_space(void) {
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    vbt_sys(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit);
    return limit.rlim_cur;
}

static void wake(void) {
    int asleep = 0;
    if (!atomic_compare_exchange_strong(&awake, &asleep, 1))
        return;
    vbt_say_init();
    vbt_real_find();
    vbt_clock_start = vbt_clock_read(CLOCK_MONOTONIC);
    waited_before = vbt_process_waited();
    bool good = vbt_options_read();
    vbt_process_init();
    vbt_trace_path_init();
    vbt_runner_init();
    vbt_helper_init(put_in_order);
    vbt_main_program_init();
    rlim_t space = address_space();
    if (space < SCARCE)
        vbt_accounts_limit(VBT_FEW_ACCOUNTS);
    if (good && !(vbt_tree_init() && vbt_native_stack_init() && vbt_python_code_init() && vbt_shadow_init())) {
        vbt_say("no memory for the call tree; running untraced");
        good = false;
    }
    if (vbt_options.max_trace != 0)
        vbt_tree_limit(vbt_trace_room_at_first(vbt_options.max_trace));
    if (good && space != RLIM_INFINITY)
        vbt_stream_reserve();
    vbt_stacks = vbt_options.native != VBT_NATIVE_LEAF ? VBT_STACKS_NATIVE : VBT_STACKS_LEAF;
    vbt_sys(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    vbt_recording_wipe_on_fork();
    helper_due = INT64_MAX; /* the constructor starts it */
    over = !good;
    bool later = vbt_pause_init(vbt_clock_start);
    atomic_store(&awake, 2);
    atomic_store(&vbt_recording, !good ? VBT_STOPPED : later ? VBT_PAUSED : VBT_RECORDING_POLLED);
}

bool vbt_lifecycle_wake(void) {
    wake();
    return atomic_load(&vbt_recording) != VBT_STOPPED;
}

/* Where libpython was loaded with dlopen, the loader allocates its thread-local storage when a
 * thread's state is first read there. That is no event of the program's. */
static struct vbt_thread *read_python_state(struct vbt_thread *thread) {
    if (thread == NULL || vbt_python.current_thread == NULL || vbt_python.abi.entry_owner == 0)
        return thread;
    vbt_stand(thread, VBT_IN_CALL);
    vbt_python.current_thread();
    vbt_stand(thread, VBT_IDLE);
    return thread;
}

/* A thread's first event: wakes the library if necessary. Returns the thread's new state, or NULL:
 * not recording. */
static struct vbt_thread *first_event(void) {
    if (VBT_UNLIKELY(atomic_load(&awake) != 2)) {
        if (atomic_load(&awake) == 1)
            return NULL; /* the library's own allocation while waking */
        wake();
    }
    return atomic_load(&vbt_recording) == VBT_STOPPED ? NULL : read_python_state(vbt_thread_begin());
}

static bool adopt(struct vbt_thread *thread);
static void begin_postponed(void);

/* On a busy machine, the start waits for a processor, which does not count as the process's own
 * time either. */
static void start_helper(int64_t first_tick) {
    int64_t begun = vbt_clock_read(CLOCK_MONOTONIC);
    bool runs = vbt_helper_start(first_tick);
    waited_before -= vbt_clock_read(CLOCK_MONOTONIC) - begun;
    if (!runs)
        helper_due = vbt_helper_is_impossible() ? INT64_MAX : vbt_clock_read(CLOCK_MONOTONIC) + AFTER_REFUSAL;
}

/* Called at each event while vbt_recording is not VBT_RECORDING: does what has to be done at the
 * start. True: record the event. as: VBT_IN_REAL in a hook of the C library's functions. */
static bool poll(struct vbt_thread *thread, uint32_t recording, enum vbt_standing as) {
    if (recording == VBT_NOT_YET)
        return adopt(thread);
    if (recording != VBT_RECORDING_POLLED && recording != VBT_PAUSED)
        return false;
    atomic_store(&thread->standing, VBT_IN_CALL); /* what is called from here is not the program's */
    atomic_store(&idle, false);
    if (recording == VBT_PAUSED) {
        thread->ledger.last_block = NULL; /* the next block recorded will not be the next allocation after it */
        vbt_pause_tick(vbt_clock_read(CLOCK_MONOTONIC));
    }
    bool (*still_starting)(bool) = atomic_load(&vbt_lifecycle_still_starting);
    bool starting = still_starting != NULL && still_starting(as == VBT_IN_REAL);
    if (!vbt_helper_runs() && vbt_clock_read(CLOCK_MONOTONIC) >= helper_due)
        start_helper(vbt_stream_has_file() ? vbt_options.tick : FIRST_TICK);
    vbt_helper_rouse();
    uint32_t polled = VBT_RECORDING_POLLED;
    if (!starting && (vbt_helper_runs() || vbt_helper_is_impossible()))
        atomic_compare_exchange_strong(&vbt_recording, &polled, VBT_RECORDING);
    return recording != VBT_PAUSED || !vbt_paused();
}

struct vbt_thread *vbt_enter_slowly(enum vbt_standing as, uintptr_t caller) {
    struct vbt_thread *thread = vbt_self;
    if (thread == NULL && (thread = first_event()) == NULL)
        return NULL;
    uint32_t standing = atomic_load_explicit(&thread->standing, memory_order_relaxed);
    if (standing != VBT_IDLE && (standing != VBT_IN_REAL || vbt_real_calls_back(caller))) {
        thread->lost_in_signal += standing == VBT_IN_LEDGER && !vbt_oracle_walks;
        return NULL;
    }
    atomic_store_explicit(&thread->standing, (uint32_t)as, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* as in vbt_enter_usual */
    uint32_t recording = atomic_load_explicit(&vbt_recording, memory_order_relaxed);
    if (recording == VBT_RECORDING || poll(thread, recording, as)) {
        atomic_store_explicit(&thread->standing, (uint32_t)as, memory_order_relaxed);
        return thread;
    }
    atomic_store_explicit(&thread->standing, VBT_IDLE, memory_order_relaxed);
    return NULL;
}

/* What follows is no event, but needs the trace of this process. */
static void begin_if_postponed(void) {
    if (postponed.is_due && atomic_load(&vbt_recording) == VBT_NOT_YET)
        begin_postponed();
}

void vbt_lifecycle_record(bool on) {
    begin_if_postponed();
    int64_t now = vbt_clock_read(CLOCK_MONOTONIC);
    if (on)
        vbt_pause_end(now);
    else
        vbt_pause_begin(now);
}

/* Waits until no other thread is inside an event: after the barrier, each has either seen that
 * recording stopped, or shows where it is. Threads that do not get to run for so long are
 * counted. */
static void quiesce(void) {
    enum { TRIES = 200 };
    const struct timespec pause = {0, 500 * 1000};
    vbt_sys(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next) {
        if (thread == vbt_self)
            continue;
        int tries = 0;
        while (atomic_load(&thread->standing) == VBT_IN_LEDGER && tries++ < TRIES)
            vbt_sys(SYS_nanosleep, &pause, NULL);
        if (tries > TRIES)
            thread->ledger.lost[VBT_LOST_BUSY]++;
    }
    vbt_trim_wait();
}

/* The threads have ended, in the middle of an event or between two: what they were changing stays
 * as it is. */
static void count_interrupted(void) {
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
        if (atomic_load(&thread->standing) == VBT_IN_LEDGER)
            thread->ledger.lost[VBT_LOST_BUSY]++;
}

static void settle(void) {
    for (struct vbt_thread *thread = atomic_load(&vbt_threads); thread != NULL; thread = thread->next)
        vbt_intervals_confirm(&thread->ledger);
    vbt_maps_resolve();
}

/* An exec in a process's first moments. Its trace, if it has one already, is withdrawn. */
static bool is_wrapper(void) {
    int64_t age = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    bool is_young = age < WRAPPER && !vbt_stream_has_file();
    if (!is_young && age - (vbt_process_waited() - waited_before) >= WRAPPER)
        return false;
    vbt_lifecycle_alone(); /* else the helper would outlive the exec; it may be writing */
    vbt_stream_withdraw();
    vbt_lifecycle_not_alone();
    return true;
}

/* False: it has stopped already. Another thread's event may change the state meanwhile. */
static bool stop_recording(void) {
    uint32_t recording = atomic_load(&vbt_recording);
    while (recording != VBT_STOPPED && recording != VBT_NOT_YET)
        if (atomic_compare_exchange_weak(&vbt_recording, &recording, VBT_STOPPED))
            return true;
    return false;
}

void vbt_lifecycle_finish(const char *reason) {
    uint32_t recording = atomic_load(&vbt_recording);
    bool is_exec = strcmp(reason, "exec") == 0;
    if (atomic_load(&awake) != 2 || recording == VBT_STOPPED || recording == VBT_NOT_YET || vbt_sys(SYS_getpid) != vbt_pid)
        return;
    if (atomic_load(&idle) || (is_exec && is_wrapper()))
        return;
    atomic_store(&ending, true);
    if (!stop_recording())
        return; /* another thread is ending the process, too */
    int saved = errno;
    over = true;
    quiesce();
    if (vbt_self != NULL && vbt_self->lines != NULL)
        vbt_line_finish(vbt_self->lines);
    settle();
    vbt_helper_stop(reason, true);
    if (!is_exec && !summary_over)
        vbt_stream_print_summary();
    errno = saved;
}

void vbt_lifecycle_resume(void) {
    uint32_t stopped = VBT_STOPPED;
    if (atomic_load(&awake) != 2 || !vbt_stream_has_file() || vbt_sys(SYS_getpid) != vbt_pid)
        return;
    over = false;
    atomic_store(&ending, false);
    helper_due = 0;
    atomic_compare_exchange_strong(&vbt_recording, &stopped, vbt_paused() ? VBT_PAUSED : VBT_RECORDING_POLLED);
}

static void at_exit(void *unused) {
    (void)unused;
    vbt_lifecycle_finish("exit");
}

static void at_quick_exit(void *unused) {
    (void)unused;
    vbt_lifecycle_finish("quick_exit");
}

static bool recording_now(void) {
    uint32_t recording = atomic_load(&vbt_recording);
    return recording == VBT_RECORDING || recording == VBT_RECORDING_POLLED || recording == VBT_PAUSED;
}

void vbt_lifecycle_alone(void) {
    if (recording_now() && vbt_helper_runs())
        vbt_helper_stop("fork", false);
}

void vbt_lifecycle_not_alone(void) {
    uint32_t recording = VBT_RECORDING;
    if (!recording_now())
        return;
    helper_due = 0;
    atomic_compare_exchange_strong(&vbt_recording, &recording, VBT_RECORDING_POLLED);
}

static void follow(enum vbt_follow what) {
    if (atomic_load(&awake) == 2 && vbt_sys(SYS_getpid) == vbt_pid && vbt_helper_runs()) {
        int saved = errno;
        vbt_helper_follow(what);
        errno = saved;
    }
}

void vbt_lifecycle_gave_up_rights(void) { follow(VBT_FOLLOW_RIGHTS); }

void vbt_lifecycle_left(void) { follow(VBT_FOLLOW_THERE); }

void vbt_lifecycle_before_leaving(bool moves_root) {
    begin_if_postponed();
    if (!recording_now() || vbt_sys(SYS_getpid) != vbt_pid)
        return;
    if (!vbt_helper_runs())
        start_helper(vbt_options.tick);
    if (!vbt_helper_runs())
        vbt_helper_stop(VBT_STREAM_LEAVES, false);
    else if (moves_root)
        follow(VBT_FOLLOW_SOON);
}

/* Did the fork handlers take the locks, for this thread? Several may fork at a time, and the
 * recording may stop meanwhile. */
static __thread bool held_for_fork __attribute__((tls_model("initial-exec")));

static void before_fork(void) {
    held_for_fork = recording_now();
    if (!held_for_fork)
        return;
    int saved = errno;
    vbt_oracle_before_fork();
    vbt_lock(&vbt_tree_lock);
    vbt_books_before_fork();
    vbt_lock(&vbt_interval_lock);
    vbt_lock(&vbt_native_rules_lock);
    vbt_maps_before_fork();
    errno = saved;
}

static void after_fork_in_parent(void) {
    if (!held_for_fork)
        return;
    vbt_maps_after_fork();
    vbt_unlock(&vbt_native_rules_lock);
    vbt_unlock(&vbt_interval_lock);
    vbt_unlock(&vbt_tree_lock);
    vbt_oracle_after_fork();
}

static void free_locks(void) { vbt_tree_lock = vbt_interval_lock = vbt_native_rules_lock = (struct vbt_lock){0}; }

/* In the helper: the program has ended (or been replaced, or entered a sandbox) without any hook
 * noticing, or was killed while one was about to ask for the end to be written. The last state can
 * be written, and should be, unless the process was only a wrapper. */
static bool put_in_order(const char *end) {
    bool is_alive = strcmp(end, "seccomp") == 0;
    if (!stop_recording() && (is_alive || !atomic_load(&ending)))
        return false;
    over = true;
    if (is_alive) {
        quiesce();
    } else {
        free_locks();
        vbt_maps_free_lock();
        count_interrupted();
    }
    settle();
    int64_t age = vbt_clock_read(CLOCK_MONOTONIC) - vbt_clock_start;
    return strcmp(end, "exec") != 0 || age >= WRAPPER;
}

/* Begins the child's own trace: what is live is inherited, nothing else has happened yet. in_order:
 * before_fork has run. */
static void begin_in_child(bool in_order) {
    vbt_proc_after_fork();
    free_locks();
    vbt_oracle_after_fork_in_child();
    vbt_process_init();
    vbt_clock_start = vbt_clock_read(CLOCK_MONOTONIC);
    waited_before = 0; /* the kernel starts from 0, too */
    summary_over = true;
    postponed.is_due = false;
    atomic_store(&idle, true);
    atomic_store(&ending, false);
    vbt_helper_after_fork();
    vbt_threads_after_fork();
    vbt_trim_after_fork();
    vbt_modules_after_fork();
    vbt_maps_begin_in_child(in_order, vbt_self != NULL ? &vbt_self->ledger : NULL);
    vbt_books_inherit(in_order);
    vbt_line_books_after_fork();
    vbt_stream_after_fork();
    if (address_space() != RLIM_INFINITY)
        vbt_stream_reserve();
    vbt_pause_after_fork(vbt_clock_start);
    helper_due = 0; /* at the first event: a child that does nothing has nothing to write */
    atomic_store(&vbt_recording, vbt_paused() ? VBT_PAUSED : VBT_RECORDING_POLLED);
}

static void begin_postponed(void) {
    int64_t time = postponed.time;
    begin_in_child(true);
    vbt_started -= vbt_clock_start - time;
    vbt_clock_start = time;
}

/* Line mode has records of the thread's that are not events. */
static bool can_wait(void) {
    const struct vbt_thread *only = atomic_load(&vbt_threads);
    return only != NULL && only == vbt_self && only->next == NULL && only->lines == NULL;
}

static void after_fork_in_child(void) {
    if (held_for_fork && can_wait()) {
        free_locks();
        vbt_maps_after_fork();
        vbt_oracle_after_fork_in_child();
        postponed.is_due = true;
        postponed.time = vbt_clock_read(CLOCK_MONOTONIC);
        atomic_store(&vbt_recording, VBT_NOT_YET); /* where the kernel cannot wipe it */
    } else if (held_for_fork) {
        begin_in_child(true);
        vbt_maps_after_fork();
    } else if (over) {
        free_locks(); /* a thread that forked at the same time may hold them */
        vbt_maps_free_lock();
        atomic_store(&vbt_recording, VBT_STOPPED);
    }
}

extern void *__dso_handle __attribute__((visibility("hidden")));

void vbt_lifecycle_handle_forks(void) {
    static _Atomic bool done;
    vbt_real_find();
    if (!atomic_exchange(&done, true))
        vbt_real.__register_atfork(before_fork, after_fork_in_parent, after_fork_in_child, &__dso_handle);
}

/* An event in a process that was forked without handlers, by clone or _Fork: vbt_recording was
 * wiped. */
static bool adopt(struct vbt_thread *thread) {
    if (over) {
        atomic_store(&vbt_recording, VBT_STOPPED);
        return false;
    }
    postponed.is_due ? begin_postponed() : begin_in_child(false);
    atomic_store(&idle, false);
    atomic_store(&thread->standing, VBT_IN_CALL); /* the event continues */
    return !vbt_paused();
}

void vbt_lifecycle_handle_exits(void) {
    static _Atomic bool done;
    vbt_real_find();
    if (atomic_exchange(&done, true))
        return;
    vbt_real.__cxa_atexit(at_exit, NULL, NULL); /* of no library, so that they outlive this one */
    vbt_real.__cxa_at_quick_exit(at_quick_exit, NULL);
}

void vbt_lifecycle_begin(void) {
    vbt_lifecycle_handle_exits();
    vbt_lifecycle_handle_forks();
    start_helper(FIRST_TICK);
}

void vbt_lifecycle_decline(void) {
    over = true;
    atomic_store(&vbt_recording, VBT_STOPPED);
}
