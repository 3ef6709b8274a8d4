/* The lifecycle's states, without hooks and without an interpreter: each in a process of its own,
 * since a process wakes once. Files are read by a decoder that shares no code with the library. */
#include "preload/lifecycle.h"

#include "preload/process/process.h"
#include "preload/stream/helper/helper.h"
#include "preload/stream/stream.h"
#include "preload/thread/enter.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/trace_decoder.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/vbt-lifecycle-XXXXXX";

/* For a process that cmocka knows nothing of. */
#define CHECK(condition)                                                                                                           \
    do                                                                                                                             \
        if (!(condition)) {                                                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                                \
            _exit(1);                                                                                                              \
        }                                                                                                                          \
    while (0)

static uint32_t recording(void) { return atomic_load(&vbt_recording); }

static uint32_t standing(void) { return atomic_load(&vbt_self->standing); }

static void wait_for(pid_t pid) {
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Runs in a process in which the library is asleep. Returns its pid. */
static pid_t in_process(void (*body)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        body();
        if (vbt_helper_runs()) /* it would outlive the process, and write a trace */
            vbt_helper_stop("fork", false);
        _exit(0);
    }
    wait_for(pid);
    return pid;
}

static const char *path_of(pid_t pid) {
    static char path[64];
    snprintf(path, sizeof path, "%s/%d.vbt", folder, (int)pid);
    return path;
}

static void assert_ends_with(pid_t pid, const char *reason) {
    const struct trace *trace = trace_read(path_of(pid));
    assert_non_null(trace->end_reason.bytes);
    assert_int_equal(trace->end_reason.size, strlen(reason));
    assert_memory_equal(trace->end_reason.bytes, reason, strlen(reason));
    unlink(path_of(pid));
}

static void assert_no_trace(pid_t pid) { assert_int_not_equal(access(path_of(pid), F_OK), 0); }

/* One event, with nothing in it. False: it is not recorded. */
static bool event(void) {
    struct vbt_thread *thread = vbt_enter_slowly(VBT_IN_CALL, 0);
    if (thread != NULL)
        vbt_leave(thread);
    return thread != NULL;
}

static void wake_by_an_event(void) {
    CHECK(recording() == VBT_NOT_YET && vbt_self == NULL);
    CHECK(vbt_enter_usual(VBT_IN_CALL) == NULL);
    struct vbt_thread *thread = vbt_enter_slowly(VBT_IN_CALL, 0);
    CHECK(thread != NULL && thread == vbt_self);
    CHECK(standing() == VBT_IN_CALL);
    CHECK(recording() == VBT_RECORDING_POLLED && !vbt_helper_runs());
    vbt_leave(thread);
    CHECK(vbt_lifecycle_wake() && recording() == VBT_RECORDING_POLLED);
}

static void the_first_event_wakes_the_library(void **state) {
    (void)state;
    assert_no_trace(in_process(wake_by_an_event));
}

static void nest(void) {
    CHECK(event());
    vbt_stand(vbt_self, VBT_IN_CALL);
    CHECK(vbt_enter_slowly(VBT_IN_CALL, 0) == NULL && vbt_self->lost_in_signal == 0);
    vbt_stand(vbt_self, VBT_IN_LEDGER);
    CHECK(vbt_enter_slowly(VBT_IN_CALL, 0) == NULL && vbt_self->lost_in_signal == 1);
    vbt_stand(vbt_self, VBT_IN_REAL); /* a caller that is neither an allocator nor the library */
    CHECK(vbt_enter_slowly(VBT_IN_LEDGER, 0) == vbt_self && standing() == VBT_IN_LEDGER);
    vbt_stand(vbt_self, VBT_IN_REAL); /* the library, which this test is built into */
    CHECK(vbt_enter_slowly(VBT_IN_CALL, (uintptr_t)&nest) == NULL && standing() == VBT_IN_REAL);
    CHECK(vbt_self->lost_in_signal == 1);
}

static void an_event_inside_another_is_part_of_it(void **state) {
    (void)state;
    in_process(nest);
}

static bool starting = true, was_in_real;

static bool still_starting(bool in_real) {
    was_in_real = in_real;
    return starting;
}

static void poll_events(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    atomic_store(&vbt_lifecycle_still_starting, still_starting);
    CHECK(event() && recording() == VBT_RECORDING_POLLED && !was_in_real);
    CHECK(vbt_enter_usual(VBT_IN_CALL) == NULL && standing() == VBT_IDLE);
    starting = false;
    CHECK(vbt_enter_slowly(VBT_IN_REAL, 0) != NULL && was_in_real);
    vbt_leave(vbt_self);
    CHECK(recording() == VBT_RECORDING && vbt_enter_usual(VBT_IN_CALL) == vbt_self);
}

static void events_are_polled_until_the_interpreter_is_up(void **state) {
    (void)state;
    in_process(poll_events);
}

static void pause_and_go_on(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event() && vbt_enter_paused() == NULL);
    vbt_lifecycle_record(false);
    CHECK(recording() == VBT_PAUSED && !event());
    CHECK(vbt_enter_paused() == vbt_self);
    vbt_leave(vbt_self);
    vbt_lifecycle_record(true);
    CHECK(recording() == VBT_RECORDING_POLLED && event());
}

static void recording_pauses_and_goes_on(void **state) {
    (void)state;
    in_process(pause_and_go_on);
}

static void finish(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    vbt_lifecycle_finish("seccomp");
    CHECK(recording() == VBT_STOPPED && !vbt_helper_runs() && !event());
    CHECK(vbt_stream_has_file());
    vbt_lifecycle_finish("exit"); /* in vain */
}

static void the_first_end_counts(void **state) {
    (void)state;
    assert_ends_with(in_process(finish), "seccomp");
}

static void finish_in_vain(void) {
    finish();
    vbt_lifecycle_resume();
    CHECK(recording() == VBT_RECORDING_POLLED && event());
    exit(0);
}

static void an_end_that_does_not_come_is_taken_back(void **state) {
    (void)state;
    assert_ends_with(in_process(finish_in_vain), "exit");
}

static void decline(void) {
    CHECK(vbt_lifecycle_wake());
    CHECK(event());
    vbt_lifecycle_decline();
    CHECK(recording() == VBT_STOPPED && !event());
    vbt_lifecycle_finish("exit");
    vbt_lifecycle_resume();
    CHECK(recording() == VBT_STOPPED && !event());
}

static void a_process_that_is_not_wanted_leaves_nothing(void **state) {
    (void)state;
    assert_no_trace(in_process(decline));
}

static void be_alone(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    vbt_lifecycle_alone();
    CHECK(!vbt_helper_runs());
    vbt_lifecycle_not_alone();
    CHECK(recording() == VBT_RECORDING_POLLED);
    while (!vbt_helper_runs()) /* a little later: the next events see to it */
        CHECK(event());
}

static void the_helper_comes_back_after_a_call_made_alone(void **state) {
    (void)state;
    in_process(be_alone);
}

static void leave(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    vbt_lifecycle_before_leaving(false);
    CHECK(vbt_helper_runs());
    vbt_lifecycle_gave_up_rights(); /* nothing has changed: it returns */
    CHECK(vbt_helper_runs());
}

static void the_helper_runs_before_the_process_leaves(void **state) {
    (void)state;
    in_process(leave);
}

/* Its only event, and no hook sees the end. */
static void be_killed(void) {
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    raise(SIGKILL);
}

static _Atomic bool in_event;

/* An end waits for threads that are in the middle of an event. This one is until the end has begun,
 * and then kills the process. */
static void *kill_while_ending(void *unused) {
    CHECK(vbt_enter_slowly(VBT_IN_LEDGER, 0) != NULL);
    atomic_store(&in_event, true);
    while (recording() != VBT_STOPPED)
        ;
    raise(SIGKILL);
    return unused;
}

static void be_killed_while_ending(void) {
    pthread_t thread;
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event() && pthread_create(&thread, NULL, kill_while_ending, NULL) == 0);
    while (!atomic_load(&in_event))
        ;
    vbt_lifecycle_finish("exit");
}

static void assert_writes_of_killed(void (*body)(void)) {
    int status;
    pid_t pid = fork();
    if (pid == 0)
        body();
    siginfo_t ended; /* it stays a zombie, so that the helper can find out how it ended */
    assert_int_equal(waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT), 0);
    while (access(path_of(pid), F_OK) != 0 || trace_read(path_of(pid))->end_reason.bytes == NULL)
        usleep(1000);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_ends_with(pid, "signal 9");
}

static void the_helper_outlives_a_killed_process(void **state) {
    (void)state;
    assert_writes_of_killed(be_killed);
}

static void the_helper_outlives_a_process_killed_while_ending(void **state) {
    (void)state;
    assert_writes_of_killed(be_killed_while_ending);
}

/* To the test: which process was forked. */
static int forked[2];

static void tell_forked(pid_t pid) { CHECK(write(forked[1], &pid, sizeof pid) == sizeof pid); }

static void be_forked(void) {
    CHECK(standing() == VBT_IDLE && event());
    CHECK(recording() != VBT_NOT_YET && vbt_pid == getpid());
    vbt_lifecycle_finish("_exit");
    _exit(0);
}

static void fork_once(void) {
    int status;
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    pid_t pid = fork();
    if (pid == 0)
        be_forked();
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    tell_forked(pid);
    CHECK(event() && vbt_pid == getpid());
    exit(0);
}

/* A child in which nothing happens, and a child of that. */
static void fork_twice(void) {
    int status;
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    int pids[2];
    CHECK(pipe(pids) == 0);
    pid_t pid = fork(), second = 0;
    if (pid == 0) {
        if ((second = fork()) == 0)
            be_forked();
        CHECK(waitpid(second, &status, 0) == second && status == 0);
        CHECK(write(pids[1], &second, sizeof second) == sizeof second);
        vbt_lifecycle_finish("_exit");
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(read(pids[0], &second, sizeof second) == sizeof second);
    CHECK(access(path_of(pid), F_OK) != 0);
    tell_forked(second);
    exit(0);
}

/* In a child in which nothing has happened: what is no event, but concerns its trace. */
static void fork_and_leave(void) {
    int status;
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(vbt_pid != getpid());
        vbt_lifecycle_before_leaving(false);
        CHECK(vbt_pid == getpid() && vbt_helper_runs());
        vbt_lifecycle_record(false);
        CHECK(recording() == VBT_PAUSED && !event());
        vbt_lifecycle_record(true);
        be_forked();
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    tell_forked(pid);
    exit(0);
}

static pid_t forked_by(void (*body)(void), pid_t *parent) {
    pid_t pid;
    assert_int_equal(pipe(forked), 0);
    *parent = in_process(body);
    assert_int_equal(read(forked[0], &pid, sizeof pid), sizeof pid);
    close(forked[0]);
    close(forked[1]);
    return pid;
}

static void a_forked_child_has_a_trace_of_its_own(void **state) {
    (void)state;
    pid_t parent, child = forked_by(fork_once, &parent);
    assert_ends_with(parent, "exit");
    assert_ends_with(child, "_exit");
}

static void a_child_in_which_nothing_happens_has_none(void **state) {
    (void)state;
    pid_t parent, child = forked_by(fork_twice, &parent);
    assert_ends_with(parent, "exit");
    assert_ends_with(child, "_exit");
}

static void a_child_begins_its_trace_before_it_leaves(void **state) {
    (void)state;
    pid_t parent, child = forked_by(fork_and_leave, &parent);
    assert_ends_with(parent, "exit");
    assert_ends_with(child, "_exit");
}

/* What a kernel that cannot wipe memory on fork says: such a child goes on unnoticed. */
static bool wipes(void) { return recording() == VBT_NOT_YET; }

static void clone_once(void) {
    int status;
    CHECK(vbt_lifecycle_wake());
    vbt_lifecycle_begin();
    CHECK(event());
    pid_t pid = (pid_t)vbt_sys(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        if (wipes()) {
            CHECK(event());
            be_forked();
        }
        _exit(2);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && (WEXITSTATUS(status) & 1) == 0);
    tell_forked(WEXITSTATUS(status) == 0 ? pid : 0);
    exit(0);
}

static void a_child_that_no_handler_saw_is_adopted(void **state) {
    (void)state;
    pid_t parent, child = forked_by(clone_once, &parent);
    assert_ends_with(parent, "exit");
    if (child != 0)
        assert_ends_with(child, "_exit");
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

/* Those that stopped in the middle leave what they had. */
static int remove_traces(void **state) {
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -f %s/*", folder);
    return system(command);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_traces)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_event_wakes_the_library),
        TEST(an_event_inside_another_is_part_of_it),
        TEST(events_are_polled_until_the_interpreter_is_up),
        TEST(recording_pauses_and_goes_on),
        TEST(the_first_end_counts),
        TEST(an_end_that_does_not_come_is_taken_back),
        TEST(a_process_that_is_not_wanted_leaves_nothing),
        TEST(the_helper_comes_back_after_a_call_made_alone),
        TEST(the_helper_runs_before_the_process_leaves),
        TEST(the_helper_outlives_a_killed_process),
        TEST(the_helper_outlives_a_process_killed_while_ending),
        TEST(a_forked_child_has_a_trace_of_its_own),
        TEST(a_child_in_which_nothing_happens_has_none),
        TEST(a_child_begins_its_trace_before_it_leaves),
        TEST(a_child_that_no_handler_saw_is_adopted),
    };
    char output[64];
    if (mkdtemp(folder) == NULL)
        return 1;
    world_without_options();
    snprintf(output, sizeof output, "%s/%%p.vbt", folder);
    setenv("VBTRACE_OUTPUT", output, 1);
    setenv("VBTRACE_QUIET", "1", 1);
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
