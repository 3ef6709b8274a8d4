/* Options: every variable, invalid values, unknown names. */
#include "preload/shared/options.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

extern char **environ;

static struct vbt_options defaults;

/* Reads an environment of these entries, starting from the defaults; *said is the complaint. */
static bool read_entries(char **entries, const char **said) {
    vbt_options = defaults;
    char **before = environ;
    world_listen();
    environ = entries;
    bool good = vbt_options_read();
    environ = before;
    *said = world_said();
    return good;
}

static bool read_one(const char *entry, const char **said) { return read_entries((char *[]){(char *)entry, NULL}, said); }

static void assert_accepted(const char *entry) {
    const char *said;
    assert_true(read_one(entry, &said));
    assert_string_equal(said, "");
}

/* One line that names the variable, its value (the beginning of a long one) and what was
 * expected. */
static void assert_refused(const char *entry, const char *expected) {
    enum { ENOUGH = 150 };
    const char *said;
    char start[ENOUGH + 1];
    assert_false(read_one(entry, &said));
    assert_non_null(strstr(said, strncat(strcpy(start, ""), entry, ENOUGH)));
    assert_non_null(strstr(said, expected));
    assert_non_null(strstr(said, "untraced"));
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void nothing_set_means_the_defaults(void **state) {
    (void)state;
    const char *said;
    assert_true(read_entries((char *[]){"HOME=/", "XVBTRACE_TICK=0", NULL}, &said));
    assert_string_equal(said, "");
    assert_memory_equal(&vbt_options, &defaults, sizeof defaults);
    assert_string_equal(vbt_options.output, "");
    assert_string_equal(vbt_options.exe, "");
    assert_int_equal(vbt_options.tick, 10000000);
    assert_false(vbt_options.quiet);
    assert_false(vbt_options.follow_all);
    environ = NULL;
    assert_true(vbt_options_read());
}

static void output_is_a_path_with_letters(void **state) {
    (void)state;
    assert_accepted("VBTRACE_OUTPUT=/tmp/%p-%e-%h-%r-100%%.vbt");
    assert_string_equal(vbt_options.output, "/tmp/%p-%e-%h-%r-100%%.vbt");
    assert_accepted("VBTRACE_OUTPUT=a=b");
    assert_string_equal(vbt_options.output, "a=b");
    assert_refused("VBTRACE_OUTPUT=", "path");
    assert_refused("VBTRACE_OUTPUT=%x", "p, e, h, r or %");
    assert_refused("VBTRACE_OUTPUT=trailing%", "p, e");
    assert_refused("VBTRACE_OUTPUT=%%%", "p, e");
}

static void a_path_that_is_too_long_is_refused(void **state) {
    (void)state;
    char entry[32 + VBT_PATH_MAX] = "VBTRACE_OUTPUT=";
    size_t prefix = strlen(entry);
    memset(entry + prefix, 'a', VBT_PATH_MAX - 1);
    assert_accepted(entry);
    assert_int_equal(strlen(vbt_options.output), VBT_PATH_MAX - 1);
    entry[prefix + VBT_PATH_MAX - 1] = 'a';
    assert_refused(entry, "path");
}

static void tick_is_whole_milliseconds(void **state) {
    (void)state;
    assert_accepted("VBTRACE_TICK=1");
    assert_int_equal(vbt_options.tick, 1000000);
    assert_accepted("VBTRACE_TICK=3600000");
    assert_int_equal(vbt_options.tick, INT64_C(3600000000000));
    static const char *const bad[] = {
        "", "0", "-1", "3600001", "1.5", "5ms", "ten", "99999999999999999999", "-99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char entry[64] = "VBTRACE_TICK=";
        assert_refused(strcat(entry, bad[i]), "whole milliseconds from 1 to 3600000");
    }
}

static void quiet_is_0_or_1(void **state) {
    (void)state;
    assert_accepted("VBTRACE_QUIET=1");
    assert_true(vbt_options.quiet);
    assert_accepted("VBTRACE_QUIET=0");
    assert_false(vbt_options.quiet);
    assert_refused("VBTRACE_QUIET=", "0 or 1");
    assert_refused("VBTRACE_QUIET=yes", "0 or 1");
    assert_refused("VBTRACE_QUIET=10", "0 or 1");
}

static void programs_are_patterns(void **state) {
    (void)state;
    assert_accepted("VBTRACE_EXE=python*,!/usr/bin/*");
    assert_string_equal(vbt_options.exe, "python*,!/usr/bin/*");
    assert_refused("VBTRACE_EXE=", "patterns");
}

static void the_users_own_are_patterns(void **state) {
    (void)state;
    assert_accepted("VBTRACE_USER=libacme*,!*/vendor/*");
    assert_string_equal(vbt_options.user, "libacme*,!*/vendor/*");
    assert_refused("VBTRACE_USER=", "patterns");
}

static void delay_and_duration_are_seconds(void **state) {
    (void)state;
    assert_accepted("VBTRACE_DELAY=0.25");
    assert_int_equal(vbt_options.delay, 250000000);
    assert_accepted("VBTRACE_DELAY=0");
    assert_int_equal(vbt_options.delay, 0);
    assert_accepted("VBTRACE_DELAY=start");
    assert_int_equal(vbt_options.delay, INT64_MAX);
    assert_accepted("VBTRACE_DURATION=3600");
    assert_int_equal(vbt_options.duration, INT64_C(3600000000000));
    static const char *const bad[] = {"", "-1", "1s", "nan", "inf", "0x10", "1e99", " 1", "stop"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char entry[64] = "VBTRACE_DELAY=";
        assert_refused(strcat(entry, bad[i]), "seconds");
        strcpy(entry, "VBTRACE_DURATION=");
        assert_refused(strcat(entry, bad[i]), "seconds");
    }
    assert_refused("VBTRACE_DURATION=0", "seconds");
    assert_refused("VBTRACE_DURATION=start", "seconds");
}

static void limits_are_sizes(void **state) {
    (void)state;
    assert_accepted("VBTRACE_MAX_TRACE=100000");
    assert_int_equal(vbt_options.max_trace, 100000);
    assert_accepted("VBTRACE_MAX_TRACE=64K");
    assert_int_equal(vbt_options.max_trace, 65536);
    assert_accepted("VBTRACE_MAX_MEMORY=3G");
    assert_int_equal(vbt_options.max_memory, UINT64_C(3) << 30);
    static const char *const bad[] = {
        "", "0", "-1", "1000", "63K", "M", "1T", "1MB", "0x10000", "99999999999999999999", "999999999999999G"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char entry[64] = "VBTRACE_MAX_TRACE=";
        assert_refused(strcat(entry, bad[i]), "a size such as");
    }
}

static void follow_is_programs_or_all(void **state) {
    (void)state;
    assert_accepted("VBTRACE_FOLLOW=all");
    assert_true(vbt_options.follow_all);
    assert_accepted("VBTRACE_FOLLOW=programs");
    assert_false(vbt_options.follow_all);
    assert_refused("VBTRACE_FOLLOW=some", "programs or all");
}

static void native_stacks(void **state) {
    (void)state;
    assert_accepted("VBTRACE_NATIVE=leaf");
    assert_int_equal(vbt_options.native, VBT_NATIVE_LEAF);
    assert_accepted("VBTRACE_NATIVE=full");
    assert_int_equal(vbt_options.native, VBT_NATIVE_FULL);
    assert_accepted("VBTRACE_NATIVE=only");
    assert_int_equal(vbt_options.native, VBT_NATIVE_ONLY);
    assert_refused("VBTRACE_NATIVE=leaves", "leaf, full or only");
}

static void verify_every_so_many(void **state) {
    (void)state;
    assert_accepted("VBTRACE_VERIFY=100");
    assert_int_equal(vbt_options.verify, 100);
    assert_accepted("VBTRACE_VERIFY=0");
    assert_int_equal(vbt_options.verify, 0);
    assert_refused("VBTRACE_VERIFY=-1", "a whole number from 0 to 1000000000");
    assert_refused("VBTRACE_VERIFY=all", "a whole number from 0 to 1000000000");
}

static void lines_by_choice_and_patterns(void **state) {
    (void)state;
    assert_accepted("VBTRACE_LINES=1");
    assert_int_equal(vbt_options.lines, VBT_LINES_CHOSEN);
    assert_accepted("VBTRACE_LINES=profile");
    assert_int_equal(vbt_options.lines, VBT_LINES_DECORATED);
    assert_accepted("VBTRACE_LINES=0");
    assert_int_equal(vbt_options.lines, VBT_LINES_NONE);
    assert_accepted("VBTRACE_FUNCTIONS=main,sort_*");
    assert_string_equal(vbt_options.functions, "main,sort_*");
    assert_int_equal(vbt_options.lines, VBT_LINES_CHOSEN);
    assert_accepted("VBTRACE_FILES=*.py");
    assert_string_equal(vbt_options.files, "*.py");
    assert_refused("VBTRACE_LINES=yes", "0, 1 or profile");
    assert_refused("VBTRACE_FUNCTIONS=", "patterns");
}

/* One line that begins with the value that contradicts another. */
static void assert_contradictory(const char *one, const char *other, const char *expected) {
    const char *said;
    for (int turn = 0; turn < 2; turn++) {
        assert_false(read_entries((char *[]){(char *)(turn == 0 ? one : other), (char *)(turn == 0 ? other : one), NULL}, &said));
        assert_memory_equal(said, "vbtrace: ", 9);
        assert_memory_equal(said + 9, one, strlen(one));
        assert_non_null(strstr(said, expected));
        assert_non_null(strstr(said, "untraced"));
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
    }
}

static void values_may_contradict_each_other(void **state) {
    (void)state;
    const char *said;
    assert_contradictory("VBTRACE_NATIVE=only", "VBTRACE_LINES=1", "expected leaf or full");
    assert_contradictory("VBTRACE_NATIVE=only", "VBTRACE_OBJECTS=1", "expected leaf or full");
    assert_contradictory("VBTRACE_LINES=0", "VBTRACE_OBJECTS=1", "expected 1 or profile with VBTRACE_OBJECTS");
    assert_contradictory("VBTRACE_LINES=0", "VBTRACE_FUNCTIONS=main", "expected 1 with VBTRACE_FUNCTIONS");
    assert_contradictory("VBTRACE_LINES=0", "VBTRACE_FILES=*.py", "expected 1 with VBTRACE_FUNCTIONS or VBTRACE_FILES");
    assert_contradictory("VBTRACE_LINES=profile", "VBTRACE_FUNCTIONS=main", "expected 1 with VBTRACE_FUNCTIONS");
    assert_contradictory("VBTRACE_LINES=profile", "VBTRACE_FILES=*.py", "which choose other lines");
    assert_true(read_entries((char *[]){"VBTRACE_LINES=0", "VBTRACE_OBJECTS=0", "VBTRACE_NATIVE=only", NULL}, &said));
    assert_string_equal(said, "");
}

static void an_unknown_name_is_reported_and_ignored(void **state) {
    (void)state;
    const char *said;
    assert_true(read_entries((char *[]){"VBTRACE_TICKS=x", "VBTRACE_TICK=2", "VBTRACE_=", NULL}, &said));
    assert_string_equal(said, "vbtrace: VBTRACE_TICKS: no such option; ignored\nvbtrace: VBTRACE_: no such option; ignored\n");
    assert_int_equal(vbt_options.tick, 2000000);
}

static void several_are_read_in_one_go(void **state) {
    (void)state;
    const char *said;
    assert_true(read_entries((char *[]){"VBTRACE_QUIET=1", "A=B", "VBTRACE_TICK=7", "VBTRACE_FOLLOW=all", "VBTRACE_OUTPUT=x", NULL},
                             &said));
    assert_string_equal(said, "");
    assert_true(vbt_options.quiet && vbt_options.follow_all);
    assert_int_equal(vbt_options.tick, 7000000);
    assert_string_equal(vbt_options.output, "x");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_set_means_the_defaults),
        cmocka_unit_test(output_is_a_path_with_letters),
        cmocka_unit_test(a_path_that_is_too_long_is_refused),
        cmocka_unit_test(tick_is_whole_milliseconds),
        cmocka_unit_test(quiet_is_0_or_1),
        cmocka_unit_test(programs_are_patterns),
        cmocka_unit_test(the_users_own_are_patterns),
        cmocka_unit_test(delay_and_duration_are_seconds),
        cmocka_unit_test(limits_are_sizes),
        cmocka_unit_test(follow_is_programs_or_all),
        cmocka_unit_test(native_stacks),
        cmocka_unit_test(verify_every_so_many),
        cmocka_unit_test(lines_by_choice_and_patterns),
        cmocka_unit_test(values_may_contradict_each_other),
        cmocka_unit_test(an_unknown_name_is_reported_and_ignored),
        cmocka_unit_test(several_are_read_in_one_go),
    };
    defaults = vbt_options;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
