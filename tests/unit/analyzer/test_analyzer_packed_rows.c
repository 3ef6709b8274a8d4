/* Packed rows: every number comes back as it was written, whatever its size and its neighbours. */
#include "analyzer/base/arrays/packed_rows.h"

#include "format/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint64_t limits[] = {
    0, 1, UINT8_MAX, UINT8_MAX + 1, UINT16_MAX, UINT16_MAX + 1, UINT32_MAX, UINT64_C(1) + UINT32_MAX, INT64_MAX, UINT64_MAX};

static void check(const struct vbt_packed_rows *rows, uint32_t row, const uint64_t *expected, unsigned count) {
    uint64_t values[VBT_PACKED_MOST];
    vbt_packed_get(rows, row, values, count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(values[i], expected[i]);
        assert_int_equal(vbt_packed_one(rows, row, i), expected[i]);
    }
}

static void numbers_at_their_limits(void **state) {
    (void)state;
    struct vbt_packed_rows rows;
    uint32_t names[VBT_COUNT(limits)][VBT_COUNT(limits)];
    vbt_packed_begin(&rows);
    check(&rows, 0, (const uint64_t[VBT_PACKED_MOST]){0}, VBT_PACKED_MOST);
    for (size_t i = 0; i < VBT_COUNT(limits); i++)
        for (size_t k = 0; k < VBT_COUNT(limits); k++) {
            const uint64_t values[VBT_PACKED_MOST] = {[1] = limits[i], [2] = limits[k], [VBT_PACKED_MOST - 1] = limits[i]};
            names[i][k] = vbt_packed_put(&rows, 0, values, VBT_PACKED_MOST);
            assert_true(names[i][k] != 0);
        }
    for (size_t i = 0; i < VBT_COUNT(limits); i++)
        for (size_t k = 0; k < VBT_COUNT(limits); k++) {
            const uint64_t values[VBT_PACKED_MOST] = {[1] = limits[i], [2] = limits[k], [VBT_PACKED_MOST - 1] = limits[i]};
            check(&rows, names[i][k], values, VBT_PACKED_MOST);
        }
    vbt_packed_free(&rows);
}

static uint64_t seed = 1;

static uint64_t random_below(uint64_t end) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 32) % end;
}

/* Rows are replaced in any order by longer and shorter ones, and copied to other rows. */
static void rows_are_replaced(void **state) {
    (void)state;
    enum { ROWS = 200, COLUMNS = 5, ROUNDS = 20000 };
    static uint64_t expected[ROWS][COLUMNS];
    uint32_t names[ROWS] = {0};
    struct vbt_packed_rows rows, copies;
    vbt_packed_begin(&rows);
    for (int round = 0; round < ROUNDS; round++) {
        size_t i = random_below(ROWS);
        for (int k = 0; k < COLUMNS; k++)
            expected[i][k] = random_below(3) == 0 ? limits[random_below(VBT_COUNT(limits))] : random_below(300);
        names[i] = vbt_packed_put(&rows, names[i], expected[i], COLUMNS);
        assert_true(names[i] != 0);
        assert_true(rows.unused < rows.size);
        size_t other = random_below(ROWS);
        check(&rows, names[other], expected[other], COLUMNS);
    }
    vbt_packed_begin(&copies);
    for (size_t i = 0; i < ROWS; i++)
        check(&copies, vbt_packed_copy(&copies, &rows, names[i]), expected[i], COLUMNS);
    assert_int_equal(copies.size, rows.size - rows.unused); /* nothing else was left unused */
    vbt_packed_free(&copies);
    vbt_packed_free(&rows);
}

static void small_numbers_take_few_bytes(void **state) {
    (void)state;
    struct vbt_packed_rows rows;
    vbt_packed_begin(&rows);
    size_t before = rows.size;
    vbt_packed_put(&rows, 0, (const uint64_t[VBT_PACKED_MOST]){1, 16, 0, 2, 1}, VBT_PACKED_MOST);
    assert_int_equal(rows.size - before, 8);
    vbt_packed_free(&rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_at_their_limits),
        cmocka_unit_test(rows_are_replaced),
        cmocka_unit_test(small_numbers_take_few_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
