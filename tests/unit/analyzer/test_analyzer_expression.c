/* Which regular expressions are accepted, and that those accepted are the C library's. */
#include "analyzer/analysis/expression.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static bool accepts(const char *text) {
    regex_t regex;
    char *wrong = vbt_expression_compile(&regex, text);
    bool accepted = wrong == NULL;
    if (accepted)
        regfree(&regex);
    free(wrong);
    return accepted;
}

static void assert_refused(const char *text, const char *why) {
    regex_t regex;
    char *wrong = vbt_expression_compile(&regex, text);
    assert_non_null(wrong);
    assert_non_null(strstr(wrong, why));
    free(wrong);
}

static void usual_expressions_are_accepted(void **state) {
    (void)state;
    static const char *const usual[] = {"",       "^str",   "a|b",        "std::(vector|map)<.*>", "[[:alpha:]]{3,5}", "a{2}{3}",
                                        "\\(\\)", "[]{9}]", "[^]{9999]*", "(a(b(c{10}){10}){10})"};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        assert_true(accepts(usual[i]));
}

static void they_match_as_the_c_library_says(void **state) {
    (void)state;
    regex_t regex;
    assert_null(vbt_expression_compile(&regex, "^a[0-9]{2,3}$"));
    assert_int_equal(regexec(&regex, "a12", 0, NULL, 0), 0);
    assert_int_equal(regexec(&regex, "a1234", 0, NULL, 0), REG_NOMATCH);
    regfree(&regex);
}

static void what_is_no_expression_is_refused_with_the_reason(void **state) {
    (void)state;
    assert_refused("(", "not a regular expression");
    assert_refused("a{3,1}", "not a regular expression");
    assert_refused("[", "not a regular expression");
}

static void repetitions_that_multiply_are_refused(void **state) {
    (void)state;
    assert_true(accepts("(a{100}){100}"));
    assert_refused("((a{100}){100}){2}", "repetitions");
    assert_refused("(((((a{1,100}){1,100}){1,100}){1,100}){1,100})", "repetitions");
    assert_refused("(ab|cd){4000}", "repetitions");
    assert_refused("a{200}{200}", "repetitions");
    assert_refused("(x{99}){99}(y{99}){99}", "repetitions");
    assert_refused("a{99999999999999999999}", "repetitions");
}

static void references_to_earlier_matches_are_refused(void **state) {
    (void)state;
    assert_refused("(a*)\\1", "\\1");
    assert_true(accepts("\\\\1"));
    assert_true(accepts("[\\1]"));
}

static void very_long_or_deep_ones_are_refused(void **state) {
    (void)state;
    char text[8192];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_refused(text, "4096 bytes");
    memset(text, '(', 1000);
    memset(text + 1000, ')', 1000);
    text[2000] = '\0';
    assert_refused(text, "repetitions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_expressions_are_accepted),
        cmocka_unit_test(they_match_as_the_c_library_says),
        cmocka_unit_test(what_is_no_expression_is_refused_with_the_reason),
        cmocka_unit_test(repetitions_that_multiply_are_refused),
        cmocka_unit_test(references_to_earlier_matches_are_refused),
        cmocka_unit_test(very_long_or_deep_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
