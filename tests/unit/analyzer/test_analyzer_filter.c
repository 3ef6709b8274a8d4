/* --filter: its syntax, and the names that a place matches by. */
#include "format/count.h"
#include "analyzer/analysis/filter.h"
#include "analyzer/symbols/module_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void what_is_wrong_with_a_filter(void **state) {
    (void)state;
    static const struct {
        const char *filter, *wrong; /* NULL: nothing is */
    } cases[] = {
        {"function=^a.*b$", NULL},
        {"file!=x", NULL},
        {"domain=heap|map", NULL},
        {"some text", NULL},
        {"=", NULL},
        {"Operator=", NULL},
        {"module=", NULL},
        {"a != b", NULL},
        {"func=x", "expected function=, file="},
        {"label!=x", "expected function=, file="},
        {"function=(", "not a regular expression: Unmatched ("},
        {"file!=[a", "not a regular expression: Unmatched ["},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        char *wrong = vbt_filter_wrong(cases[i].filter);
        if ((wrong == NULL) != (cases[i].wrong == NULL) || (wrong != NULL && strstr(wrong, cases[i].wrong) == NULL))
            fail_msg("%s: %s", cases[i].filter, wrong != NULL ? wrong : "nothing");
        free(wrong);
    }
}

static void all_conditions_must_hold(void **state) {
    (void)state;
    static const struct vbt_source_place f = {.kind = VBT_PLACE_PYTHON, .file = "a.py", .function = "f"};
    static const struct vbt_source_place g = {.kind = VBT_PLACE_NATIVE, .file = "g.c", .function = "g", .module = "/lib/libg.so"};
    const struct vbt_source_place *const both[] = {&f, &g}, *const one[] = {&f};
    struct vbt_filter *filter =
        vbt_filter_new(&(struct vbt_query){.filters = {"function=f", "module=libg", "file!=b"}, .filter_count = 3});
    assert_true(vbt_filter_places(filter, both, 2));
    assert_false(vbt_filter_places(filter, one, 1));
    vbt_filter_free(filter);
    filter = vbt_filter_new(&(struct vbt_query){.filters = {"function=f", "file!=c$"}, .filter_count = 2});
    assert_false(vbt_filter_places(filter, both, 2));
    assert_true(vbt_filter_places(filter, one, 1));
    vbt_filter_free(filter);
    filter = vbt_filter_new(&(struct vbt_query){.filters = {"py", "a"}, .filter_count = 2, .filters_rows = true});
    assert_true(vbt_filter_row(filter, &f, NULL, NULL));
    assert_false(vbt_filter_row(filter, &g, NULL, NULL));
    assert_true(vbt_filter_row(filter, &g, &f, NULL));
    assert_true(vbt_filter_row(filter, &g, NULL, "happy"));
    assert_true(vbt_filter_places(filter, one, 1)); /* here a text is for rows */
    vbt_filter_free(filter);
}

static void names_of_modules(void **state) {
    (void)state;
    static const struct {
        struct vbt_source_place place;
        const char *name;
    } cases[] = {
        {{.kind = VBT_PLACE_NATIVE, .file = "x.c", .function = "f", .module = "/lib/libc.so.6"}, "libc.so.6"},
        {{.kind = VBT_PLACE_NATIVE, .file = "?", .function = "f", .module = ""}, "?"},
        {{.kind = VBT_PLACE_PYTHON, .file = "<frozen importlib._bootstrap>"}, "importlib"},
        {{.kind = VBT_PLACE_PYTHON, .file = "/usr/lib/python3/dist-packages/numpy/core/numeric.py"}, "numpy"},
        {{.kind = VBT_PLACE_PYTHON, .file = "/v/lib/python3.9/site-packages/six.py"}, "six"},
        {{.kind = VBT_PLACE_PYTHON, .file = "/usr/lib/python3.11/json/decoder.py"}, "json"},
        {{.kind = VBT_PLACE_PYTHON, .file = "/usr/lib/python3.13t/abc.py"}, "abc"},
        {{.kind = VBT_PLACE_PYTHON, .file = "/home/me/python3.11/run.py", .user = true}, "run.py"},
        {{.kind = VBT_PLACE_PYTHON, .file = "<string>", .user = true}, "<string>"},
        {{.kind = VBT_PLACE_SPECIAL, .file = "[vbtrace]", .function = "[vbtrace]"}, "[vbtrace]"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        char *name = vbt_module_name(&cases[i].place);
        assert_string_equal(name, cases[i].name);
        free(name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_with_a_filter),
        cmocka_unit_test(all_conditions_must_hold),
        cmocka_unit_test(names_of_modules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
