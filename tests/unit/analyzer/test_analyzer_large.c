/* Traces with millions of call paths: pictures have a limit, and what is not drawn is counted;
 * memory is in proportion to the paths. */
#include "tests/unit/support/command_runs.h"
#include "tests/unit/support/trace_builder.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* So many stacks of different functions, each `depth` frames deep, that hold a byte each. */
static const char *deep_stacks(uint32_t stacks, uint32_t depth) {
    struct trace_builder b;
    uint32_t sites[64];
    tb_begin(&b);
    for (uint32_t i = 0; i < 64; i++) {
        char name[16];
        snprintf(name, sizeof name, "function_%u", i);
        sites[i] = tb_site(&b, VBT_SITE_PYTHON, tb_code(&b, "/proj/deep.py", name, i + 1, VBT_CODE_USER), i + 1);
    }
    for (uint32_t stack = 0; stack < stacks; stack++) {
        uint32_t first = stack * depth + 1;
        tb_open(&b);
        vbt_put_varint(&b.w, first);
        vbt_put_varint(&b.w, depth);
        for (uint32_t i = 0; i < depth; i++)
            vbt_put_varint(&b.w, i == 0 ? first : 1);
        int64_t last = 0;
        for (uint32_t i = 0; i < depth; i++) {
            int64_t site = sites[i == 0 ? stack % 64 : i == 1 ? stack / 64 % 64 : (i + stack) % 64];
            vbt_put_zigzag(&b.w, site - last);
            last = site;
        }
        for (uint32_t i = 0; i < depth; i++)
            vbt_put_varint(&b.w, VBT_DOMAIN_PYTHON);
        tb_close(&b, VBT_CHUNK_NODES);
        tb_counters(
            &b,
            &(struct tb_counters){
                .node = first + depth - 1, .allocs = 1, .allocated = 1, .live_blocks = 1, .live_bytes = 1, .at_peak_bytes = 1},
            1);
    }
    tb_end(&b, 1, "exit");
    const char *path = tb_save(&b);
    tb_free(&b);
    return path;
}

static size_t count(const char *text, const char *part) {
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        found++;
    return found;
}

/* 60 stacks of 1,000 frames would take 13 MB. */
static void a_picture_has_a_limit(void **state) {
    (void)state;
    const char *path = deep_stacks(60, 1000);
    assert_int_equal(run_command("flamegraph", path, NULL), 0);
    const char *text = output_text();
    assert_in_range(strlen(text), 4000000, 5000000);
    size_t drawn = count(text, "class=\"frame ") - 1; /* and the root */
    assert_in_range(drawn, 15000, 59999);
    char sentence[128];
    size_t missing = 60000 - drawn;
    snprintf(sentence, sizeof sentence, "%zu,%03zu frames are not drawn, since the picture would be larger than 5 MB",
             missing / 1000, missing % 1000);
    has(message, sentence);
    has(text, sentence);
    assert_int_equal(count(text, "data-level=\"1\""), 60); /* the outermost come first */
    assert_int_equal(count(text, "data-level=\"2\""), 60);

    assert_int_equal(run_command("flamegraph", path, "--min", "2%", NULL), 0);
    assert_int_equal(count(output_text(), "class=\"frame "), 1);
    has(output_text(), "60,000 frames of less than 2 B are not drawn; they hold 60 B (100.0%). --min draws more.");
    assert_string_equal(message, "");
}

static void levels_beyond_the_deepest_are_counted(void **state) {
    (void)state;
    assert_int_equal(run_command("flamegraph", deep_stacks(2, 5000), NULL), 0);
    static const char sentence[] = "Of deeper stacks, only 4096 levels are drawn: 1,810 frames are left out.";
    has(output_text(), sentence);
    has(message, sentence);
    assert_int_equal(count(output_text(), "class=\"frame "), 1 + 2 * 4095);
}

/* A stack of 1,000 functions with names of 4,000 bytes, each of which allocates: 500,000 frames. */
static const char *long_names(void) {
    enum { DEPTH = 1000, LENGTH = 4000 };
    static struct tb_counters counters[DEPTH];
    static char name[LENGTH + 1];
    struct trace_builder b;
    tb_begin(&b);
    for (uint32_t i = 0, node = 0; i < DEPTH; i++) {
        memset(name, 'f', LENGTH);
        snprintf(name + LENGTH - 8, 9, "%08u", i);
        node = tb_node(&b, node, tb_site(&b, VBT_SITE_PYTHON, tb_code(&b, "a.py", name, i + 1, 0), i + 1), VBT_DOMAIN_PYTHON);
        counters[i] = (struct tb_counters){.node = node, .allocs = 1, .allocated = 1, .live_blocks = 1, .live_bytes = 1};
    }
    tb_counters(&b, counters, DEPTH);
    tb_end(&b, 1, "exit");
    const char *path = tb_save(&b);
    tb_free(&b);
    return path;
}

/* Half of a JSON document is of no use. */
static void what_is_too_large_is_not_begun(void **state) {
    (void)state;
    static const char *const cases[][4] = {{"tree", "--reverse", "--format", "json"},
                                           {"leaks", "--ungroup", "--format", "csv"},
                                           {"export", "--measure=bytes", "--format", "collapsed"}};
    const char *path = long_names();
    char output[] = "/tmp/vbtrace-large-XXXXXX";
    int file = mkstemp(output);
    assert_int_equal(write(file, "older", 5), 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(run_command(cases[i][0], cases[i][1], cases[i][2], cases[i][3], "-o", output, path, NULL) == 0 ? 0 : 1);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 2);
        assert_int_equal(lseek(file, 0, SEEK_END), 5);
    }
    close(file);
    unlink(output);
}

/* The most memory that a process has which runs a command, or nothing, in KiB. */
static long memory_of(const char *command, const char *path) {
    malloc_trim(0); /* the process begins with what this one has */
    pid_t child = fork();
    if (child == 0)
        _exit(command == NULL || run_command(command, path, NULL) == 0 ? 0 : 1);
    int status;
    struct rusage usage;
    assert_int_equal(wait4(child, &status, 0, &usage), child);
    assert_int_equal(status, 0);
    return usage.ru_maxrss;
}

static void a_path_takes_at_most_60_bytes(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    print_message("memory is not measured: AddressSanitizer adds to every block\n");
    skip();
#endif
    enum { STACKS = 500, DEPTH = 2500 };
    static const char *const views[] = {"peak", "tree", "leaks", "flamegraph"};
    const char *path = deep_stacks(STACKS, DEPTH);
    long nothing = memory_of(NULL, path);
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        long bytes = (memory_of(views[i], path) - nothing) * 1024 / (STACKS * DEPTH);
        if (bytes < 20 || bytes > 60)
            fail_msg("%s takes %ld bytes for each call path", views[i], bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_has_a_limit),
        cmocka_unit_test(levels_beyond_the_deepest_are_counted),
        cmocka_unit_test(what_is_too_large_is_not_begun),
        cmocka_unit_test(a_path_takes_at_most_60_bytes),
    };
    return cmocka_run_group_tests(tests, make_output, remove_output);
}
