/* From a code object to its records: what is chosen, by patterns, as a part of what is, or by
 * @profile. */
#include "preload/lines/line_follow.h"

#include "preload/lines/line_mode.h"
#include "preload/python/python_code.h"
#include "preload/shared/options.h"
#include "tests/unit/support/fake_python.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { FIRST = 10 };

#define PROGRAM "/home/user/program.py"
#define LIBRARY "/usr/lib/python3/dist-packages/library.py"

static struct vbt_thread *thread;
static uint32_t heap_node;
static const void *reported[8];
static unsigned reported_count;

static void note_chosen(void *code) { reported[reported_count++] = code; }

static int begin(void **state) {
    world_reset(state);
    thread = vbt_self = vbt_thread_begin();
    fake_python_begin(12, thread);
    assert_non_null(vbt_line_thread(thread));
    vbt_options.lines = VBT_LINES_CHOSEN;
    vbt_options.functions[0] = vbt_options.files[0] = '\0';
    vbt_line_code_chosen = note_chosen;
    reported_count = 0;
    return 0;
}

static int end(void **state) {
    (void)state;
    vbt_line_code_chosen = NULL;
    vbt_options.functions[0] = '\0';
    vbt_line_reset(thread->lines);
    fake_python_end();
    vbt_self = NULL;
    return 0;
}

static struct vbt_line_block *block_of(const char *code) {
    bool is_new;
    return vbt_line_block_of(thread->lines, code, &is_new);
}

/* Names that no other test has chosen. */
static char *code_named(const char *file, const char *name) {
    static int number;
    char unique[64];
    snprintf(unique, sizeof unique, "%s_%d", name, ++number);
    return fake_code(file, name[0] == '<' ? name : unique, FIRST + 100 * number);
}

static void the_users_code_is_chosen(void **state) {
    (void)state;
    char *code = code_named(PROGRAM, "work");
    struct vbt_line_block *block = block_of(code);
    assert_non_null(block);
    assert_int_equal(block->count, FAKE_INSTRUCTIONS); /* lines */
    assert_int_equal(block->first, vbt_load_int(code, vbt_python.abi.code_first_line));
    assert_null(block_of(code_named(LIBRARY, "help")));
}

static void code_is_looked_up_once(void **state) {
    (void)state;
    char *code = code_named(PROGRAM, "work"), *other = code_named(LIBRARY, "help");
    bool is_new;
    struct vbt_line_block *block = vbt_line_block_of(thread->lines, code, &is_new);
    assert_true(is_new);
    assert_ptr_equal(vbt_line_block_of(thread->lines, code, &is_new), block);
    assert_false(is_new);
    vbt_line_block_of(thread->lines, other, &is_new);
    assert_true(is_new);
    assert_null(vbt_line_block_of(thread->lines, other, &is_new));
    assert_false(is_new);
    fake_code_reborn(code, LIBRARY, "reborn", FIRST); /* another at its address */
    assert_null(vbt_line_block_of(thread->lines, code, &is_new));
    assert_true(is_new);
}

static void the_same_code_has_one_block(void **state) {
    (void)state;
    char *code = fake_code(PROGRAM, "twice", FIRST), *again = fake_code(PROGRAM, "twice", FIRST);
    assert_ptr_equal(block_of(code), block_of(again));
}

/* "<lambda>" and comprehensions, which no pattern names. */
static void expressions_are_chosen_with_the_function_around(void **state) {
    (void)state;
    strcpy(vbt_options.functions, "chosen_*");
    char *outer = code_named(PROGRAM, "chosen"), *inner[] = {code_named(PROGRAM, "<lambda>"), code_named(PROGRAM, "function")};
    char *deeper[] = {code_named(PROGRAM, "<listcomp>")};
    fake_code_contains(outer, inner, 2);
    fake_code_contains(inner[0], deeper, 1);
    assert_null(block_of(code_named(PROGRAM, "another")));
    assert_non_null(block_of(outer));
    assert_non_null(block_of(inner[0]));
    assert_null(block_of(inner[1]));
    assert_non_null(block_of(deeper[0]));
}

static void a_decorated_function_is_chosen_with_all_in_it(void **state) {
    (void)state;
    vbt_options.lines = VBT_LINES_DECORATED;
    char *outer = code_named(PROGRAM, "outer"), *inner[] = {code_named(PROGRAM, "inner")},
         *deeper[] = {code_named(PROGRAM, "deeper")};
    fake_code_contains(outer, inner, 1);
    fake_code_contains(inner[0], deeper, 1);
    assert_null(block_of(outer));
    assert_null(block_of(inner[0]));
    vbt_line_choose(outer);
    assert_non_null(block_of(outer)); /* the caches know it */
    assert_non_null(block_of(inner[0]));
    assert_non_null(block_of(deeper[0]));
    assert_true(vbt_line_code_at(block_of(outer)->index)->decorated);
    assert_false(vbt_line_code_at(block_of(inner[0])->index)->decorated);
    assert_int_equal(reported_count, 3);
    assert_ptr_equal(reported[0], outer);
    assert_ptr_equal(reported[1], inner[0]);
    assert_ptr_equal(reported[2], deeper[0]);
}

static void vbtraces_own_code_is_followed_but_not_written(void **state) {
    (void)state;
    char *code = code_named(VBT_OWN_CODE, "calibrate");
    assert_null(block_of(code));
    vbt_line_choose(code);
    assert_non_null(block_of(code));
    assert_true(vbt_line_code_at(block_of(code)->index)->hidden);
}

static void what_is_no_code_is_not_chosen(void **state) {
    (void)state;
    char *frame = fake_frame();
    assert_null(block_of(frame));
    vbt_line_choose(frame);
    assert_int_equal(reported_count, 0);
}

static void code_within_code_is_followed_to_a_depth(void **state) {
    (void)state;
    enum { DEPTH = 120 };
    char *codes[DEPTH];
    for (int i = 0; i < DEPTH; i++)
        codes[i] = code_named(PROGRAM, "nested");
    for (int i = 0; i + 1 < DEPTH; i++)
        fake_code_contains(codes[i], &codes[i + 1], 1);
    vbt_options.lines = VBT_LINES_DECORATED;
    vbt_line_code_chosen = NULL;
    vbt_line_choose(codes[0]);
    assert_non_null(block_of(codes[100])); /* as deep as Python's indentation goes */
    assert_null(block_of(codes[101]));
}

/* ---- calls ---- */

static int frames[4];

static void calls_that_ended_silently_are_left(void **state) {
    (void)state;
    struct vbt_line_thread *lines = thread->lines;
    struct vbt_line_block *block = block_of(code_named(PROGRAM, "work"));
    for (int i = 0; i < 3; i++)
        vbt_line_enter(lines, &frames[i], block, block->first);
    assert_true(vbt_line_is_back(lines, &frames[0]));
    assert_ptr_equal(lines->top->frame, &frames[0]);
    assert_false(vbt_line_is_back(lines, &frames[3])); /* which was not entered */
    assert_ptr_equal(lines->top->frame, &frames[0]);
}

static void a_line_may_begin_in_a_frame_that_was_not_entered(void **state) {
    (void)state;
    struct vbt_line_thread *lines = thread->lines;
    char *code = code_named(PROGRAM, "work");
    struct vbt_line_block *block = block_of(code);
    vbt_line_begin_unentered(lines, code, &frames[0], block->first + 3);
    assert_ptr_equal(lines->running, &frames[0]);
    assert_int_equal(block->lines[3].hits, 1);
    vbt_line_begin_unentered(lines, code_named(LIBRARY, "help"), &frames[1], FIRST);
    assert_ptr_equal(lines->running, &frames[0]);
}

/* ---- what is not the program's ---- */

static void the_latest_block_is_as_it_was_before_what_was_disowned(void **state) {
    (void)state;
    struct vbt_line_thread *lines = thread->lines;
    world_alloc(thread, heap_node, 0x1000, 8);
    vbt_line_keep_last(lines);
    world_alloc(thread, heap_node, 0x2000, 8);
    world_alloc(thread, heap_node, 0x3000, 8);
    assert_true(vbt_line_disown(lines, (void *)0x3000));
    assert_int_equal(vbt_ledger_node_of((void *)0x3000), vbt_tree.line_node);
    assert_ptr_equal(thread->ledger.last_block, 0x3000); /* there is another in between */
    assert_true(vbt_line_disown(lines, (void *)0x2000));
    assert_ptr_equal(thread->ledger.last_block, 0x1000);
    assert_false(vbt_line_disown(lines, (void *)0x4000)); /* which is not known */
    for (uintptr_t block = 0x1000; block < 0x4000; block += 0x1000)
        world_free(thread, block);
}

static void a_freed_block_is_not_the_latest(void **state) {
    (void)state;
    world_alloc(thread, heap_node, 0x1000, 8);
    vbt_line_keep_last(thread->lines);
    world_free(thread, 0x1000);
    world_alloc(thread, heap_node, 0x2000, 8);
    assert_true(vbt_line_disown(thread->lines, (void *)0x2000));
    assert_null(thread->ledger.last_block);
    world_free(thread, 0x2000);
}

static void a_code_object_points_at_its_parts(void **state) {
    (void)state;
    char *code = code_named(PROGRAM, "work");
    assert_true(vbt_line_code_points_at(code, vbt_load_pointer(code, vbt_python.abi.code_filename)));
    assert_true(vbt_line_code_points_at(code, vbt_load_pointer(code, vbt_python.abi.code_lines)));
    assert_false(vbt_line_code_points_at(code, frames));
    assert_false(vbt_line_code_points_at(code, NULL)); /* though some of its words are 0 */
}

static void vbtraces_own_work_is_no_lines(void **state) {
    (void)state;
    struct vbt_line_block *block = block_of(code_named(PROGRAM, "work"));
    vbt_line_enter(thread->lines, &frames[0], block, block->first);
    struct vbt_line_sums begun = vbt_line_own_work_begin(thread);
    assert_int_equal(thread->stack.override.node, vbt_tree.own_node);
    world_alloc(thread, heap_node, 0x1000, 100);
    vbt_line_own_work_end(thread, &begun);
    assert_int_equal(thread->stack.override.node, 0);
    vbt_line_leave(thread->lines, &frames[0]);
    world_free(thread, 0x1000);
    assert_int_equal(block->lines[0].own.allocated, 0);
    assert_int_equal(block->lines[0].entries, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_users_code_is_chosen),
        TEST(code_is_looked_up_once),
        TEST(the_same_code_has_one_block),
        TEST(expressions_are_chosen_with_the_function_around),
        TEST(a_decorated_function_is_chosen_with_all_in_it),
        TEST(vbtraces_own_code_is_followed_but_not_written),
        TEST(what_is_no_code_is_not_chosen),
        TEST(code_within_code_is_followed_to_a_depth),
        TEST(calls_that_ended_silently_are_left),
        TEST(a_line_may_begin_in_a_frame_that_was_not_entered),
        TEST(the_latest_block_is_as_it_was_before_what_was_disowned),
        TEST(a_freed_block_is_not_the_latest),
        TEST(a_code_object_points_at_its_parts),
        TEST(vbtraces_own_work_is_no_lines),
    };
    heap_node = world_init_lines();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
