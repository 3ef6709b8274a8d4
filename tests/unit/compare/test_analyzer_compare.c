/* Tests of comparisons: what is the same on both sides, and which differences say something. */
#include "analyzer/analysis/compare/compare_judge.h"
#include "analyzer/analysis/compare/match/compare_match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct vbt_compared_places old, new;
static struct vbt_matching matching;

/* A line of a function that begins in line `first`. */
static uint32_t add(struct vbt_compared_places *side, const char *file, const char *function, int64_t first, int64_t line,
                    const char *text) {
    const struct vbt_compared_function row = {
        .file = vbt_compared_file_id(side, file), .name = (char *)(uintptr_t)function, .first_line = first};
    return vbt_compared_place_id(side, vbt_compared_function_id(side, &row), line, text, text != NULL ? strlen(text) : 0);
}

static void match(void) { vbt_match(&matching, &old, &new); }

static void forget(void) {
    vbt_matching_free(&matching);
    vbt_compared_places_free(&old);
    vbt_compared_places_free(&new);
}

static uint32_t new_of(uint32_t place) { return matching.places.rows[matching.places.of_old[place]].new; }

static void lines_are_found_by_what_they_say(void **state) {
    (void)state;
    uint32_t a = add(&old, "/p.py", "f", 1, 2, "    a = 1"), b = add(&old, "/p.py", "f", 1, 3, "b = 2  "),
             c = add(&old, "/p.py", "f", 1, 4, "c = [3]"), d = add(&old, "/p.py", "f", 1, 5, "d = 4");
    uint32_t b2 = add(&new, "/p.py", "f", 1, 12, "b = 2"), c2 = add(&new, "/p.py", "f", 1, 13, "c = [3, 3]"),
             d2 = add(&new, "/p.py", "f", 1, 14, "d = 4"), a2 = add(&new, "/p.py", "f", 1, 15, "a = 1");
    match();
    assert_int_equal(new_of(a), a2); /* in another order */
    assert_int_equal(new_of(b), b2);
    assert_int_equal(new_of(c), c2); /* edited, between b and d */
    assert_int_equal(new_of(d), d2);
    assert_int_equal(matching.places.count, 4);
    forget();
}

static void lines_with_nothing_in_common_are_two(void **state) {
    (void)state;
    uint32_t a = add(&old, "/p.py", "f", 1, 2, "row = malloc(100)");
    uint32_t b = add(&new, "/p.py", "f", 1, 2, "one()");
    match();
    assert_int_equal(new_of(a), 0);
    assert_int_equal(matching.places.rows[matching.places.of_new[b]].old, 0);
    assert_int_equal(matching.places.count, 2);
    forget();
}

static void lines_without_text_are_found_by_their_distance(void **state) {
    (void)state;
    uint32_t a = add(&old, "/p.py", "f", 10, 12, NULL), b = add(&old, "/p.py", "f", 10, 14, "b");
    uint32_t a2 = add(&new, "/p.py", "f", 20, 22, "a"), c2 = add(&new, "/p.py", "f", 20, 25, NULL);
    match();
    assert_int_equal(new_of(a), a2);
    assert_int_equal(new_of(b), 0);
    assert_int_equal(matching.places.rows[matching.places.of_new[c2]].old, 0);
    forget();
}

static void of_lines_that_say_the_same_the_order_counts(void **state) {
    (void)state;
    uint32_t a[3], b[2];
    for (int i = 0; i < 3; i++)
        a[i] = add(&old, "/p.py", "f", 1, 2 + i, "x()");
    for (int i = 0; i < 2; i++)
        b[i] = add(&new, "/p.py", "f", 1, 3 + i, "x()");
    match();
    assert_int_equal(new_of(a[0]), b[0]);
    assert_int_equal(new_of(a[1]), b[1]);
    assert_int_equal(new_of(a[2]), 0);
    forget();
}

static void renamed_functions_are_found_by_their_lines(void **state) {
    (void)state;
    uint32_t a = add(&old, "/p.py", "fib", 1, 2, "return fib(n - 1) + fib(n - 2)"), b = add(&old, "/p.py", "g", 5, 6, "return {}");
    uint32_t a2 = add(&new, "/p.py", "fibonacci", 1, 2, "return fibonacci(n - 1) + fibonacci(n - 2)");
    uint32_t b2 = add(&new, "/other.py", "h", 5, 6, "return {}"); /* a line alone is not enough: it is another file */
    match();
    assert_int_equal(new_of(a), a2);
    assert_int_equal(new_of(b), 0);
    assert_int_equal(matching.places.rows[matching.places.of_new[b2]].old, 0);
    forget();
}

static void functions_go_to_another_file(void **state) {
    (void)state;
    uint32_t a = add(&old, "/a.py", "f", 1, 2, "x = 1"), b = add(&old, "/a.py", "f", 1, 3, "y = 2"),
             c = add(&old, "/a.py", "f", 1, 4, "z = 3"), d = add(&old, "/a.py", "stays", 9, 10, "q()");
    uint32_t a2 = add(&new, "/b.py", "f", 21, 22, "x = 1"), b2 = add(&new, "/b.py", "f", 21, 24, "y = 2"),
             d2 = add(&new, "/a.py", "stays", 1, 2, "q()");
    match();
    assert_int_equal(new_of(a), a2);
    assert_int_equal(new_of(b), b2);
    assert_int_equal(new_of(c), 0);
    assert_int_equal(new_of(d), d2);
    forget();
}

static void files_are_found_by_the_ends_of_their_paths(void **state) {
    (void)state;
    static const char *const names[] = {"json/__init__.py", "json/decoder.py", "re/__init__.py"};
    uint32_t before[3], after[3];
    for (int i = 0; i < 3; i++) {
        char path[64];
        snprintf(path, sizeof path, "/usr/lib/python3.11/%s", names[i]);
        before[i] = add(&old, path, "<module>", 1, 1, NULL);
        snprintf(path, sizeof path, "/opt/lib/python3.12/%s", names[2 - i]);
        after[2 - i] = add(&new, path, "<module>", 1, 1, NULL);
    }
    uint32_t alone = add(&old, "/x/foo/__init__.py", "<module>", 1, 1, NULL);
    uint32_t other = add(&new, "/y/bar/__init__.py", "<module>", 1, 1, NULL);
    match();
    for (int i = 0; i < 3; i++)
        assert_int_equal(new_of(before[i]), after[i]);
    assert_int_equal(new_of(alone), 0); /* there is an __init__.py in every package */
    assert_int_equal(matching.places.rows[matching.places.of_new[other]].old, 0);
    forget();
}

static void libraries_of_another_version_are_the_same(void **state) {
    (void)state;
    uint32_t a = add(&old, "/lib/libz.so.1.2", "inflate", 0, 0, NULL), b = add(&old, "/lib/liba.so.1", "f", 0, 0, NULL);
    uint32_t a2 = add(&new, "/lib/libz.so.1.13", "inflate", 0, 0, NULL);
    add(&new, "/lib/liba.so.2", "f", 0, 0, NULL);
    add(&new, "/lib/liba.so.3", "f", 0, 0, NULL);
    match();
    assert_int_equal(new_of(a), a2);
    assert_int_equal(new_of(b), 0); /* which of the two is not known */
    forget();
}

static void close_to(double found, double expected) { assert_true(fabs(found - expected) < 1e-12); }

static void permutations_are_counted(void **state) {
    (void)state;
    const int64_t low[] = {1, 2, 3, 4}, high[] = {5, 6, 7, 8}, mixed[] = {1, 6, 3, 8}, large[] = {INT64_MAX, INT64_MAX - 1};
    close_to(vbt_permutation_p(low, 4, high, 4), 2.0 / 70);
    close_to(vbt_permutation_p(low, 3, high, 3), 2.0 / 20);
    close_to(vbt_permutation_p(low, 2, high, 2), 2.0 / 6);
    close_to(vbt_permutation_p(low, 1, high, 1), 1);
    close_to(vbt_permutation_p(low, 4, low, 4), 1);
    close_to(vbt_permutation_p(low, 0, low, 4), 1);
    close_to(vbt_permutation_p(large, 2, low, 2), 2.0 / 6);
    assert_true(vbt_permutation_p(low, 4, mixed, 4) > 0.2);
}

static void ranks_of_many_runs_are_compared(void **state) {
    (void)state;
    int64_t low[30], high[30];
    for (int i = 0; i < 30; i++) {
        low[i] = i;
        high[i] = i + 30;
    }
    double p = vbt_permutation_p(low, 30, high, 30); /* too many ways to try them all */
    close_to(p, vbt_rank_p(high, 30, low, 30));
    assert_true(p > 2e-11 && p < 4e-11); /* 449.5 / 67.64 standard deviations */
    close_to(vbt_rank_p(low, 30, low, 30), 1);
    for (int i = 0; i < 30; i++)
        high[i] = low[i] = 7;
    close_to(vbt_rank_p(low, 30, high, 30), 1);
}

static void probabilities_are_corrected(void **state) {
    (void)state;
    double p[] = {0.01, 0.04, 0.03, 0.005}, one[] = {0.9, 0.8};
    const double expected[] = {0.02, 0.04, 0.04, 0.02};
    vbt_correct_p(p, 4);
    for (int i = 0; i < 4; i++)
        close_to(p[i], expected[i]);
    vbt_correct_p(one, 2);
    close_to(one[0], 0.9);
    close_to(one[1], 0.9);
    vbt_correct_p(NULL, 0);
}

enum { RUNS = 8 }; /* at most */

/* A row of allocations and bytes, by run. */
static void put(struct vbt_values *values, size_t row, const int64_t allocs[RUNS], const int64_t bytes[RUNS]) {
    for (size_t run = 0; run < values->runs && run < RUNS; run++) {
        vbt_values_at(values, row, run)[VBT_C_ALLOCS] = allocs[run];
        vbt_values_at(values, row, run)[VBT_C_BYTES] = bytes[run];
    }
}

enum { ALLOCS = 1 << VBT_C_ALLOCS, BYTES = 1 << VBT_C_BYTES };

static void one_more_counts_where_runs_agree(void **state) {
    (void)state;
    const struct vbt_least_effect least = VBT_LEAST_EFFECT;
    struct vbt_values values;
    struct vbt_judgement judgement;
    vbt_values_begin(&values, 8, VBT_C_KINDS);
    put(&values, 0, (const int64_t[RUNS]){5, 5, 5, 5, 6, 6, 6, 6}, (const int64_t[RUNS]){900, 901, 902, 903, 902, 901, 900, 903});
    put(&values, 1, (const int64_t[RUNS]){1, 1, 1, 1, 1, 1, 1, 1},
        (const int64_t[RUNS]){1000, 1001, 1002, 1003, 2000, 2001, 2002, 2003});
    put(&values, 2, (const int64_t[RUNS]){1, 1, 1, 1, 1, 1, 1, 1},
        (const int64_t[RUNS]){1000, 1001, 1002, 1003, 1010, 1011, 1012, 1013});
    vbt_judge(&judgement, &values, 4, &least, BYTES, 0);
    assert_int_equal(judgement.counts[0], ALLOCS); /* exact: one unit; the bytes are the same on the mean */
    assert_int_equal(judgement.noisy[0], BYTES);
    assert_int_equal(judgement.counts[1], BYTES); /* beyond chance */
    assert_int_equal(judgement.counts[2], 0);     /* beyond chance, but only ten bytes */
    assert_int_equal(judgement.tests, 2);
    close_to(judgement.p[1 * VBT_C_KINDS + VBT_C_BYTES], (double)(float)(2.0 / 70));
    vbt_judgement_free(&judgement);
    vbt_values_free(&values);
}

static void of_single_runs_every_difference_counts(void **state) {
    (void)state;
    const struct vbt_least_effect least = VBT_LEAST_EFFECT;
    struct vbt_values values;
    struct vbt_judgement judgement;
    vbt_values_begin(&values, 2, VBT_C_KINDS);
    put(&values, 0, (const int64_t[RUNS]){5, 6}, (const int64_t[RUNS]){100, 101});
    vbt_judge(&judgement, &values, 1, &least, BYTES, BYTES);
    assert_int_equal(judgement.counts[0], ALLOCS); /* not what varies by itself */
    assert_int_equal(judgement.noisy[0], BYTES);
    assert_null(judgement.p);
    vbt_judgement_free(&judgement);
    vbt_values_free(&values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found_by_what_they_say),
        cmocka_unit_test(lines_with_nothing_in_common_are_two),
        cmocka_unit_test(lines_without_text_are_found_by_their_distance),
        cmocka_unit_test(of_lines_that_say_the_same_the_order_counts),
        cmocka_unit_test(renamed_functions_are_found_by_their_lines),
        cmocka_unit_test(functions_go_to_another_file),
        cmocka_unit_test(files_are_found_by_the_ends_of_their_paths),
        cmocka_unit_test(libraries_of_another_version_are_the_same),
        cmocka_unit_test(permutations_are_counted),
        cmocka_unit_test(ranks_of_many_runs_are_compared),
        cmocka_unit_test(probabilities_are_corrected),
        cmocka_unit_test(one_more_counts_where_runs_agree),
        cmocka_unit_test(of_single_runs_every_difference_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
