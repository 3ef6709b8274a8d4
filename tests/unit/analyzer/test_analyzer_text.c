/* Text for people: units, text of unknown origin, tables that fit. */
#include "format/count.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/short_name.h"
#include "analyzer/base/text_table.h"
#include "analyzer/base/units.h"
#include "analyzer/base/utf8.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void counts_have_separators(void **state) {
    (void)state;
    assert_string_equal(vbt_count(0).text, "0");
    assert_string_equal(vbt_count(999).text, "999");
    assert_string_equal(vbt_count(1000).text, "1,000");
    assert_string_equal(vbt_count(-1234567).text, "-1,234,567");
    assert_string_equal(vbt_count(INT64_MIN).text, "-9,223,372,036,854,775,808");
}

static void nouns_agree_with_their_number(void **state) {
    (void)state;
    assert_string_equal(vbt_counted(1, "block").text, "1 block");
    assert_string_equal(vbt_counted(0, "block").text, "0 blocks");
    assert_string_equal(vbt_counted(-1, "block").text, "-1 blocks");
    assert_string_equal(vbt_counted(1234, "call stack").text, "1,234 call stacks");
    assert_string_equal(vbt_counted(INT64_MIN, "native call site").text, "-9,223,372,036,854,775,808 native call sites");
}

static void bytes_have_binary_units(void **state) {
    (void)state;
    assert_string_equal(vbt_bytes(0).text, "0 B");
    assert_string_equal(vbt_bytes(1023).text, "1023 B");
    assert_string_equal(vbt_bytes(1024).text, "1.0 KiB");
    assert_string_equal(vbt_bytes(-1536).text, "-1.5 KiB");
    assert_string_equal(vbt_bytes(48 << 20).text, "48.0 MiB");
    assert_string_equal(vbt_bytes((1 << 20) - 1).text, "1.0 MiB"); /* not 1024.0 KiB */
    assert_string_equal(vbt_bytes(INT64_MAX).text, "8.0 EiB");
    assert_string_equal(vbt_bytes(INT64_MIN).text, "-8.0 EiB");
    assert_string_equal(vbt_mean_bytes(48).text, "48 B");
    assert_string_equal(vbt_mean_bytes(48.27).text, "48.3 B");
    assert_string_equal(vbt_mean_bytes(-0.01).text, "0 B");
    assert_string_equal(vbt_mean_bytes(-4096.5).text, "-4,096.5 B");
    assert_string_equal(vbt_mean_bytes(1 << 20).text, "1.0 MiB");
    assert_string_equal(vbt_mean_bytes(-1e300).text, "-8.0 EiB");
    assert_string_equal(vbt_mean_bytes(1e300).text, "8.0 EiB");
    assert_string_equal(vbt_mib(49139941).text, "46.863 MiB");
}

static void times_have_three_digits(void **state) {
    (void)state;
    static const struct {
        double ns;
        const char *text;
    } cases[] = {
        {0, "0 ns"},        {1, "1 ns"},           {1.5, "1.50 ns"},      {850, "850 ns"},      {999.4, "999 ns"},
        {999.6, "1.00 µs"}, {1020, "1.02 µs"},     {12345678, "12.3 ms"}, {99960000, "100 ms"}, {1.2e9, "1.20 s"},
        {75e9, "75.0 s"},   {200e9, "3 min 20 s"}, {7500e9, "2 h 5 min"}, {-5e6, "-5.00 ms"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++)
        assert_string_equal(vbt_time(cases[i].ns).text, cases[i].text);
}

static void rates_have_three_decimals(void **state) {
    (void)state;
    assert_string_equal(vbt_rate(2).text, "2.000");
    assert_string_equal(vbt_rate(9.9846).text, "9.985");
    assert_string_equal(vbt_rate(0.9996).text, "1.000");
    assert_string_equal(vbt_rate(1048576).text, "1,048,576.000");
    assert_string_equal(vbt_rate(-0.5).text, "-0.500");
    assert_string_equal(vbt_rate(NAN).text, "nan");
}

static void real_numbers_have_as_few_digits_as_they_need(void **state) {
    (void)state;
    assert_string_equal(vbt_real(0.1).text, "0.1");
    assert_string_equal(vbt_real(-2).text, "-2");
    assert_string_equal(vbt_real(0).text, "0");
    assert_string_equal(vbt_real(1e300).text, "1e+300");
    assert_string_equal(vbt_real(1.0 / 3).text, "0.3333333333333333");
    assert_string_equal(vbt_real(0.1 + 0.2).text, "0.30000000000000004");
    assert_string_equal(vbt_real(5e-324).text, "5e-324");
    uint64_t bits = 1;
    for (int i = 0; i < 10000; i++) {
        double x;
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&x, &bits, sizeof x);
        assert_true(!isfinite(x) || strtod(vbt_real(x).text, NULL) == x);
    }
}

static void dates_are_exact(void **state) {
    (void)state;
    assert_string_equal(vbt_iso_date(1700000000000000001).text, "2023-11-14T22:13:20.000000001Z");
    assert_string_equal(vbt_iso_date(-5).text, "1970-01-01T00:00:00.000000000Z");
    vbt_iso_date(INT64_MAX);
    assert_string_equal(vbt_date(1700000000000000001).text, "2023-11-14 22:13:20 UTC");
    vbt_date(INT64_MIN);
}

static void check_clean(char *(*clean)(const char *, size_t), const char *bytes, const char *expected) {
    char *text = clean(bytes, strlen(bytes));
    assert_string_equal(text, expected);
    free(text);
}

static void foreign_bytes_become_text(void **state) {
    (void)state;
    check_clean(vbt_utf8_valid, "naïve → 名前", "naïve → 名前");
    check_clean(vbt_utf8_valid,
                "a\xff"
                "b",
                "a\xef\xbf\xbd"
                "b");
    check_clean(vbt_utf8_valid, "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd");                 /* overlong */
    check_clean(vbt_utf8_valid, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a surrogate */
    check_clean(vbt_utf8_valid, "\xe2\x86", "\xef\xbf\xbd\xef\xbf\xbd");                 /* cut off */
    check_clean(vbt_utf8_valid, "\033[2J", "\033[2J");
    check_clean(vbt_utf8_printable, "\033[2J", "\xef\xbf\xbd[2J");
    check_clean(vbt_utf8_printable, "a\tb", "a    b");
    check_clean(vbt_utf8_printable,
                "\xe2\x80\xae"
                "evil",
                "\xef\xbf\xbd"
                "evil"); /* right-to-left override */
    check_clean(vbt_utf8_printable, "", "");
}

static void check_cut(char *(*cut)(char *, size_t), const char *text, size_t width, const char *expected) {
    char *got = cut(vbt_copy(text, strlen(text)), width);
    assert_string_equal(got, expected);
    assert_true(vbt_utf8_width(got) <= width);
    free(got);
}

static void text_is_cut_by_columns(void **state) {
    (void)state;
    check_cut(vbt_utf8_cut_end, "abcdef", 6, "abcdef");
    check_cut(vbt_utf8_cut_end, "abcdef", 5, "abcd…");
    check_cut(vbt_utf8_cut_end, "abcdef", 1, "…");
    check_cut(vbt_utf8_cut_start, "abcdef", 5, "…cdef");
    check_cut(vbt_utf8_cut_start, "abcdef", 1, "…");
    check_cut(vbt_utf8_cut_end, "名前名前", 5, "名前…");
    check_cut(vbt_utf8_cut_end, "名前名前", 4, "名…");
    check_cut(vbt_utf8_cut_start, "名前名前", 4, "…前");
    check_cut(vbt_utf8_cut_end, "ää", 1, "…");
}

static void long_names_lose_their_arguments_first(void **state) {
    (void)state;
#define STRING "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"
    static const struct {
        const char *name;
        size_t width;
        const char *expected;
    } cases[] = {
        {"malloc", 6, "malloc"},
        {"malloc", 5, "mall…"},
        {"", 1, ""},
        {"f(" STRING ")", 80, "f(std::string)"},
        {"walk(int, char const*)", 22, "walk(int, char const*)"},
        {"walk(int, char const*)", 21, "walk(…)"},
        {"walk()", 5, "walk…"},
        {"Maze<1, std::map<int, char> >::walk(long)", 40, "Maze<1, std::map<int, char> >::walk(…)"},
        {"Maze<1, std::map<int, char> >::walk(long)", 37, "Maze<1, std::map<…> >::walk(…)"},
        {"Maze<1, std::map<int, char> >::walk(long)", 29, "Maze<…>::walk(…)"},
        {"Maze<1, std::map<int, char> >::walk(long)", 15, "Maze<…>::walk(…"},
        {"(anonymous namespace)::f(int, int)", 30, "(anonymous namespace)::f(…)"},
        {"A<B>::operator()(int, int) const", 31, "A<B>::operator()(…) const"},
        {"A<B>::operator< <int>(int, int)", 24, "A<B>::operator< <int>(…)"},
        {"A<Before>::operator->() const", 28, "A<…>::operator->() const"},
        {"my_operator<int, long>(int)", 20, "my_operator<…>(…)"},
        {"f(void (*)(int), int)", 20, "f(…)"},
        {"<alloc::Global as core::Alloc>::get", 20, "<…>::get"},
        {"f::{lambda(auto:1)#1}::operator()(int)", 35, "f::{lambda(…)#1}::operator()(…)"},
        {"broken<int", 9, "broken<i…"},
        {"broken>(int)", 9, "broken>(…"},
        {"))((", 3, "))…"},
    };
    for (size_t i = 0; i < VBT_COUNT(cases); i++) {
        char *name = vbt_short_name(cases[i].name, cases[i].width);
        assert_string_equal(name, cases[i].expected);
        free(name);
    }
}

static void check_fit(size_t width, const char *name, const char *position, const char *fitting, const char *end) {
    char *n = vbt_copy(name, strlen(name)), *p = vbt_copy(position, strlen(position));
    vbt_fit_name(&n, &p, width);
    assert_string_equal(n, fitting);
    assert_string_equal(p, end);
    free(n);
    free(p);
}

static void names_and_positions_share_the_width(void **state) {
    (void)state;
    check_fit(22, "parse", "/usr/src/file.c:3", "parse", "/usr/src/file.c:3");
    check_fit(50, "parse", "/usr/share/a/folder/of/many/words/that/is/long/file.c:3", "parse",
              "…a/folder/of/many/words/that/is/long/file.c:3");
    check_fit(60, "parse<one, two, three, four, five, six>(seven, eight)", "/usr/share/a/folder/of/words/file.c:3", "parse<…>(…)",
              "/usr/share/a/folder/of/words/file.c:3");
    check_fit(40, "parse<one, two, three, four, five, six>(seven, eight)", "file.c:3", "parse<…>(…)", "file.c:3");
    check_fit(10, "a_long_name", "a_long_file.c", "a_l…", "…ile.c");
}

static const struct vbt_column columns[] = {
    {.title = "Name", .least = 4},
    {.title = "Count", .align = VBT_RIGHT, .gap = 2},
    {.title = "Extra", .align = VBT_RIGHT, .gap = 2, .drop = 1},
    {.title = "More", .align = VBT_RIGHT, .gap = 2, .drop = 2},
};

static void check_table(unsigned width, char rule, const char *expected, const char *left_out) {
    struct vbt_output output = {.width = width, .bold = "", .normal = ""};
    char *text = NULL;
    size_t size = 0;
    output.stream = open_memstream(&text, &size);
    struct vbt_text_table *table = vbt_text_table_new(columns, 4);
    vbt_text_table_heading(table, "Heading");
    for (int i = 0; i < 2; i++) {
        vbt_text_table_cell(table, "%s", i == 0 ? "a long name" : "b");
        vbt_text_table_cell(table, "%d", i);
        vbt_text_table_cell(table, "%s", i == 0 ? "x\ty" : "");
        vbt_text_table_cell(table, "%d", 100 * i);
    }
    vbt_text_table_print(table, &output, rule);
    fclose(output.stream);
    assert_string_equal(text, expected);
    assert_string_equal(vbt_text_table_left_out(table), left_out);
    vbt_text_table_free(table);
    free(text);
}

static void tables_fit_the_width(void **state) {
    (void)state;
    check_table(80, '=',
                "Heading\n\n"
                "Name         Count   Extra  More\n"
                "================================\n"
                "a long name      0  x    y     0\n"
                "b                1           100\n",
                "");
    check_table(28, 0,
                "Heading\n\n"
                "Name     Count   Extra  More\n"
                "a long…      0  x    y     0\n"
                "b            1           100\n",
                "");
    check_table(20, 0,
                "Heading\n\n"
                "Name   Count   Extra\n"
                "a lo…      0  x    y\n"
                "b          1\n",
                "More");
    check_table(12, 0, "Heading\n\nName   Count\na lo…      0\nb          1\n", "Extra, More");
    check_table(5, 0, "Heading\n\nName  Count\na l…      0\nb         1\n", "Extra, More");
}

static void a_shown_file_name_is_never_empty(void **state) {
    (void)state;
    assert_string_equal(vbt_file_name("/proj/bench.py"), "bench.py");
    assert_string_equal(vbt_file_name("bench.py"), "bench.py");
    assert_string_equal(vbt_file_name("/proj/dir/"), "/proj/dir/");
    assert_string_equal(vbt_file_name("/"), "/");
    assert_string_equal(vbt_file_name(""), "");
}

int main(void) {
    setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_separators),
        cmocka_unit_test(nouns_agree_with_their_number),
        cmocka_unit_test(bytes_have_binary_units),
        cmocka_unit_test(times_have_three_digits),
        cmocka_unit_test(rates_have_three_decimals),
        cmocka_unit_test(real_numbers_have_as_few_digits_as_they_need),
        cmocka_unit_test(dates_are_exact),
        cmocka_unit_test(foreign_bytes_become_text),
        cmocka_unit_test(text_is_cut_by_columns),
        cmocka_unit_test(long_names_lose_their_arguments_first),
        cmocka_unit_test(names_and_positions_share_the_width),
        cmocka_unit_test(tables_fit_the_width),
        cmocka_unit_test(a_shown_file_name_is_never_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
