/* Columns of a page, and their text: bytes that were worked out by hand. */
#include "analyzer/report/page/page_columns.h"
#include "analyzer/report/page/page_pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void put(struct vbt_page_columns *columns, const char *name, enum vbt_page_coding coding, const uint64_t *values,
                size_t count) {
    vbt_page_column_begin(columns, name, coding);
    for (size_t i = 0; i < count; i++)
        vbt_page_column_put(columns, values[i]);
    vbt_page_column_end(columns);
}

static void check_bytes(const struct vbt_page_columns *columns, const char *bytes, size_t size) {
    assert_int_equal(columns->bytes.size, size);
    assert_memory_equal(columns->bytes.text, bytes, size);
}

static void check_row(const struct vbt_page_columns *columns, size_t number, const char *name, int count, bool is_signed,
                      bool is_delta) {
    const json_t *row = json_array_get(columns->list, number);
    assert_string_equal(json_string_value(json_object_get(row, "name")), name);
    assert_int_equal(json_integer_value(json_object_get(row, "count")), count);
    assert_int_equal(json_is_true(json_object_get(row, "signed")), is_signed);
    assert_int_equal(json_is_true(json_object_get(row, "delta")), is_delta);
}

static void columns_are_varints(void **state) {
    (void)state;
    struct vbt_page_columns columns;
    vbt_page_columns_begin(&columns);
    const uint64_t plain[] = {0, 1, 127, 128, 300, UINT64_MAX}, is_signed[] = {0, UINT64_MAX, 1, (uint64_t)-64, 64};
    const uint64_t delta[] = {5, 6, 6, 3};
    put(&columns, "a.plain", VBT_PAGE_PLAIN, plain, 6);
    put(&columns, "a.signed", VBT_PAGE_SIGNED, is_signed, 5);
    put(&columns, "a.delta", VBT_PAGE_DELTA, delta, 4);
    check_bytes(&columns,
                "\x00\x01\x7f\x80\x01\xac\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                "\x00\x01\x02\x7f\x80\x01"
                "\x0a\x02\x00\x05",
                17 + 6 + 4);
    assert_int_equal(json_array_size(columns.list), 3);
    check_row(&columns, 0, "a.plain", 6, false, false);
    check_row(&columns, 1, "a.signed", 5, true, false);
    check_row(&columns, 2, "a.delta", 4, true, true);
    vbt_page_columns_free(&columns);
}

static void columns_of_zeros_are_left_out(void **state) {
    (void)state;
    struct vbt_page_columns columns;
    vbt_page_columns_begin(&columns);
    const uint64_t zeros[] = {0, 0, 0}, values[] = {0, 0, 9};
    put(&columns, "a.zeros", VBT_PAGE_DELTA, zeros, 3);
    put(&columns, "a.values", VBT_PAGE_PLAIN, values, 3);
    put(&columns, "a.none", VBT_PAGE_PLAIN, NULL, 0);
    check_bytes(&columns, "\x00\x00\x09", 3);
    assert_int_equal(json_array_size(columns.list), 1);
    check_row(&columns, 0, "a.values", 3, false, false);
    vbt_page_columns_free(&columns);
}

/* What zlib makes of so few bytes: one block with fixed codes. */
static void texts_are_base64_of_raw_deflate(void **state) {
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {{"", "AwA="}, {"a", "SwQA"}, {"ab", "S0wCAA=="}, {"abc", "S0xKBgA="}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vbt_page_pack *pack = vbt_page_pack_begin();
        for (const char *at = cases[i].bytes; *at != '\0'; at++)
            vbt_page_pack_add(pack, at, 1);
        struct vbt_text_buffer text = vbt_page_pack_end(pack);
        assert_int_equal(text.size, strlen(cases[i].text));
        assert_memory_equal(text.text, cases[i].text, text.size);
        free(text.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_varints),
        cmocka_unit_test(columns_of_zeros_are_left_out),
        cmocka_unit_test(texts_are_base64_of_raw_deflate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
