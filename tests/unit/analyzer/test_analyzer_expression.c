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
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static bool accepts(const char *text) {
    struct vbt_expression expression;
    char *wrong = vbt_expression_compile(&expression, text);
    bool accepted = wrong == NULL;
    if (accepted)
        vbt_expression_free(&expression);
    free(wrong);
    return accepted;
}

static void assert_refused(const char *text, const char *why) {
    struct vbt_expression expression;
    char *wrong = vbt_expression_compile(&expression, text);
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
    struct vbt_expression expression;
    assert_null(vbt_expression_compile(&expression, "^a[0-9]{2,3}$"));
    assert_true(vbt_expression_matches(&expression, "a12"));
    assert_false(vbt_expression_matches(&expression, "a1234"));
    vbt_expression_free(&expression);
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

/* Compares an expression with texts that need new states of the matcher again and again, in a
 * process that this may end. Returns what that prints. */
static const char *compare_with_many(const char *text, int *status) {
    static char printed[512];
    struct vbt_expression expression;
    assert_null(vbt_expression_compile(&expression, text));
    int out[2];
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        enum { LENGTH = 100, TEXTS = 1 << 17 };
        char random[LENGTH + 1] = "";
        uint32_t seed = 1;
        dup2(out[1], STDERR_FILENO);
        for (int i = 0; i < TEXTS; i++) {
            for (int k = 0; k < LENGTH; k++)
                random[k] = "ab"[(seed = seed * 1664525 + 1013904223) >> 31];
            vbt_expression_matches(&expression, random);
        }
        _exit(0);
    }
    close(out[1]);
    ssize_t size = read(out[0], printed, sizeof printed - 1);
    printed[size > 0 ? size : 0] = '\0';
    close(out[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    vbt_expression_free(&expression);
    return printed;
}

/* It has few repetitions, but 2^60 sets of positions that the matcher may be in. */
static void those_that_take_too_long_end_the_program(void **state) {
    (void)state;
    static const char slow[] = ".*a.{60}x";
    int status;
    const char *printed = compare_with_many(slow, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    assert_non_null(strstr(printed, slow));
    assert_non_null(strstr(printed, "takes too long"));
    assert_ptr_equal(strchr(printed, '\n'), printed + strlen(printed) - 1); /* one line */
    assert_string_equal(compare_with_many("(.*b){4}x|^std::(vector|map)<.*>$", &status), "");
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_expressions_are_accepted),
        cmocka_unit_test(they_match_as_the_c_library_says),
        cmocka_unit_test(what_is_no_expression_is_refused_with_the_reason),
        cmocka_unit_test(repetitions_that_multiply_are_refused),
        cmocka_unit_test(references_to_earlier_matches_are_refused),
        cmocka_unit_test(very_long_or_deep_ones_are_refused),
        cmocka_unit_test(those_that_take_too_long_end_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
