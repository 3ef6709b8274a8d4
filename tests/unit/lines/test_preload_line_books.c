/* The line books: the cost of a line's execution, its own and in its calls, recursion, the highest
 * heap, functions that are not followed. */
#include "preload/lines/books/line_silent.h"
#include "preload/lines/books/line_fast.h"

#include "preload/thread/books.h"
#include "preload/ledger/ledger.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { F_FIRST = 10, F_LINES = 10, G_FIRST = 50, G_LINES = 5 };

static uint32_t heap_node, f_index, g_index;
static int f1, f2, g1; /* stand for frames */
static struct vbt_thread *thread;
static struct vbt_line_thread *lines;

static struct vbt_line_block *f(void) { return vbt_line_block(lines, f_index); }
static struct vbt_line_block *g(void) { return vbt_line_block(lines, g_index); }
static struct vbt_line *line_of_f(int line) { return &f()->lines[line - F_FIRST]; }
static struct vbt_line *line_of_g(int line) { return &g()->lines[line - G_FIRST]; }

static void allocate(uintptr_t block, size_t size) { world_alloc(thread, heap_node, block, size); }
static void release(uintptr_t block) { world_free(thread, block); }

static int start(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    lines = vbt_line_thread(thread);
    return lines == NULL;
}

static void an_execution_lasts_until_the_next_line(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    allocate(0x1000, 100);
    allocate(0x2000, 50);
    vbt_line_begin(lines, &f1, 12);
    release(0x2000);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(10)->hits, 0);
    assert_int_equal(line_of_f(11)->hits, 2);
    assert_int_equal(line_of_f(11)->own.allocs, 2);
    assert_int_equal(line_of_f(11)->own.allocated, 150);
    assert_int_equal(line_of_f(11)->own.events, 2);
    assert_int_equal(line_of_f(11)->most, 150);
    assert_true(line_of_f(11)->quiet);
    assert_int_equal(line_of_f(12)->own.frees, 1);
    assert_int_equal(line_of_f(12)->own.freed, 50);
    assert_int_equal(line_of_f(12)->own.temporary, 1);
    assert_int_equal(line_of_f(12)->least, -50);
    assert_ptr_equal(lines->top, lines->frames);
}

static void what_is_called_counts_as_called(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    allocate(0x1000, 1);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    allocate(0x2000, 10);
    vbt_line_leave(lines, &g1);
    vbt_line_enter(lines, &g1, NULL, 0); /* not chosen, and its callees */
    allocate(0x3000, 100);
    vbt_line_enter(lines, &f2, NULL, 0);
    allocate(0x4000, 1000);
    vbt_line_leave(lines, &f2);
    vbt_line_leave(lines, &g1);
    release(0x1000);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->own.allocated, 1);
    assert_int_equal(line_of_f(11)->own.freed, 1);
    assert_int_equal(line_of_f(11)->called.allocated, 1110);
    assert_int_equal(line_of_f(11)->called.allocs, 3);
    assert_int_equal(line_of_f(11)->most, 1110);
    assert_int_equal(line_of_g(51)->own.allocated, 10);
    assert_int_equal(line_of_f(11)->active, 0);
}

static void no_line_takes_less_than_nothing(void **state) {
    (void)state;
    vbt_line_call_cost = (int64_t)1 << 60; /* measured on a busy machine */
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_enter(lines, &f2, f(), 10);
    vbt_line_begin(lines, &f2, 12);
    for (int i = 0; i < 2; i++) {
        vbt_line_enter(lines, &g1, g(), 50);
        vbt_line_begin(lines, &g1, 51);
        vbt_line_leave(lines, &g1);
    }
    vbt_line_begin(lines, &f2, 13);
    vbt_line_leave(lines, &f2);
    vbt_line_leave(lines, &f1);
    vbt_line_call_cost = 0;
    for (int line = 10; line < 14; line++)
        assert_true(line_of_f(line)->own.time + line_of_f(line)->called.time >= 0);
    assert_true(line_of_g(50)->own.time + line_of_g(51)->own.time > 0);
}

static const void *frame_now;
static const void *report_frame(void) { return frame_now; }

/* From 3.12 on: g1 runs below f1, and only the ledger notices. */
static void what_silent_functions_do_counts_as_called(void **state) {
    (void)state;
    vbt_line_frame_now = report_frame;
    vbt_ledger_watch(&thread->ledger);
    frame_now = &f1;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    allocate(0x1000, 1);
    frame_now = &g1;
    allocate(0x2000, 10);
    vbt_line_enter(lines, &f2, f(), 10); /* calls f, on another line */
    frame_now = &f2;
    vbt_line_begin(lines, &f2, 12);
    allocate(0x3000, 100);
    frame_now = &g1;
    allocate(0x4000, 1000);
    release(0x3000);
    vbt_line_leave(lines, &f2);
    release(0x2000);
    allocate(0x5000, 10000);
    vbt_ledger_move(&thread->ledger, (void *)0x5000, vbt_tree.line_node); /* turns out to be vbtrace's */
    vbt_line_forget_block(lines, (void *)0x5000);
    frame_now = NULL; /* nor do vbtrace's own requests count */
    struct vbt_line_sums before = vbt_line_now(lines);
    allocate(0x6000, 100000);
    vbt_line_forget_since(lines, &before);
    frame_now = &f1;
    release(0x1000);
    vbt_line_leave(lines, &f1);
    for (uintptr_t block = 0x4000; block <= 0x6000; block += 0x1000)
        release(block);
    vbt_line_frame_now = NULL;
    assert_int_equal(line_of_f(11)->own.allocated, 1);
    assert_int_equal(line_of_f(11)->own.freed, 1);
    assert_int_equal(line_of_f(11)->called.allocs, 3);
    assert_int_equal(line_of_f(11)->called.allocated, 1110);
    assert_int_equal(line_of_f(11)->called.frees, 2);
    assert_int_equal(line_of_f(11)->called.freed, 110);
    assert_int_equal(line_of_f(12)->own.allocated, 100);
    assert_int_equal(line_of_f(12)->called.allocated, 1000);
    assert_int_equal(line_of_f(12)->called.freed, 100);
}

static void chosen_code_below_other_code_is_followed(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_enter(lines, &f2, NULL, 0);
    allocate(0x1000, 1);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 52);
    allocate(0x2000, 10);
    vbt_line_leave(lines, &g1);
    assert_int_equal(lines->outside, 1);
    allocate(0x3000, 100);
    vbt_line_leave(lines, &f2);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->called.allocated, 111);
    assert_int_equal(line_of_f(11)->own.allocated, 0);
    assert_int_equal(line_of_g(52)->own.allocated, 10);
}

static void recursion_counts_the_whole_once(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    allocate(0x1000, 1);
    vbt_line_enter(lines, &f2, f(), 10);
    vbt_line_begin(lines, &f2, 11);
    allocate(0x2000, 10);
    vbt_line_enter(lines, &g1, f(), 10);
    vbt_line_begin(lines, &g1, 12);
    allocate(0x3000, 100);
    vbt_line_leave(lines, &g1);
    vbt_line_leave(lines, &f2);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->own.allocated, 11);
    assert_int_equal(line_of_f(11)->own.allocated + line_of_f(11)->called.allocated, 111);
    assert_int_equal(line_of_f(12)->own.allocated, 100);
    assert_int_equal(line_of_f(11)->most, 111);
    assert_int_equal(line_of_f(11)->least, 110);
}

static void the_highest_point_inside_a_line_is_seen(void **state) {
    (void)state;
    allocate(0x900, 5);
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    allocate(0x1000, 1000);
    release(0x1000);
    vbt_line_begin(lines, &g1, 52);
    allocate(0x1000, 10);
    release(0x1000);
    vbt_line_leave(lines, &g1);
    vbt_line_begin(lines, &f1, 12);
    allocate(0x1000, 100);
    release(0x1000);
    vbt_line_begin(lines, &f1, 13);
    vbt_line_begin(lines, &f1, 12);
    allocate(0x1000, 300);
    release(0x1000);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->high, 1005);
    assert_int_equal(line_of_f(12)->high, 305);
    assert_int_equal(line_of_f(13)->high, 5);
    assert_int_equal(line_of_g(51)->high, 1005);
    assert_int_equal(line_of_g(52)->high, 15);
    assert_int_equal(line_of_f(11)->own.allocated + line_of_f(11)->called.allocated, 1010);
}

static void goes_up_and_down(size_t size) {
    allocate(0x1000, size);
    release(0x1000);
}

static void the_ledger_tells_only_of_heights_that_are_new_to_a_line_under_way(void **state) {
    (void)state;
    const struct vbt_ledger *ledger = &thread->ledger;
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    goes_up_and_down(500);
    vbt_line_leave(lines, &g1);
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    goes_up_and_down(100);
    vbt_line_begin(lines, &f1, 12);
    assert_int_equal(ledger->crest, 0);
    vbt_line_begin(lines, &f1, 11); /* nothing happened in between: the fast path */
    assert_int_equal(ledger->crest, 100);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    assert_int_equal(ledger->crest, 100); /* the lines waiting for the call are in progress, too */
    goes_up_and_down(200);
    assert_int_equal(ledger->crest, 200);
    vbt_line_begin(lines, &g1, 52);
    vbt_line_begin(lines, &g1, 51);
    assert_int_equal(ledger->crest, 200);
    vbt_ledger_forget_crest(&thread->ledger);
    vbt_line_begin(lines, &g1, 52);
    assert_int_equal(ledger->crest, INT64_MIN); /* others want the next free reported */
    vbt_line_leave(lines, &g1);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->high, 200);
    assert_int_equal(line_of_f(12)->high, 0);
    assert_int_equal(line_of_g(51)->high, 500);
}

static void frames_that_end_without_a_word_are_closed(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    allocate(0x1000, 7);
    vbt_line_leave(lines, &f1);
    assert_ptr_equal(lines->top, lines->frames);
    assert_int_equal(line_of_f(11)->called.allocated, 7);
    vbt_line_leave(lines, &f1); /* known to no line */
    assert_ptr_equal(lines->top, lines->frames);
}

static void what_is_ours_is_taken_off(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    struct vbt_line_sums before = vbt_line_now(lines);
    allocate(0x1000, 64);
    vbt_line_forget_since(lines, &before);
    allocate(0x2000, 8);
    allocate(0x3000, 32);
    assert_true(vbt_ledger_move(&thread->ledger, (void *)0x3000, vbt_tree.line_node));
    release(0x3000);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->own.allocs, 1);
    assert_int_equal(line_of_f(11)->own.allocated, 8);
    assert_int_equal(line_of_f(11)->own.frees, 0);
    assert_int_equal(line_of_f(11)->most, 8);
}

static void a_moved_block_is_counted_where_it_went(void **state) {
    (void)state;
    struct vbt_node_sum sum;
    struct vbt_books books;
    allocate(0x1000, 24);
    allocate(0x2000, 32);
    assert_true(vbt_ledger_move(&thread->ledger, (void *)0x2000, vbt_tree.line_node));
    assert_false(vbt_ledger_move(&thread->ledger, (void *)0x5000, vbt_tree.line_node));
    release(0x2000);
    vbt_books_read(&books);
    vbt_books_node(&books, heap_node, &sum);
    assert_int_equal(sum.totals.allocs, 1);
    assert_int_equal(sum.totals.allocated, 24);
    assert_int_equal(sum.totals.frees, 0);
    assert_int_equal(sum.totals.max_size, 24);
    vbt_books_node(&books, vbt_tree.line_node, &sum);
    assert_int_equal(sum.totals.allocs, 1);
    assert_int_equal(sum.totals.freed, 32);
    assert_int_equal(books.totals[VBT_DOMAIN_HEAP].allocs, 2);
}

static void a_fork_starts_at_nothing_and_goes_on(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    allocate(0x1000, 100);
    vbt_books_inherit(true);
    vbt_line_books_after_fork();
    allocate(0x2000, 3);
    vbt_line_begin(lines, &f1, 12);
    vbt_line_leave(lines, &f1);
    assert_int_equal(line_of_f(11)->hits, 0);
    assert_int_equal(line_of_f(11)->own.allocated, 3);
    assert_int_equal(line_of_f(12)->hits, 1);
    assert_int_equal(line_of_f(12)->high, 103);
}

static void calls_that_are_too_deep_are_counted_as_lost(void **state) {
    (void)state;
    static char frames[VBT_LINE_FRAMES + 10];
    for (int i = 0; i < VBT_LINE_FRAMES + 10; i++) {
        vbt_line_enter(lines, &frames[i], f(), 10);
        vbt_line_begin(lines, &frames[i], 11);
    }
    assert_int_equal(thread->ledger.lost[VBT_LOST_LINES], 11); /* one place is for the bottom */
    for (int i = VBT_LINE_FRAMES + 9; i >= 0; i--)
        vbt_line_leave(lines, &frames[i]);
    assert_ptr_equal(lines->top, lines->frames);
    assert_int_equal(lines->outside, 0);
    assert_int_equal(line_of_f(11)->hits, VBT_LINE_FRAMES - 1);
}

static void the_end_closes_what_is_under_way(void **state) {
    (void)state;
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    vbt_line_enter(lines, &g1, g(), 50);
    vbt_line_begin(lines, &g1, 51);
    vbt_line_enter(lines, &f2, NULL, 0);
    allocate(0x1000, 4);
    vbt_line_finish(lines);
    assert_int_equal(line_of_g(51)->called.allocated, 4);
    assert_int_equal(line_of_f(11)->called.allocated, 4);
}

enum { STEPS = 3000, DEPTH = 6, BLOCKS = 24 };

/* The same steps for the same seed: lines, calls of all kinds, recursion, blocks that come and
 * go. */
static void random_steps(uint64_t seed) {
    static int frames[DEPTH]; /* stand for frames */
    size_t depth = 0;
    bool chosen[DEPTH], held[BLOCKS] = {false};
    for (int step = 0; step < STEPS; step++) {
        uint64_t what = world_random(&seed) % 16, which = world_random(&seed), block = which % BLOCKS;
        if (what < 6 && depth > 0 && chosen[depth - 1]) {
            vbt_line_begin(lines, &frames[depth - 1], lines->top->block->first + (int32_t)(which % lines->top->block->count));
        } else if (what < 12) {
            if (held[block])
                release(0x1000 * (block + 1));
            else
                allocate(0x1000 * (block + 1), 1 + which % 300);
            held[block] = !held[block];
        } else if (what < 14 && depth < DEPTH) {
            chosen[depth] = which % 3 != 0;
            struct vbt_line_block *of = which % 3 == 1 ? f() : g();
            vbt_line_enter(lines, &frames[depth], chosen[depth] ? of : NULL, of->first);
            depth++;
        } else if (depth > 0) {
            vbt_line_leave(lines, &frames[--depth]);
        }
    }
    vbt_line_finish(lines);
}

static void keep(const struct vbt_line_block *block, struct vbt_line *out) {
    for (uint32_t i = 0; i < block->count; i++) {
        out[i] = block->lines[i];
        out[i].own.time = out[i].called.time = 0;
    }
}

static void the_fast_path_books_what_the_slow_one_does(void **state) {
    for (uint64_t seed = 1; seed <= 50; seed++) {
        static struct vbt_line kept[2][F_LINES + G_LINES];
        for (int fast = 0; fast < 2; fast++) {
            assert_int_equal(start(state), 0);
            vbt_line_fast_enabled = fast;
            random_steps(seed);
            keep(f(), kept[fast]);
            keep(g(), kept[fast] + F_LINES);
        }
        for (int i = 0; i < F_LINES + G_LINES; i++) {
            const struct vbt_line *by_slow = &kept[0][i], *by_fast = &kept[1][i];
            assert_true(by_slow->hits > 0);
            assert_int_equal(by_fast->hits, by_slow->hits);
            assert_int_equal(by_fast->high, by_slow->high);
            assert_int_equal(by_fast->active, 0);
            assert_int_equal(by_fast->quiet, by_slow->quiet);
            assert_int_equal(by_fast->least, by_slow->least);
            assert_int_equal(by_fast->most, by_slow->most);
            assert_memory_equal(&by_fast->own, &by_slow->own, sizeof by_slow->own);
            assert_memory_equal(&by_fast->called, &by_slow->called, sizeof by_slow->called);
        }
    }
    vbt_line_fast_enabled = vbt_line_clock_is_tsc;
}

/* Read at a line's end if it may have changed; other readings do not count then. */
static void the_resident_set_is_that_at_the_end_of_the_line(void **state) {
    enum { MUCH = 1024 * 1024 };
    const int64_t between = (int64_t)1 << 40;
    (void)state;
    atomic_store(&vbt_latest_rss, VBT_RSS_OLD);
    vbt_line_enter(lines, &f1, f(), 10);
    vbt_line_begin(lines, &f1, 11);
    assert_in_range(line_of_f(10)->rss, 1, between - 1);
    assert_int_equal(atomic_load(&vbt_latest_rss), line_of_f(10)->rss);
    allocate(0x1000, MUCH);
    atomic_store(&vbt_latest_rss, between);
    vbt_line_begin(lines, &f1, 12);
    assert_in_range(line_of_f(11)->rss, 1, between - 1);
    atomic_store(&vbt_latest_rss, between); /* of another line, a moment ago */
    vbt_line_begin(lines, &f1, 13);
    assert_int_equal(line_of_f(12)->rss, between);
    release(0x1000);
    vbt_line_leave(lines, &f1);
    assert_in_range(line_of_f(13)->rss, 1, between - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_execution_lasts_until_the_next_line, start),
        cmocka_unit_test_setup(what_is_called_counts_as_called, start),
        cmocka_unit_test_setup(no_line_takes_less_than_nothing, start),
        cmocka_unit_test_setup(what_silent_functions_do_counts_as_called, start),
        cmocka_unit_test_setup(chosen_code_below_other_code_is_followed, start),
        cmocka_unit_test_setup(recursion_counts_the_whole_once, start),
        cmocka_unit_test_setup(the_highest_point_inside_a_line_is_seen, start),
        cmocka_unit_test_setup(the_ledger_tells_only_of_heights_that_are_new_to_a_line_under_way, start),
        cmocka_unit_test_setup(frames_that_end_without_a_word_are_closed, start),
        cmocka_unit_test_setup(what_is_ours_is_taken_off, start),
        cmocka_unit_test_setup(the_resident_set_is_that_at_the_end_of_the_line, start),
        cmocka_unit_test_setup(a_moved_block_is_counted_where_it_went, start),
        cmocka_unit_test_setup(a_fork_starts_at_nothing_and_goes_on, start),
        cmocka_unit_test_setup(calls_that_are_too_deep_are_counted_as_lost, start),
        cmocka_unit_test_setup(the_end_closes_what_is_under_way, start),
        cmocka_unit_test(the_fast_path_books_what_the_slow_one_does),
    };
    world_init();
    heap_node = world_node(0, "test", VBT_DOMAIN_HEAP);
    vbt_tree.line_node = world_node(0, "[line events]", VBT_DOMAIN_HEAP);
    vbt_lock(&vbt_tree_lock);
    uint32_t file = vbt_intern_string("f.py", 4);
    f_index = vbt_line_code_add(vbt_intern_code(1001, file, file, F_FIRST, VBT_CODE_USER), F_FIRST, F_LINES, false);
    g_index = vbt_line_code_add(vbt_intern_code(1002, file, file, G_FIRST, VBT_CODE_USER), G_FIRST, G_LINES, false);
    vbt_unlock(&vbt_tree_lock);
    vbt_line_books_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
