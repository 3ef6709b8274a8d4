/* The last part of a path. */
#include "preload/shared/base_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void what_follows_the_last_slash(void **state) {
    (void)state;
    assert_string_equal(vbt_base_name("/usr/bin/ls"), "ls");
    assert_string_equal(vbt_base_name("bin/ls"), "ls");
    assert_string_equal(vbt_base_name("/ls"), "ls");
}

static void a_path_without_a_slash_is_its_own_name(void **state) {
    (void)state;
    const char *path = "ls";
    assert_ptr_equal(vbt_base_name(path), path);
    assert_string_equal(vbt_base_name(""), "");
}

static void a_directory_with_a_trailing_slash_has_no_name(void **state) {
    (void)state;
    const char *path = "dir/";
    assert_ptr_equal(vbt_base_name(path), path + 4);
    assert_string_equal(vbt_base_name("/"), "");
    assert_string_equal(vbt_base_name("a//"), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_the_last_slash),
        cmocka_unit_test(a_path_without_a_slash_is_its_own_name),
        cmocka_unit_test(a_directory_with_a_trailing_slash_has_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
