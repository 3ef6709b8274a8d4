/* The chunks about the process: PROCESS and MODULES. */
#include "preload/stream/process_chunks.h"

#include "preload/process/process.h"
#include "preload/process/run_notes.h"
#include "preload/shared/options.h"
#include "preload/python/python.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/trace_decoder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

/* What the function writes: so many chunks. */
static const struct trace *written_in(void (*write)(struct vbt_chunk_writer *), uint32_t chunks) {
    static struct vbt_chunk_writer writer;
    char path[] = "/tmp/vbt-process-XXXXXX";
    close(mkstemp(path));
    assert_true(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
    write(&writer);
    vbt_chunk_writer_close(&writer);
    const struct trace *trace = trace_read(path);
    unlink(path);
    assert_int_equal(trace->chunks, chunks);
    return trace;
}

static const struct trace *written(void (*write)(struct vbt_chunk_writer *)) { return written_in(write, 1); }

/* As if it were the first time in this file. */
static void write_mappings(struct vbt_chunk_writer *writer) { vbt_write_mappings(writer, &(uint64_t){0}); }

static void the_process_is_described(void **state) {
    (void)state;
    char number[32], cwd[4096];
    setenv("VBTRACE_TICK", "13", 1); /* too late: the value at the start counts */
    vbt_options.tick = 12000000;
    const struct trace *trace = written(vbt_write_process);
    snprintf(number, sizeof number, "%d", (int)getpid());
    assert_string_equal(trace_pair(trace, "pid"), number);
    snprintf(number, sizeof number, "%d", (int)getppid());
    assert_string_equal(trace_pair(trace, "ppid"), number);
    assert_string_equal(trace_pair(trace, "cwd"), getcwd(cwd, sizeof cwd));
    assert_string_equal(trace_pair(trace, "option"), "VBTRACE_TICK=12");
    assert_string_equal(trace_pair(trace, "tick_ns"), "12000000");
    assert_string_equal(trace_pair(trace, "vbtrace"), VBT_VERSION);
    assert_string_equal(trace_pair(trace, "native"), "leaf");
    assert_non_null(strstr(trace_pair(trace, "exe"), "/test_preload_process_chunks"));
    assert_non_null(strstr(trace_pair(trace, "arg"), "test_preload_process_chunks"));
    assert_int_equal(strncmp(trace_pair(trace, "libc"), "glibc 2.", 8), 0);
    assert_true(strtoll(trace_pair(trace, "started"), NULL, 10) > INT64_C(1600000000) * 1000000000);
    assert_null(trace_pair(trace, "python"));
    assert_null(trace_pair(trace, "note"));
}

static void notes_are_carried_along(void **state) {
    (void)state;
    vbt_note("Nothing to worry about.");
    assert_string_equal(trace_pair(written(vbt_write_process), "note"), "Nothing to worry about.");
}

static void the_interpreter_is_described(void **state) {
    (void)state;
    vbt_python.minor = 11;
    strcpy(vbt_python.version, "3.11.2");
    assert_string_equal(trace_pair(written(vbt_write_process), "python"), "3.11.2");
    assert_string_equal(trace_pair(written(vbt_write_process), "python_status"), "ok");
    vbt_python.trouble = "another line";
    assert_string_equal(trace_pair(written(vbt_write_process), "python_status"), "another line");
    vbt_python = (struct vbt_python){0};
}

/* The code of this test is in a module, at the file offset of that module. */
static void modules_cover_the_code_that_runs(void **state) {
    (void)state;
    const struct trace *trace = written(write_mappings);
    uintptr_t ours[] = {(uintptr_t)&modules_cover_the_code_that_runs, (uintptr_t)&strtoll};
    for (int n = 0; n < 2; n++) {
        bool found = false;
        for (uint32_t i = 0; i < trace->modules; i++) {
            assert_true(trace->module[i].start < trace->module[i].end);
            assert_int_equal(trace->module[i].path.bytes[0], '/');
            if (ours[n] < trace->module[i].start || ours[n] >= trace->module[i].end)
                continue;
            found = true;
            char path[4096];
            snprintf(path, sizeof path, "%.*s", (int)trace->module[i].path.size, trace->module[i].path.bytes);
            FILE *in = fopen(path, "rb");
            assert_non_null(in);
            char bytes[16];
            assert_int_equal(fseek(in, (long)(ours[n] - trace->module[i].start + trace->module[i].offset), SEEK_SET), 0);
            assert_int_equal(fread(bytes, 1, sizeof bytes, in), sizeof bytes);
            assert_memory_equal(bytes, (const void *)ours[n], sizeof bytes);
            fclose(in);
        }
        assert_true(found);
    }
}

/* However many mappings there are: these make the list longer than a megabyte. */
static void the_last_of_many_modules_is_found(void **state) {
    (void)state;
    enum { MANY = 12000 };
    uint32_t few = written(write_mappings)->modules;
    char *pages = mmap(NULL, (size_t)MANY * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    for (size_t i = 0; i < MANY; i += 2)
        assert_int_equal(mprotect(pages + i * 4096, 4096, PROT_NONE), 0);
    assert_int_equal(written(write_mappings)->modules, few);
    munmap(pages, (size_t)MANY * 4096);
}

/* Twice; then a page of code of this program more, and once again. */
static void write_mappings_again(struct vbt_chunk_writer *writer) {
    uint64_t known = 0;
    vbt_write_mappings(writer, &known);
    vbt_write_mappings(writer, &known);
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    assert_true(page != MAP_FAILED);
    close(fd);
    vbt_write_mappings(writer, &known);
    munmap(page, 4096);
}

static void what_is_known_is_not_written_again(void **state) {
    (void)state;
    uint32_t few = written(write_mappings)->modules;
    assert_int_equal(written_in(write_mappings_again, 2)->modules, 2 * few + 1);
}

/* More mapped code, of a file with a long name, than a chunk has room for. */
static void what_a_chunk_has_no_room_for_is_in_the_next(void **state) {
    (void)state;
    enum { MANY = 5000, LONG = 250 }; /* mappings of 270 bytes each in the chunk */
    uint32_t few = written(write_mappings)->modules;
    char path[LONG + 32] = "/tmp/vbt-";
    memset(path + strlen(path), 'x', LONG);
    strcpy(path + LONG, "-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && ftruncate(fd, (off_t)4096 * MANY) == 0);
    char *pages = mmap(NULL, (size_t)MANY * 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    assert_true(pages != MAP_FAILED);
    for (size_t i = 0; i < MANY; i += 2)
        assert_int_equal(mprotect(pages + i * 4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
    uint32_t many = written_in(write_mappings, 2)->modules;
    assert_int_equal(many, few + MANY);
    munmap(pages, (size_t)MANY * 4096);
    close(fd);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_process_is_described),
        cmocka_unit_test(the_interpreter_is_described),
        cmocka_unit_test(notes_are_carried_along),
        cmocka_unit_test(modules_cover_the_code_that_runs),
        cmocka_unit_test(the_last_of_many_modules_is_found),
        cmocka_unit_test(what_is_known_is_not_written_again),
        cmocka_unit_test(what_a_chunk_has_no_room_for_is_in_the_next),
    };
    world_init();
    world_without_options();
    setenv("VBTRACE_TICK", "12", 1);
    vbt_process_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
