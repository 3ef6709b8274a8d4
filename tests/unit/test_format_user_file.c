/* Which Python files are the user's own: file names as interpreters really give them. */
#include "user_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const user_files[] = {
    /* plain scripts and projects, relative and absolute */
    "bench.py",
    "./bench.py",
    "/home/me/project/bench.py",
    "/srv/app/lib/helpers.py",
    "/opt/tool/lib/main.py",
    /* python in a name does not make a standard library */
    "/home/me/python/bench.py",
    "/home/me/python3.11/bench.py",
    "/home/me/pythonista/lib/x.py",
    "/home/me/lib/python/bench.py",
    "/home/me/lib/pythontools/bench.py",
    "/home/me/mylib/python3.11-notes/x.py",
    "/home/me/site-packages.py",
    /* what was typed rather than saved */
    "<string>",
    "<stdin>",
    "<console>",
    "<input>",
    "<doctest helpers.py[0]>",
    "<timeit-src>",
    "<ipython-input-3-0123456789ab>",
    "/tmp/ipykernel_4711/1234.py",
};

static const char *const other_files[] = {
    /* Debian */
    "/usr/lib/python3.11/json/decoder.py",
    "/usr/lib/python3/dist-packages/numpy/core/fromnumeric.py",
    "/usr/local/lib/python3.11/dist-packages/pandas/core/frame.py",
    /* pyenv and builds of one's own */
    "/home/me/.pyenv/versions/3.12.3/lib/python3.12/random.py",
    "/home/me/.pyenv/versions/3.12.3/lib/python3.12/site-packages/requests/api.py",
    "/opt/python/lib/python3.8/collections/__init__.py",
    /* a virtual environment inside the user's project */
    "/home/me/project/.venv/lib/python3.11/site-packages/attr/_make.py",
    "/home/me/project/venv/lib64/python3.11/site-packages/attr/_make.py",
    /* Red Hat keeps the library in lib64 */
    "/usr/lib64/python3.9/json/__init__.py",
    /* zipped and frozen libraries */
    "/opt/app/lib/python311.zip/json/decoder.py",
    "<frozen importlib._bootstrap>",
    "<frozen os>",
    /* free-threaded builds */
    "/usr/local/lib/python3.13t/threading.py",
    "/usr/local/lib/python3.14t/site-packages/numpy/__init__.py",
    /* nothing to go by */
    "",
    "<unknown>",
};

static void users_files_are_the_users(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof user_files / sizeof *user_files; i++)
        if (!vbt_is_user_file(user_files[i]))
            fail_msg("%s should be the user's own", user_files[i]);
}

static void libraries_are_not_the_users(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof other_files / sizeof *other_files; i++)
        if (vbt_is_user_file(other_files[i]))
            fail_msg("%s should not be the user's own", other_files[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_files_are_the_users),
        cmocka_unit_test(libraries_are_not_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
