/* Which programs are traced: patterns, shells, helpers. */
#include "preload/process/wanted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void a_pattern_is_for_the_name_or_the_path(void **state) {
    (void)state;
    static const struct {
        const char *patterns, *path;
        int says;
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(vbt_patterns_say(cases[i].patterns, cases[i].path), cases[i].says);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_for_the_name_or_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
