/* Whose code it is, by the folders of the program and by patterns. */
#include "analyzer/symbols/user_code.h"
#include "format/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct vbt_user_code user_of(const char *exe, const char *cwd, const char *option, const char *python) {
    static struct vbt_model_pair pairs[4];
    static struct vbt_model model = {.process = pairs};
    const struct vbt_model_pair all[] = {{"exe", exe}, {"cwd", cwd}, {"option", option}, {"python", python}};
    model.process_count = 0;
    for (size_t i = 0; i < VBT_COUNT(all); i++)
        if (all[i].value != NULL)
            pairs[model.process_count++] = all[i];
    struct vbt_user_code user;
    vbt_user_code_init(&user, &model);
    return user;
}

static bool has(const struct vbt_user_code *user, const char *library) { return vbt_user_code_has_module(user, library, false); }

static void libraries_below_the_programs_folders_are_users(void **state) {
    (void)state;
    struct vbt_user_code user = user_of("/srv/app/bin/app", "/work/project", NULL, NULL);
    assert_true(has(&user, "/srv/app/bin/libplugin.so"));
    assert_true(has(&user, "/work/project/build/lib/libacme.so.1"));
    assert_true(has(&user, "/work/other/../project/libacme.so"));
    assert_false(has(&user, "/work/project/../other/libacme.so"));
    assert_false(has(&user, "/work/project2/libacme.so"));
    assert_false(has(&user, "/srv/app/lib/libacme.so"));
    assert_false(has(&user, "/usr/lib/x86_64-linux-gnu/libz.so.1"));
    assert_true(vbt_user_code_has_module(&user, "/srv/app/bin/app", true));
}

static void what_others_put_there_is_not(void **state) {
    (void)state;
    struct vbt_user_code user = user_of("/srv/app/app", "/work/project", NULL, NULL);
    assert_false(has(&user, "/work/project/venv/lib/python3.11/site-packages/numpy/core/_multiarray.so"));
    assert_false(has(&user, "/work/project/node_modules/canvas/canvas.node"));
    assert_false(has(&user, "/work/project/.conda/lib/libz.so.1"));
    assert_false(has(&user, "/srv/app/libc.so.6"));
    assert_false(has(&user, "/srv/app/libstdc++.so.6"));
    assert_false(has(&user, "/srv/app/libpython3.11.so.1.0"));
}

static void folders_of_whole_systems_say_nothing(void **state) {
    (void)state;
    static const char *const wide[] = {"/", "/usr", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/home", "/home/ada", "/opt", "/root"};
    for (size_t i = 0; i < VBT_COUNT(wide); i++) {
        struct vbt_user_code user = user_of("/usr/bin/app", wide[i], NULL, NULL);
        assert_false(has(&user, "/usr/lib/x86_64-linux-gnu/libz.so.1"));
        assert_false(has(&user, "/home/ada/miniconda3/lib/libz.so.1"));
        assert_false(has(&user, "/opt/acme/lib/libacme.so"));
    }
    struct vbt_user_code user = user_of("/srv/python/bin/python3", "/", NULL, "3.11.2");
    assert_false(has(&user, "/srv/python/bin/libacme.so")); /* the interpreter's folder is not the program's */
}

static void patterns_add_and_take_away(void **state) {
    (void)state;
    struct vbt_user_code user =
        user_of("/usr/bin/app", "/work/project", "VBTRACE_USER=libacme*,!libold*,!*/vendor/*,*/ours/*.py", NULL);
    assert_true(has(&user, "/usr/lib/libacme.so.1"));
    assert_false(has(&user, "/usr/lib/libother.so"));
    assert_false(has(&user, "/work/project/libold.so"));
    assert_true(has(&user, "/work/project/libnew.so"));
    assert_false(vbt_user_code_has_source(&user, "/work/project/vendor/json.hpp"));
    assert_true(vbt_user_code_has_source(&user, "/work/project/main.cpp"));
    assert_true(vbt_user_code_has_python(&user, "/usr/lib/python3/dist-packages/ours/a.py", false));
    assert_false(vbt_user_code_has_python(&user, "/work/vendor/a.py", true));
    assert_true(vbt_user_code_has_python(&user, "/work/a.py", true));
    assert_false(vbt_user_code_has_python(&user, "/usr/lib/python3.11/json/decoder.py", false));
}

static void sources_of_libraries_are_known_wherever_they_are(void **state) {
    (void)state;
    static const char *const of_libraries[] = {
        "/usr/include/c++/12/bits/new_allocator.h",
        "/usr/bin/../lib/gcc/x86_64-linux-gnu/12/../../../../include/c++/12/bits/alloc_traits.h",
        "/opt/gcc-13/include/c++/13/bits/stl_vector.h",
        "/rust/deps/hashbrown-0.15.2/src/raw/alloc.rs",
        "/rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/alloc/src/alloc.rs",
        "/home/ada/.cargo/registry/src/index.crates.io-6f17d22bba15001f/serde-1.0.1/src/lib.rs",
        "/home/ada/.cargo/git/checkouts/tokio-1/src/lib.rs",
        "/usr/src/rustc-1.63.0/library/alloc/src/raw_vec.rs"};
    static const char *const users[] = {"/home/ada/project/main.cpp", "/home/ada/include/ours.h", "src/main.rs",
                                        "/usr/local/src/a.c", "/work/lib/../include/ours.h"};
    struct vbt_user_code user = user_of("/work/app", "/work", NULL, NULL);
    for (size_t i = 0; i < VBT_COUNT(of_libraries); i++)
        assert_false(vbt_user_code_has_source(&user, of_libraries[i]));
    for (size_t i = 0; i < VBT_COUNT(users); i++)
        assert_true(vbt_user_code_has_source(&user, users[i]));
    assert_true(vbt_user_code_has_source(&user, NULL)); /* no debug information: the library decides */
}

static void cythons_helpers_stand_for_no_line(void **state) {
    (void)state;
    static const char pyx[] = "/work/pkg/module.pyx";
    assert_true(vbt_user_code_is_cython("pkg.module.total", pyx));
    assert_true(vbt_user_code_is_cython("pkg.module.total", "/work/pkg/module.py"));
    assert_true(vbt_user_code_is_cython("__pyx_pymod_exec_module", pyx));
    assert_false(vbt_user_code_is_cython("__Pyx_PyList_Append", pyx));
    assert_false(vbt_user_code_is_cython("pkg.module.total", "/work/pkg/module.c"));
    assert_true(vbt_user_code_is_cython_helper("__Pyx_PyList_Append", pyx));
    assert_true(vbt_user_code_is_cython_helper("__pyx_tp_new_3pkg_Box", pyx));
    assert_true(vbt_user_code_is_cython_helper("__Pyx_PyObject_Call", "/work/pkg/cython_utility"));
    assert_true(vbt_user_code_is_cython_helper("__pyx_pymod_exec_module", "/work/pkg/(tree fragment)"));
    assert_false(vbt_user_code_is_cython_helper("pkg.module.total", pyx));
    assert_false(vbt_user_code_is_cython_helper("__Pyx_PyList_Append", "/work/pkg/module.c")); /* its lines are right */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libraries_below_the_programs_folders_are_users),
        cmocka_unit_test(what_others_put_there_is_not),
        cmocka_unit_test(folders_of_whole_systems_say_nothing),
        cmocka_unit_test(patterns_add_and_take_away),
        cmocka_unit_test(sources_of_libraries_are_known_wherever_they_are),
        cmocka_unit_test(cythons_helpers_stand_for_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
