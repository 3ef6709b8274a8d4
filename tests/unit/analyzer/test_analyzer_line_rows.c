/* Tests of the rows of tables of lines: whose files come first, and what is worth a row. */
#include "analyzer/report/lines/line_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LIBRARY, USERS, OTHER };

static const char *const files[] = {"/usr/lib/json.py", "/proj/mine.py", "/usr/lib/re.py"};

/* The places of up to 16 rows: a row per letter, "l" of a library, "o" of another one, "u" of the
 * user's file; each on its own line. */
static struct vbt_source_place places[16];

static struct vbt_merged_line *rows_of(const char *letters, size_t *count) {
    struct vbt_line_row *all = calloc(strlen(letters), sizeof *all);
    for (size_t i = 0; letters[i] != '\0'; i++) {
        int file = letters[i] == 'l' ? LIBRARY : letters[i] == 'u' ? USERS : OTHER;
        places[i] = (struct vbt_source_place){
            .kind = VBT_PLACE_PYTHON, .user = file == USERS, .line = (int64_t)i + 1, .file = files[file], .function = "f"};
        all[i] = (struct vbt_line_row){.place = &places[i], .sums = {.allocated = 100, .allocs = 1}};
    }
    const struct vbt_lines lines = {all, strlen(letters)};
    struct vbt_merged_line *rows = vbt_lines_merge(&lines, count);
    free(all);
    return rows;
}

static char letter_of(const struct vbt_merged_line *row) {
    return row->place->file == files[LIBRARY] ? 'l' : row->place->file == files[USERS] ? 'u' : 'o';
}

/* The order of files when the rows come hottest first. */
static void check_order(const char *letters, const char *expected) {
    size_t count;
    struct vbt_merged_line *rows = rows_of(letters, &count);
    assert_int_equal(count, strlen(expected));
    vbt_lines_by_file(rows, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(letter_of(&rows[i]), expected[i]);
    for (size_t i = 1; i < count; i++)
        assert_true(rows[i].place->file != rows[i - 1].place->file || rows[i].place->line > rows[i - 1].place->line);
    free(rows);
}

static void at_most_three_rows_of_others_come_first(void **state) {
    (void)state;
    check_order("lul", "llu");
    check_order("lllu", "lllu");
    check_order("llllu", "ullll");
    check_order("lloou", "lluoo");
    check_order("lloouo", "lluooo");
    check_order("ulolo", "ulloo");
    check_order("llllloo", "llllloo"); /* there is no file of the user's */
}

static void a_row_of_the_users_is_always_shown(void **state) {
    (void)state;
    size_t count;
    struct vbt_merged_line *rows = rows_of("llllou", &count);
    vbt_lines_keep_users(rows, count, 3);
    assert_int_equal(letter_of(&rows[2]), 'u');
    assert_int_equal(rows[3].place->line, 3); /* the one that had its place */
    assert_int_equal(rows[5].place->line, 5);
    vbt_lines_keep_users(rows, count, 3); /* it is there already */
    assert_int_equal(rows[2].place->line, 6);
    vbt_lines_keep_users(rows, count, 0);
    free(rows);
    rows = rows_of("lo", &count); /* there is none */
    vbt_lines_keep_users(rows, count, 1);
    assert_int_equal(letter_of(&rows[0]), 'l');
    free(rows);
}

static void a_row_with_little_of_everything_is_a_trifle(void **state) {
    (void)state;
    size_t count;
    struct vbt_merged_line *rows = rows_of("uuuuu", &count);
    for (size_t i = 0; i < count; i++)
        rows[i].sums = (struct vbt_sums){.allocated = 1, .allocs = 1};
    rows[0].sums.allocs = rows[0].sums.allocated = 10000;
    rows[2].sums.at_peak_bytes = 3; /* all that was live at the peak */
    rows[4].sums.allocs = 10;       /* just a thousandth is not enough: 10 of 10,013 */
    assert_int_equal(vbt_lines_trifles_last(rows, count), 2);
    const int64_t lines[] = {1, 3, 2, 4, 5};
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].place->line, lines[i]);
    free(rows);
    rows = rows_of("uul", &count); /* in a small program each row counts */
    assert_int_equal(vbt_lines_trifles_last(rows, count), 3);
    free(rows);
}

static void a_line_of_several_functions_is_one_row(void **state) {
    (void)state;
    const struct vbt_source_place two[] = {
        {.kind = VBT_PLACE_NATIVE, .line = 7, .file = "a.cpp", .function = "f<int>"},
        {.kind = VBT_PLACE_NATIVE, .line = 7, .file = "a.cpp", .function = "f<char>"},
        {.kind = VBT_PLACE_SPECIAL, .file = "[vbtrace]", .function = "[vbtrace]"},
    };
    struct vbt_line_row all[] = {{.place = &two[0], .sums = {.allocs = 2}, .hits = 3, .rss = 10},
                                 {.place = &two[1], .sums = {.allocs = 5}, .hits = 4, .rss = 20},
                                 {.place = &two[2], .sums = {.allocs = 9}}};
    const struct vbt_lines lines = {all, 3};
    size_t count;
    struct vbt_merged_line *rows = vbt_lines_merge(&lines, &count);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].sums.allocs, 7);
    assert_int_equal(rows[0].hits, 7);
    assert_int_equal(rows[0].rss, 20);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_three_rows_of_others_come_first),
        cmocka_unit_test(a_row_of_the_users_is_always_shown),
        cmocka_unit_test(a_row_with_little_of_everything_is_a_trifle),
        cmocka_unit_test(a_line_of_several_functions_is_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
