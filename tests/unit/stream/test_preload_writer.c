/* The chunk writer: its output can be read back, at every level and size; full disks, files that
 * changed, payloads that overrun. */
#include "preload/stream/writer.h"

#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/trace_decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { UNKNOWN_KIND = 200 };

static struct vbt_chunk_writer writer;
static char path[64];

static int begin(void **state) {
    (void)state;
    strcpy(path, "/tmp/vbt-writer-XXXXXX");
    close(mkstemp(path));
    writer.lost = 0;
    writer.level = 1;
    return !(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
}

static int end(void **state) {
    (void)state;
    vbt_chunk_writer_close(&writer);
    return unlink(path);
}

static off_t size_on_disk(void) {
    struct stat now;
    assert_int_equal(stat(path, &now), 0);
    return now.st_size;
}

static void write_strings(uint64_t first, const char *text) {
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    vbt_put_varint(w, first);
    vbt_put_varint(w, 1);
    vbt_put_string(w, text, strlen(text));
    vbt_chunk_end(&writer, VBT_CHUNK_STRINGS);
}

static void chunks_are_numbered_checked_and_read_back(void **state) {
    (void)state;
    write_strings(1, "one");
    vbt_chunk_begin(&writer);
    vbt_chunk_end(&writer, VBT_CHUNK_STATE); /* empty */
    write_strings(2, "two");
    assert_int_equal(writer.sequence, 3);
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.file_size, size_on_disk());
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->chunks, 3);
    assert_int_equal(trace->bytes_read, size_on_disk());
    assert_true(trace_string_is(trace, 1, "one"));
    assert_true(trace_string_is(trace, 2, "two"));
}

/* zstd works in memory reserved beforehand: it must suffice for every level and size in use. */
static void every_size_can_be_written_at_every_level_in_use(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 16384, 16385, 131072, 262145, 1000000, VBT_CHUNK_RAW_MAX};
    uint32_t chunks = 0;
    uint64_t seed = 31;
    for (writer.level = 1; writer.level <= 3; writer.level++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (int compressible = 0; compressible < 2; compressible++) {
                struct vbt_writer *w = vbt_chunk_begin(&writer);
                for (size_t n = 0; n < sizes[i]; n++)
                    w->at[n] = (uint8_t)(compressible ? n / 100 : world_random(&seed));
                w->at += sizes[i];
                vbt_chunk_end(&writer, (enum vbt_chunk_kind)UNKNOWN_KIND);
                chunks++;
            }
        }
    }
    assert_int_equal(writer.lost, 0);
    assert_int_equal(trace_read(path)->chunks, chunks);
}

static void a_payload_that_overruns_is_lost_and_the_next_is_not(void **state) {
    (void)state;
    static const char much[VBT_CHUNK_RAW_MAX];
    write_strings(1, "before");
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    vbt_put_string(w, "kept", 4);
    vbt_put_bytes(w, much, sizeof much);
    vbt_chunk_end(&writer, VBT_CHUNK_STRINGS);
    assert_true(writer.lost > 0);
    write_strings(2, "after");
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->chunks, 2);
    assert_true(trace_string_is(trace, 2, "after"));
}

static void a_file_that_cannot_be_opened_is_an_error(void **state) {
    (void)state;
    struct vbt_chunk_writer other = {0};
    assert_true(vbt_chunk_writer_init(&other));
    assert_false(vbt_chunk_writer_open(&other, "/nonexistent/trace.vbt"));
    assert_int_equal(other.error, ENOENT);
    assert_int_equal(other.fd, -1);
    vbt_chunk_begin(&other);
    vbt_chunk_end(&other, VBT_CHUNK_STATE);
    assert_true(other.lost > 0);
    assert_false(vbt_chunk_writer_open(&other, "/tmp"));
    assert_int_equal(other.error, EISDIR);
    assert_true(vbt_chunk_writer_open(&other, path)); /* an error ends with the file */
    assert_int_equal(other.error, 0);
    vbt_chunk_writer_close(&other);
}

/* The disk is full: earlier chunks can be read, those that failed are counted. */
static void a_full_disk_leaves_a_file_that_can_be_read(void **state) {
    (void)state;
    struct rlimit before;
    sigset_t blocked, old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGXFSZ); /* as in the helper */
    sigprocmask(SIG_BLOCK, &blocked, &old);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    write_strings(1, "fits");
    uint64_t whole = writer.file_size;
    struct rlimit small = {whole + 20, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    write_strings(2, "does not fit");
    write_strings(3, "nor does this");
    setrlimit(RLIMIT_FSIZE, &before);
    struct timespec none = {0, 0};
    sigtimedwait(&blocked, NULL, &none);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(writer.error, EFBIG);
    assert_true(writer.lost > 12);
    assert_int_equal(size_on_disk(), whole); /* no part of a chunk is left */
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->chunks, 1);
    assert_int_equal(trace->bytes_read, whole);
}

static void a_file_is_appended_to_after_it_was_closed(void **state) {
    (void)state;
    write_strings(1, "one");
    vbt_chunk_writer_close(&writer);
    assert_int_equal(writer.fd, -1);
    assert_true(vbt_chunk_writer_reopen(&writer, path));
    write_strings(2, "two");
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->chunks, 2);
    assert_true(trace_string_is(trace, 2, "two"));
}

static void a_file_that_is_not_as_it_was_left_is_not_appended_to(void **state) {
    (void)state;
    write_strings(1, "one");
    vbt_chunk_writer_close(&writer);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_false(vbt_chunk_writer_reopen(&writer, path));
    assert_int_equal(writer.fd, -1);
    assert_false(vbt_chunk_writer_reopen(&writer, "/nonexistent/trace.vbt"));
    assert_int_equal(writer.fd, -1);
}

static void a_new_file_empties_the_old_one(void **state) {
    (void)state;
    write_strings(1, "old");
    vbt_chunk_writer_close(&writer);
    assert_true(vbt_chunk_writer_open(&writer, path));
    write_strings(1, "new");
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->chunks, 1);
    assert_true(trace_string_is(trace, 1, "new"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(chunks_are_numbered_checked_and_read_back),
        TEST(every_size_can_be_written_at_every_level_in_use),
        TEST(a_payload_that_overruns_is_lost_and_the_next_is_not),
        TEST(a_file_that_cannot_be_opened_is_an_error),
        TEST(a_full_disk_leaves_a_file_that_can_be_read),
        TEST(a_file_is_appended_to_after_it_was_closed),
        TEST(a_file_that_is_not_as_it_was_left_is_not_appended_to),
        TEST(a_new_file_empties_the_old_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
