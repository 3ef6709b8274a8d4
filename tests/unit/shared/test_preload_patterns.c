/* Patterns of names: one matcher, and the lists that VBTRACE_EXE, VBTRACE_FUNCTIONS and
 * VBTRACE_FILES are. */
#include "preload/shared/patterns.h"

#include "format/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool matches(const char *pattern, const char *text, char any) {
    return vbt_pattern_matches(pattern, strlen(pattern), text, strlen(text), any);
}

static void one_pattern_matches_the_whole_text(void **state) {
    (void)state;
    assert_true(matches("main", "main", '?'));
    assert_false(matches("main", "domain", '?'));
    assert_false(matches("main", "mainly", '?'));
    assert_true(matches("*main", "domain", '?'));
    assert_true(matches("sort_?", "sort_a", '?'));
    assert_false(matches("sort_?", "sort_", '?'));
    assert_true(matches("", "", '?'));
    assert_false(matches("", "a", '?'));
    assert_true(matches("*", "", '?'));
    assert_true(matches("**", "a", '?'));
    assert_false(matches("?", "", '?'));
    assert_true(matches("a*b*c", "a_b_b_c", '?'));
    assert_false(matches("a*b*c", "a_b_b", '?'));
    assert_true(matches("*ab", "aab", '?'));
}

static void a_question_mark_may_be_itself(void **state) {
    (void)state;
    assert_false(matches("a?", "ab", '\0'));
    assert_true(matches("a?", "a?", '\0'));
    assert_true(matches("*?", "a?", '\0'));
}

static void neither_needs_a_terminating_zero(void **state) {
    (void)state;
    static const char pattern[] = {'a', '*', 'x'}, text[] = {'a', 'b', 'c'};
    assert_true(vbt_pattern_matches(pattern, 2, text, 2, '?'));
    assert_false(vbt_pattern_matches(pattern, 3, text, 3, '?'));
    assert_true(vbt_pattern_matches(pattern, 1, text, 1, '?'));
}

static bool is_in(const char *patterns, const char *name) { return vbt_patterns_match(patterns, name, strlen(name), '.'); }

static void a_list_matches_by_one_of_its_patterns(void **state) {
    (void)state;
    assert_true(is_in("main", "main"));
    assert_false(is_in("main", "domain"));
    assert_true(is_in("a,b,main", "main"));
    assert_false(is_in("a,b", "a,b"));
    assert_true(is_in("a,  main", "main"));
    assert_true(is_in(" main , a", "main"));
    assert_true(is_in("a, main ", "main"));
    assert_true(is_in("a b, c", "a b"));
    assert_true(is_in("*", ""));
    assert_false(is_in("a,", "b"));
}

static void the_last_part_of_a_name_is_enough(void **state) {
    (void)state;
    assert_true(is_in("add", "Table.add"));
    assert_true(is_in("Table.*", "Table.add"));
    assert_false(is_in("Table", "Table.add"));
    assert_true(vbt_patterns_match("b.py", "/a/b.py", 7, '/'));
    assert_true(vbt_patterns_match("*/a/*", "/a/b.py", 7, '/'));
}

static void a_list_decides_on_programs(void **state) {
    (void)state;
    static const struct {
        const char *patterns, *path;
        int decision;
    } cases[] = {
        {"", "/usr/bin/ls", -1},      {"ls", "/usr/bin/ls", 1},
        {"ls", "/usr/bin/lsof", 0},   {"l?", "/usr/bin/ls", 1},
        {"l*", "/usr/bin/lsof", 1},   {"*", "/usr/bin/ls", 1},
        {"*s", "/usr/bin/ls", 1},     {"*o*o*", "/a/foobar", 1},
        {"*o*o*o*", "/a/foobar", 0},  {"python3.1*", "/usr/bin/python3.11", 1},
        {"usr", "/usr/bin/ls", 0},    {"/usr/*", "/usr/bin/ls", 1},
        {"/usr/*", "/opt/bin/ls", 0}, {"*/bin/l?", "/opt/bin/ls", 1},
        {"a,b,ls", "/usr/bin/ls", 1}, {"a,,ls,", "/usr/bin/ls", 1},
        {"a,b", "/usr/bin/ls", 0},    {"!ls", "/usr/bin/ls", 0},
        {"!ls", "/usr/bin/cat", -1},  {"!/usr/*", "/usr/bin/ls", 0},
        {"l*,!ls", "/usr/bin/ls", 0}, {"!ls,l*", "/usr/bin/lsof", 1},
        {"!,", "/usr/bin/ls", -1},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++)
        assert_int_equal(vbt_patterns_decide(cases[i].patterns, cases[i].path), cases[i].decision);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pattern_matches_the_whole_text), cmocka_unit_test(a_question_mark_may_be_itself),
        cmocka_unit_test(neither_needs_a_terminating_zero),   cmocka_unit_test(a_list_matches_by_one_of_its_patterns),
        cmocka_unit_test(the_last_part_of_a_name_is_enough),  cmocka_unit_test(a_list_decides_on_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
