/* Where a value belongs in a sorted array: every value in and around arrays of every small size. */
#include "analyzer/base/arrays/binary_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static bool is_less(const void *row, const void *value) { return *(const int *)row < *(const int *)value; }

static void as_many_rows_as_are_less(void **state) {
    (void)state;
    enum { MOST = 40 };
    int rows[MOST];
    for (int count = 0; count <= MOST; count++)
        for (int alike = 1; alike <= 3; alike++) {
            for (int i = 0; i < count; i++)
                rows[i] = 2 * (i / alike);
            for (int value = -1; value <= 2 * count + 1; value++) {
                size_t less = 0;
                for (int i = 0; i < count; i++)
                    less += rows[i] < value;
                assert_int_equal(vbt_rows_before(rows, (size_t)count, sizeof *rows, is_less, &value), less);
            }
        }
    assert_int_equal(vbt_rows_before(NULL, 0, 1, is_less, rows), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_rows_as_are_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
