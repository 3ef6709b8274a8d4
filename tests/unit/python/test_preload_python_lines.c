/* Lines from line tables of all three formats: as in real interpreters (python_line_cases.inc), and
 * never read out of bounds. */
#include "preload/python/python_lines.h"

#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

/* Instructions from start to end (bytes, exclusive) are of this line; -1: of none. */
struct line_run {
    int32_t start, end, line;
};

static const struct {
    const char *name;
    enum vbt_line_table kind;
    int32_t first_line;
    size_t size;
    size_t run_count;
    const uint8_t *table;
    const struct line_run *runs;
} cases[] = {
#include "python_line_cases.inc"
};

enum { CASES = sizeof cases / sizeof *cases, PAGE = 4096 };

/* The end of a page that is followed by an unreadable one. */
static uint8_t *brink;

static int make_brink(void **state) {
    (void)state;
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + PAGE, PAGE, PROT_NONE) != 0)
        return -1;
    brink = pages + PAGE;
    return 0;
}

static void there_are_cases_of_every_format(void **state) {
    (void)state;
    int count[3] = {0};
    for (size_t i = 0; i < CASES; i++)
        count[cases[i].kind]++;
    for (int kind = 0; kind < 3; kind++)
        assert_true(count[kind] >= 10);
}

/* A search from the start of the table. */
static int32_t line_of(enum vbt_line_table kind, const uint8_t *table, size_t size, int32_t first_line, int32_t lasti) {
    struct vbt_line_cursor cursor = {0, 0, 0};
    return vbt_python_line(kind, table, size, first_line, lasti, &cursor);
}

/* Consecutive searches of one table, forwards and back, find the same as single ones. */
static void a_cursor_changes_nothing(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        struct vbt_line_cursor cursor = {0, 0, 0};
        int32_t end = cases[i].runs[cases[i].run_count - 1].end;
        uint32_t random = 1;
        for (int n = 0; n < 300; n++) {
            random = random * 1664525 + 1013904223;
            int32_t lasti = n < 100 ? n * 2 : (int32_t)(random >> 8) % (end + 4) / 2 * 2;
            int32_t line = vbt_python_line(cases[i].kind, cases[i].table, cases[i].size, cases[i].first_line, lasti, &cursor);
            assert_int_equal(line, line_of(cases[i].kind, cases[i].table, cases[i].size, cases[i].first_line, lasti));
        }
    }
}

static void every_instruction_has_the_line_its_interpreter_gives(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        for (size_t r = 0; r < cases[i].run_count; r++) {
            const struct line_run *run = &cases[i].runs[r];
            for (int32_t lasti = run->start; lasti < run->end; lasti += 2) {
                int32_t line = line_of(cases[i].kind, cases[i].table, cases[i].size, cases[i].first_line, lasti);
                if (line != run->line)
                    fail_msg("%s, byte %d: line %d, expected %d", cases[i].name, lasti, line, run->line);
            }
        }
    }
}

static void before_the_first_instruction_it_is_the_first_line(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++)
        for (int32_t lasti = -2; lasti < 0; lasti++)
            assert_int_equal(line_of(cases[i].kind, cases[i].table, cases[i].size, cases[i].first_line, lasti),
                             cases[i].first_line);
}

/* Up to 3.9 the last entry has no end; from 3.10 on tables state their end. */
static void after_the_last_instruction(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        int32_t line = line_of(cases[i].kind, cases[i].table, cases[i].size, cases[i].first_line, 1 << 20);
        assert_int_equal(line, cases[i].kind == VBT_LINES_LNOTAB ? cases[i].runs[cases[i].run_count - 1].line : -1);
    }
}

static void an_empty_table(void **state) {
    (void)state;
    assert_int_equal(line_of(VBT_LINES_LNOTAB, NULL, 0, 7, 0), 7);
    assert_int_equal(line_of(VBT_LINES_RANGES, NULL, 0, 7, 0), -1);
    assert_int_equal(line_of(VBT_LINES_LOCATIONS, NULL, 0, 7, 0), -1);
}

/* Any answer is fine as long as nothing after the table is read. */
static void ask_everywhere(enum vbt_line_table kind, size_t size) {
    static const int32_t places[] = {0, 2, 17, 100, 1000, INT32_MAX - 1, INT32_MAX};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        line_of(kind, brink - size, size, 1, places[i]);
}

static void truncated_tables_are_not_read_past_their_end(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        assert_true(cases[i].size <= PAGE);
        for (size_t size = 0; size <= cases[i].size; size++) {
            memcpy(brink - size, cases[i].table, size);
            ask_everywhere(cases[i].kind, size);
        }
    }
}

/* Data read as a code object that is none: practically random. */
static void random_tables_are_not_read_past_their_end(void **state) {
    (void)state;
    uint64_t seed = 6;
    for (int round = 0; round < 20000; round++) {
        size_t size = world_random(&seed) % 200;
        uint8_t set = (uint8_t)(round % 3 == 1 ? 0xff : round % 3 == 2 ? 0xf0 : 0); /* some with long numbers, or long forms */
        for (size_t i = 0; i < size; i++)
            brink[(ptrdiff_t)i - (ptrdiff_t)size] = (uint8_t)(world_random(&seed) | (world_random(&seed) % 4 != 0 ? set : 0));
        for (int kind = VBT_LINES_LNOTAB; kind <= VBT_LINES_LOCATIONS; kind++)
            ask_everywhere((enum vbt_line_table)kind, size);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_cases_of_every_format),
        cmocka_unit_test(a_cursor_changes_nothing),
        cmocka_unit_test(every_instruction_has_the_line_its_interpreter_gives),
        cmocka_unit_test(before_the_first_instruction_it_is_the_first_line),
        cmocka_unit_test(after_the_last_instruction),
        cmocka_unit_test(an_empty_table),
        cmocka_unit_test(truncated_tables_are_not_read_past_their_end),
        cmocka_unit_test(random_tables_are_not_read_past_their_end),
    };
    return cmocka_run_group_tests(tests, make_brink, NULL);
}
