/* The name of the trace: its placeholders, and that two processes never get the same one. */
#include "preload/stream/trace_path.h"

#include "preload/shared/options.h"
#include "preload/shared/destination.h"
#include "preload/process/process.h"
#include "tests/unit/support/preload_world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROOM = VBT_PATH_MAX + 512 };

static char folder[] = "/tmp/vbt-path-XXXXXX", part[64], usual[64]; /* of this run only, and files in it */

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(part, sizeof part, "%s/t.part", folder);
    snprintf(usual, sizeof usual, "%s/t.vbt", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder); /* each test removes what it made */
}

static const char *path_of(const char *output, bool forked) {
    static char path[ROOM];
    strcpy(vbt_options.output, output);
    vbt_trace_path(path, sizeof path, forked);
    return path;
}

static void forget_ranks(void) {
    unsetenv("OMPI_COMM_WORLD_RANK");
    unsetenv("PMIX_RANK");
    unsetenv("PMI_RANK");
    unsetenv("SLURM_PROCID");
    vbt_trace_path_init();
}

static void letters_are_replaced(void **state) {
    (void)state;
    char expected[512], host[128];
    gethostname(host, sizeof host);
    forget_ranks();
    snprintf(expected, sizeof expected, "/tmp/%d-test_preload_trace_path-%s-0-%%.vbt", (int)getpid(), host);
    assert_string_equal(path_of("/tmp/%p-%e-%h-%r-%%.vbt", false), expected);
    setenv("SLURM_PROCID", "17", 1);
    assert_string_equal(path_of("/tmp/%r%r", false), "/tmp/00"); /* the program may change its environment */
    vbt_trace_path_init();
    assert_string_equal(path_of("/tmp/%r%r", false), "/tmp/1717");
    assert_string_equal(path_of("/plain", false), "/plain");
}

/* The program may change its directory: the trace goes to where it started. */
static void a_relative_path_begins_where_the_program_started(void **state) {
    (void)state;
    char cwd[4096], expected[8192];
    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(chdir("/"), 0);
    snprintf(expected, sizeof expected, "%s/t.vbt", cwd);
    assert_string_equal(path_of("t.vbt", false), expected);
    forget_ranks();
    snprintf(expected, sizeof expected, "%s/vbtrace.test_preload_trace_path.%d.vbt", cwd, (int)getpid());
    assert_string_equal(path_of("", false), expected);
    assert_string_equal(path_of("", true), expected); /* it already has the pid */
    assert_int_equal(chdir(cwd), 0);
}

/* And it is created if needed; the name can include host and rank. */
static void a_slash_makes_a_folder(void **state) {
    (void)state;
    char made[64], in_it[80], expected[512], host[128];
    struct stat status;
    gethostname(host, sizeof host);
    forget_ranks();
    snprintf(made, sizeof made, "%s/made", folder);
    snprintf(in_it, sizeof in_it, "%s/", made);
    snprintf(expected, sizeof expected, "%s/vbtrace.test_preload_trace_path.%d.vbt", made, (int)getpid());
    assert_string_equal(path_of(in_it, true), expected);
    assert_int_equal(stat(made, &status), 0);
    setenv("PMI_RANK", "5", 1);
    vbt_trace_path_init();
    snprintf(expected, sizeof expected, "%s/vbtrace.test_preload_trace_path.%s.5.%d.vbt", made, host, (int)getpid());
    assert_string_equal(path_of(in_it, false), expected);
    forget_ranks();
    rmdir(made);
}

static void a_forked_process_has_its_pid_in_the_name(void **state) {
    (void)state;
    char expected[64];
    snprintf(expected, sizeof expected, "/tmp/a.%d.vbt", (int)getpid());
    assert_string_equal(path_of("/tmp/a.vbt", true), expected);
    snprintf(expected, sizeof expected, "/tmp/a.%d", (int)getpid());
    assert_string_equal(path_of("/tmp/a", true), expected);
    snprintf(expected, sizeof expected, "/tmp/%d", (int)getpid());
    assert_string_equal(path_of("/tmp/%p", true), expected);
}

static void a_path_that_grows_too_long_is_cut(void **state) {
    (void)state;
    char much[VBT_PATH_MAX];
    for (size_t i = 0; i + 2 < sizeof much; i += 2)
        memcpy(much + i, "%e", 2);
    much[sizeof much - 2] = '\0';
    char out[100 + 8];
    memset(out, 'x', sizeof out);
    strcpy(vbt_options.output, much);
    vbt_trace_path(out, 100, false);
    assert_int_equal(strlen(out), 99);
    assert_int_equal(out[100], 'x');
}

static void write_file(const char *path, const char *text, int64_t modified) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {modified / 1000000000, modified % 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void assert_holds(const char *path, const char *text) {
    char found[16] = "";
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    assert_int_equal(fread(found, 1, sizeof found - 1, in), strlen(text));
    fclose(in);
    assert_string_equal(found, text);
    unlink(path);
}

/* Takes the name for a new file while another is there, written this long before or after now;
 * returns the new file's path. */
static const char *taken(const char *name, int64_t age) {
    static char path[ROOM];
    write_file(part, "new", vbt_started);
    strcpy(path, path_of(name, false));
    write_file(path, "old", vbt_started - age);
    assert_int_equal(vbt_trace_path_take(part, path, sizeof path), 0);
    assert_int_equal(access(part, F_OK), -1);
    return path;
}

/* It belongs to an earlier run. */
static void an_old_file_is_replaced(void **state) {
    (void)state;
    const char *path = taken(usual, INT64_C(3600) * 1000000000);
    assert_string_equal(path, usual);
    assert_holds(path, "new");
}

/* It belongs to another process of this run, or to this one before an exec. */
static void a_file_of_the_session_stays(void **state) {
    (void)state;
    enum { LATER = -1000000000 };
    char expected[128];
    snprintf(expected, sizeof expected, "%s/t.%d.vbt", folder, (int)getpid());
    write_file(expected, "third", vbt_started - LATER);
    char second[128];
    snprintf(second, sizeof second, "%s/t.%d.2.vbt", folder, (int)getpid());
    assert_string_equal(taken(usual, LATER), second);
    assert_holds(second, "new");
    assert_holds(expected, "third");
    assert_holds(usual, "old");

    char with_pid[64];
    snprintf(with_pid, sizeof with_pid, "%s/%%p.vbt", folder);
    snprintf(expected, sizeof expected, "%s/%d.2.vbt", folder, (int)getpid());
    assert_string_equal(taken(with_pid, LATER), expected);
    assert_holds(expected, "new");
    snprintf(expected, sizeof expected, "%s/%d.vbt", folder, (int)getpid());
    assert_holds(expected, "old");
}

static void a_link_is_followed(void **state) {
    (void)state;
    unlink("/tmp/vbt-path-link");
    assert_int_equal(symlink("vbt-path-second.vbt", "/tmp/vbt-path-link"), 0);
    assert_string_equal(path_of("/tmp/vbt-path-link", false), "/tmp/vbt-path-second.vbt");
    assert_int_equal(symlink("/tmp/vbt-path-third.vbt", "/tmp/vbt-path-second.vbt"), 0);
    assert_string_equal(path_of("/tmp/vbt-path-link", false), "/tmp/vbt-path-third.vbt");
    unlink("/tmp/vbt-path-second.vbt");
    assert_int_equal(symlink("vbt-path-link", "/tmp/vbt-path-second.vbt"), 0);
    assert_string_equal(path_of("/tmp/vbt-path-link", false), "/tmp/vbt-path-link"); /* a cycle */
    unlink("/tmp/vbt-path-second.vbt");
    unlink("/tmp/vbt-path-link");
}

static void what_is_no_file_is_not_replaced(void **state) {
    (void)state;
    static char path[ROOM] = "/tmp/vbt-path.vbt";
    struct stat status;
    write_file("/tmp/vbt-path.part", "new", vbt_started);
    assert_int_equal(mkfifo(path, 0600), 0);
    struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    assert_int_equal(vbt_trace_path_take("/tmp/vbt-path.part", path, sizeof path), VBT_NO_FILE);
    assert_int_equal(vbt_destination_replace("/tmp/vbt-path.part", path), VBT_NO_FILE);
    assert_string_equal(path, "/tmp/vbt-path.vbt");
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    unlink(path);
    assert_int_equal(symlink("/tmp/vbt-path.part", path), 0); /* a link created after the path was resolved */
    assert_int_equal(vbt_destination_replace("/tmp/vbt-path.part", path), VBT_NO_FILE);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(vbt_destination_replace("/tmp/vbt-path.part", path), EISDIR);
    rmdir(path);
    unlink("/tmp/vbt-path.part");
}

static void what_cannot_be_named_is_reported(void **state) {
    (void)state;
    static char path[ROOM] = "/nonexistent/t.vbt";
    write_file(part, "new", vbt_started);
    assert_int_equal(vbt_trace_path_take(part, path, sizeof path), ENOENT);
    unlink(part);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_replaced),
        cmocka_unit_test(a_relative_path_begins_where_the_program_started),
        cmocka_unit_test(a_slash_makes_a_folder),
        cmocka_unit_test(a_forked_process_has_its_pid_in_the_name),
        cmocka_unit_test(a_path_that_grows_too_long_is_cut),
        cmocka_unit_test(an_old_file_is_replaced),
        cmocka_unit_test(a_file_of_the_session_stays),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(what_is_no_file_is_not_replaced),
        cmocka_unit_test(what_cannot_be_named_is_reported),
    };
    world_init();
    vbt_process_init();
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
