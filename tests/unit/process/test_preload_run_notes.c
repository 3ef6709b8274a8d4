/* Notes on the run: each once, in order, as many as there is room for. */
#include "preload/process/run_notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static void a_sentence_is_noted_once(void **state) {
    (void)state;
    char again[] = "one";
    assert_null(vbt_note_at(0));
    vbt_note("one");
    vbt_note("two");
    vbt_note(again);
    assert_string_equal(vbt_note_at(0), "one");
    assert_string_equal(vbt_note_at(1), "two");
    assert_null(vbt_note_at(2));
}

static void what_there_is_no_room_for_is_left_out(void **state) {
    (void)state;
    static char sentences[100][16];
    unsigned count = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(sentences[i], sizeof sentences[i], "s%d", i);
        vbt_note(sentences[i]);
    }
    while (vbt_note_at(count) != NULL)
        count++;
    assert_true(count > 2 && count < 100);
    for (unsigned i = 2; i < count; i++)
        assert_string_equal(vbt_note_at(i), sentences[i - 2]);
    assert_null(vbt_note_at(1000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sentence_is_noted_once),
        cmocka_unit_test(what_there_is_no_room_for_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
