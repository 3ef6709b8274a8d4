/* The stream and its helper: a complete trace from the first tick to the end, a truncated one, a
 * child's, a file that cannot be written. */
#include "preload/stream/stream.h"

#include "preload/thread/books.h"
#include "preload/ledger/ledger.h"
#include "preload/shared/options.h"
#include "preload/stream/helper/helper.h"
#include "preload/process/process.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/trace_decoder.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct vbt_thread *thread;
static uint32_t node;
static char folder[] = "/tmp/vbt-stream-XXXXXX", path[64];
static uintptr_t next_block = 0x10000;

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static int begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    vbt_stream_after_fork();
    snprintf(path, sizeof path, "%s/%d.vbt", folder, (int)getpid());
    /* The child of a fork, as this is, appends its pid to a name without one. */
    snprintf(vbt_options.output, sizeof vbt_options.output, "%s/%%p.vbt", folder);
    vbt_pid = (int)getpid();
    vbt_options.tick = 1000000;
    return 0;
}

static int end(void **state) {
    (void)state;
    if (vbt_helper_runs())
        vbt_helper_stop("exit", true);
    unlink(path);
    for (uintptr_t block = 0x10000; block < next_block; block += 4096)
        world_free(thread, block);
    vbt_books_inherit(true);
    return 0;
}

static void alloc(size_t size) {
    world_alloc(thread, node, next_block, size);
    next_block += 4096;
}

static void assert_whole(const struct trace *trace, const char *reason) {
    struct stat now;
    assert_int_equal(stat(path, &now), 0);
    assert_int_equal(trace->bytes_read, now.st_size);
    assert_non_null(trace->end_reason.bytes);
    assert_int_equal(trace->end_reason.size, strlen(reason));
    assert_memory_equal(trace->end_reason.bytes, reason, strlen(reason));
}

static void a_process_that_ends_at_once_leaves_a_whole_trace(void **state) {
    (void)state;
    alloc(100);
    vbt_helper_stop("exit", true);
    assert_false(vbt_helper_runs());
    const struct trace *trace = trace_read(path);
    assert_whole(trace, "exit");
    assert_int_equal(trace->counters[node].allocs, 1);
    assert_int_equal(trace->state[VBT_STATE_PEAK], 100);
    assert_non_null(trace_pair(trace, "pid"));
    assert_true(trace->modules > 0);
    struct vbt_summary summary;
    vbt_stream_summary(&summary);
    assert_true(summary.written);
    assert_string_equal(summary.path, path);
    assert_int_equal(summary.allocs, 1);
    assert_int_equal(summary.allocated, 100);
    assert_int_equal(summary.peak, 100);
    assert_int_equal(summary.file_bytes, trace->bytes_read);
    assert_null(summary.failure);
}

/* Waits until the file has a state with this many allocations, like a reader of a growing trace. */
static const struct trace *wait_for(uint64_t allocs) {
    for (;;) {
        const struct timespec pause = {0, 2000000};
        nanosleep(&pause, NULL);
        if (access(path, R_OK) != 0)
            continue;
        const struct trace *trace = trace_read(path);
        if ((uint64_t)trace->state[VBT_STATE_DOMAIN + VBT_FIELD_ALLOCS] == allocs)
            return trace;
    }
}

/* As after a SIGKILL: no END, all values of the last tick. */
static void a_trace_can_be_read_while_it_grows(void **state) {
    (void)state;
    assert_true(vbt_helper_start(1));
    for (uint64_t i = 1; i <= 5; i++) {
        alloc(10);
        const struct trace *trace = wait_for(i);
        assert_null(trace->end_reason.bytes);
        assert_int_equal(trace->counters[node].allocs, i);
        assert_int_equal(trace->counters[node].live_bytes, 10 * i);
    }
    assert_true(vbt_stream_has_file());
    vbt_helper_stop("_exit", true);
    const struct trace *trace = trace_read(path);
    assert_whole(trace, "_exit");
    assert_int_equal(trace->counters[node].allocs, 5);
    assert_true(trace->points > 0);
}

/* Of the helper the program sees neither a thread, nor a child, nor a descriptor. */
static void the_helper_keeps_to_itself(void **state) {
    (void)state;
    assert_true(vbt_helper_start(1));
    assert_true(vbt_helper_start(1)); /* once is enough */
    alloc(1);
    wait_for(1);
    struct stat tasks;
    assert_int_equal(stat("/proc/self/task", &tasks), 0);
    assert_int_equal(tasks.st_nlink, 3); /* a directory with one entry */
    siginfo_t child;
    assert_int_equal(waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT | __WALL), -1);
    assert_int_equal(errno, ECHILD);
    struct rusage children;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &children), 0);
    assert_int_equal(children.ru_maxrss, 0);
    for (int fd = 0; fd < 64; fd++) {
        char link[64], target[256];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(link, target, sizeof target - 1);
        target[size > 0 ? size : 0] = '\0';
        assert_null(strstr(target, "vbt-stream"));
    }
    vbt_helper_stop("exit", true);
}

/* A helper that stops and is started again goes on with the same file. */
static void a_stopped_stream_goes_on(void **state) {
    (void)state;
    assert_true(vbt_helper_start(1));
    alloc(1);
    wait_for(1);
    vbt_helper_stop("fork", false);
    assert_false(vbt_helper_runs());
    alloc(1);
    assert_true(vbt_helper_start(1));
    assert_null(wait_for(2)->end_reason.bytes);
    vbt_helper_stop("exit", true);
    assert_whole(trace_read(path), "exit");
}

/* A trace that is complete, after an exec that failed. */
static void a_finished_trace_is_replaced_by_a_longer_one(void **state) {
    (void)state;
    alloc(1);
    vbt_helper_stop("exec", true);
    assert_whole(trace_read(path), "exec");
    alloc(1);
    assert_true(vbt_helper_start(1));
    wait_for(2);
    vbt_helper_stop("exit", true);
    assert_whole(trace_read(path), "exit");
    assert_int_equal(trace_read(path)->counters[node].allocs, 2);
}

/* The changes of a million ticks must not make a file of a million ticks: it is rewritten when it
 * has doubled. */
static void a_long_run_stays_a_small_file(void **state) {
    (void)state;
    struct stat now;
    off_t largest = 0;
    vbt_options.tick = 1000; /* a thousand times as often as the shortest tick */
    assert_true(vbt_helper_start(1));
    uint64_t allocs = 0;
    while (allocs < 400 || largest == 0) { /* on a busy machine the helper may be late */
        alloc(1 + ++allocs);
        const struct timespec pause = {0, 200000};
        nanosleep(&pause, NULL);
        if (stat(path, &now) == 0 && now.st_size > largest)
            largest = now.st_size;
    }
    vbt_helper_stop("exit", true);
    assert_whole(trace_read(path), "exit");
    assert_int_equal(trace_read(path)->counters[node].allocs, allocs);
    assert_in_range(largest, 1, 1 << 20);
}

static void a_file_that_cannot_be_made_is_reported(void **state) {
    (void)state;
    strcpy(vbt_options.output, "/nonexistent/%p.vbt");
    alloc(1);
    vbt_helper_stop("exit", true);
    struct vbt_summary summary;
    vbt_stream_summary(&summary);
    assert_false(summary.written);
    char expected[128];
    snprintf(expected, sizeof expected, "/nonexistent/%d.vbt", (int)getpid());
    assert_string_equal(summary.path, expected);
    strcat(expected, ": not written: No such file or directory");
    assert_string_equal(summary.failure, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_process_that_ends_at_once_leaves_a_whole_trace),
        TEST(a_trace_can_be_read_while_it_grows),
        TEST(the_helper_keeps_to_itself),
        TEST(a_stopped_stream_goes_on),
        TEST(a_finished_trace_is_replaced_by_a_longer_one),
        TEST(a_long_run_stays_a_small_file),
        TEST(a_file_that_cannot_be_made_is_reported),
    };
    world_init();
    vbt_process_init();
    node = world_node(0, "streamed", VBT_DOMAIN_HEAP);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
