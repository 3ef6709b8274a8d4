/* Which functions line mode takes. */
#include "preload/lines/line_choice.h"

#include "format/format.h"
#include "preload/shared/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static bool takes(const char *file, const char *name, uint32_t flags) {
    return vbt_line_choice_takes(file, strlen(file), name, strlen(name), flags);
}

static void the_users_files_by_default(void **state) {
    (void)state;
    vbt_options = (struct vbt_options){.lines = VBT_LINES_CHOSEN};
    assert_true(takes("/home/a.py", "f", VBT_CODE_USER));
    assert_false(takes("/usr/lib/python3.11/json/decoder.py", "f", 0));
    assert_false(takes("/home/vbtrace.py", "f", VBT_CODE_USER | VBT_CODE_OWN));
    assert_false(takes("<string>", "f", VBT_CODE_USER));
    vbt_options.lines = VBT_LINES_DECORATED;
    assert_false(takes("/home/a.py", "f", VBT_CODE_USER));
}

static void patterns_take_any_file(void **state) {
    (void)state;
    vbt_options = (struct vbt_options){.lines = VBT_LINES_CHOSEN, .functions = "loads"};
    assert_true(takes("/usr/lib/python3.11/json/__init__.py", "loads", 0));
    assert_false(takes("/home/a.py", "f", VBT_CODE_USER));
    strcpy(vbt_options.files, "a.py");
    assert_false(takes("/usr/lib/python3.11/json/__init__.py", "loads", 0));
    assert_true(takes("/home/a.py", "loads", VBT_CODE_USER));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_users_files_by_default),
        cmocka_unit_test(patterns_take_any_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
