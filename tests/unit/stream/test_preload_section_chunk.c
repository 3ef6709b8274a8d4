/* When sections ran: what of it is kept, written and read back. */
#include "preload/stream/history/section_chunk.h"

#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/snapshot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

static uint32_t site, names;

/* A label that no test before has used. */
static uint32_t label(void) {
    char text[32];
    int size = snprintf(text, sizeof text, "section %u", ++names);
    return vbt_intern_string(text, (size_t)size);
}

static void begins(uint32_t name, int64_t time) { vbt_intervals_section_begin(&thread->ledger, site, name, 0, time); }
static void ends(uint32_t name, int64_t time) { vbt_intervals_section_end(&thread->ledger, site, name, time); }

/* What the file says of a label; NULL: nothing. */
static const struct trace_section *section_of(const struct trace *trace, uint32_t name) {
    const struct vbt_string *text = vbt_string_at(name);
    for (uint32_t i = 0; i < trace->sections; i++)
        if (trace->section[i].name.size == text->size && memcmp(trace->section[i].name.bytes, text->bytes, text->size) == 0)
            return &trace->section[i];
    return NULL;
}

static int begin(void **state) {
    int failed = snapshot_begin(state);
    site = vbt_node_at(nodes[0])->site;
    vbt_section_chunk_after_fork();
    return failed;
}

static int end(void **state) {
    vbt_intervals_reset(&thread->ledger);
    return snapshot_end(state);
}

static void all_runs_of_a_name_are_kept_while_they_are_few(void **state) {
    (void)state;
    uint32_t name = label();
    for (int64_t i = 0; i < 128; i++) {
        begins(name, 10 * i);
        if (i % 2 == 0)
            ends(name, 10 * i + i);
        else
            vbt_intervals_reset(&thread->ledger); /* it never ends */
    }
    vbt_write_section_times(&writer, SECOND, true, 0);
    const struct trace_section *section = section_of(read_trace(), name);
    assert_non_null(section);
    assert_int_equal(section->count, 128);
    assert_int_equal(section->first, 64);
    assert_int_equal(section->latest, 64);
    for (uint64_t i = 0; i < 128; i++) {
        assert_int_equal(section->run[i].begun, 10 * i);
        assert_int_equal(section->run[i].length, i % 2 == 0 ? i + 1 : 0);
    }
}

static void of_many_runs_the_first_and_the_latest_are_kept(void **state) {
    (void)state;
    uint32_t name = label(), outer = label();
    enum { RUNS = 1000003 };
    begins(outer, 1);
    for (int64_t i = 0; i < RUNS; i++) {
        begins(name, 100 * i);
        ends(name, 100 * i + 7);
    }
    vbt_write_section_times(&writer, SECOND, true, 0);
    assert_true(writer.file_size < 4096);
    const struct trace *trace = read_trace();
    const struct trace_section *section = section_of(trace, name);
    assert_int_equal(section->count, RUNS);
    assert_int_equal(section->first, 64);
    assert_int_equal(section->latest, 64);
    for (uint64_t i = 0; i < 128; i++) {
        assert_int_equal(section->run[i].begun, 100 * (i < 64 ? i : RUNS - 128 + i));
        assert_int_equal(section->run[i].length, 8);
    }
    section = section_of(trace, outer);
    assert_int_equal(section->count, 1);
    assert_int_equal(section->run[0].begun, 1);
    assert_int_equal(section->run[0].length, 0);
}

/* A run that is no longer kept when it ends. */
static void the_end_of_a_forgotten_run_is_no_others(void **state) {
    (void)state;
    uint32_t name = label();
    struct vbt_section_ref runs[256];
    for (int64_t i = 0; i < 256; i++)
        runs[i] = vbt_section_run_begins(name, i);
    for (int64_t i = 0; i < 256; i++)
        if (i >= 64 && i < 192)
            vbt_section_run_ends(runs[i], 1000 + i);
    vbt_write_section_times(&writer, SECOND, true, 0);
    const struct trace_section *section = section_of(read_trace(), name);
    assert_int_equal(section->count, 256);
    for (uint64_t i = 0; i < 128; i++)
        assert_int_equal(section->run[i].length, 0);
}

static void what_has_not_changed_is_not_written_again(void **state) {
    (void)state;
    uint32_t idle = label(), busy = label();
    begins(idle, 1);
    begins(busy, 2);
    vbt_write_section_times(&writer, 2 * SECOND, false, atomic_fetch_add(&vbt_epoch, 1) + 1);
    uint64_t size = writer.file_size;
    ends(busy, 5);
    vbt_write_section_times(&writer, 2 * SECOND + SECOND / 2, false, 0); /* so soon, nothing is */
    assert_int_equal(writer.file_size, size);
    vbt_write_section_times(&writer, 3 * SECOND, false, atomic_fetch_add(&vbt_epoch, 1) + 1);
    assert_true(writer.file_size > size && writer.file_size - size < 80);
    assert_int_equal(section_of(read_trace(), busy)->run[0].length, 4);
    size = writer.file_size;
    vbt_write_section_times(&writer, 4 * SECOND, false, atomic_load(&vbt_epoch));
    assert_int_equal(writer.file_size, size);
    vbt_write_section_times_again();
    vbt_write_section_times(&writer, 5 * SECOND, false, 0);
    assert_true(writer.file_size > size);
    assert_int_equal(section_of(read_trace(), idle)->run[0].length, 0);
}

static void a_child_has_only_its_own_runs(void **state) {
    (void)state;
    uint32_t of_parent = label(), of_both = label();
    begins(of_parent, 1);
    begins(of_both, 2);
    struct vbt_section_ref open = vbt_section_run_begins(of_parent, 3);
    vbt_interval_groups_forget();
    vbt_intervals_reset(&thread->ledger);
    vbt_section_run_ends(open, 9);
    begins(of_both, 10);
    ends(of_both, 12);
    vbt_write_section_times(&writer, SECOND, true, 0);
    const struct trace *trace = read_trace();
    assert_null(section_of(trace, of_parent));
    assert_int_equal(section_of(trace, of_both)->count, 1);
    assert_int_equal(section_of(trace, of_both)->run[0].begun, 10);
    assert_int_equal(section_of(trace, of_both)->run[0].length, 3);
}

/* Last: there is no room for any name afterwards. */
static void names_beyond_the_last_that_has_room_are_counted(void **state) {
    (void)state;
    uint32_t first = label(), last = first;
    begins(first, 5);
    for (int i = 0; i < VBT_SECTION_NAMES; i++) {
        last = label();
        begins(last, i);
        ends(last, i + 1);
    }
    assert_int_equal(vbt_section_names(), VBT_SECTION_NAMES);
    vbt_write_section_times(&writer, SECOND, true, 0);
    const struct trace *trace = read_trace();
    assert_non_null(section_of(trace, first));
    assert_null(section_of(trace, last));
    assert_true(trace->section_runs_unnamed > 0);
    assert_int_equal(trace->sections + trace->section_runs_unnamed, VBT_SECTION_NAMES + 1);
}

int main(void) {
    snapshot_world_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_runs_of_a_name_are_kept_while_they_are_few, begin, end),
        cmocka_unit_test_setup_teardown(of_many_runs_the_first_and_the_latest_are_kept, begin, end),
        cmocka_unit_test_setup_teardown(the_end_of_a_forgotten_run_is_no_others, begin, end),
        cmocka_unit_test_setup_teardown(what_has_not_changed_is_not_written_again, begin, end),
        cmocka_unit_test_setup_teardown(a_child_has_only_its_own_runs, begin, end),
        cmocka_unit_test_setup_teardown(names_beyond_the_last_that_has_room_are_counted, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
