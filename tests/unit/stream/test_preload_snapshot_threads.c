/* The threads' counts as written into a trace: read back by the tests' own decoder, and compared
 * with the books. */
#include "preload/stream/snapshot.h"

#include "preload/thread/books.h"
#include "preload/thread/thread_rows.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/snapshot_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static uint32_t node_of_thread(uintptr_t number) { return nodes[number % 3]; }

/* Allocates `number` times at one node and once at the first; frees a block of the first thread. */
static void *be_a_thread(void *argument) {
    uintptr_t number = *(uintptr_t *)argument;
    thread = vbt_thread_begin();
    for (uintptr_t i = 0; i < number; i++)
        alloc(node_of_thread(number), 8);
    world_free(thread, 0x10000);
    alloc(nodes[0], 100);
    return NULL;
}

static void write_threads(uint64_t since) {
    struct vbt_books books;
    vbt_books_read(&books);
    struct vbt_dictionary defined = vbt_dictionary_now();
    vbt_snapshot_thread_rows(&writer, &books);
    vbt_snapshot_threads(&writer, &books, &tick, &defined, since);
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.lost, 0);
}

/* Compares each thread's part of a node in the file with the books; the first part is the rest of
 * the node's counts. */
static void assert_parts(const struct trace *trace, uint32_t node) {
    struct vbt_books books;
    struct vbt_node_part parts[VBT_THREAD_LATER];
    vbt_books_read(&books);
    uint32_t count = vbt_books_parts(&books, node, parts);
    assert_int_equal(trace->parts[node].count, count);
    const struct trace_counters *row = &trace->counters[node];
    uint64_t allocs = row->allocs, allocated = row->allocated, temporary = row->temporary;
    int64_t live = row->live_bytes, at_peak = row->at_peak;
    for (uint32_t i = 0; i < count; i++) {
        const struct trace_part *part = &trace->parts[node].part[i];
        assert_int_equal(part->thread, parts[i].row);
        if (i == 0)
            continue;
        assert_int_equal(part->allocs, parts[i].allocs);
        assert_int_equal(part->frees, parts[i].frees);
        assert_int_equal(part->allocated, parts[i].allocated);
        assert_int_equal(part->freed, parts[i].freed);
        assert_int_equal(part->at_peak, parts[i].at_peak);
        assert_int_equal(part->temporary, parts[i].temporary);
        allocs -= part->allocs;
        allocated -= part->allocated;
        temporary -= part->temporary;
        live -= (int64_t)(part->allocated - part->freed);
        at_peak -= part->at_peak;
    }
    if (count == 0)
        return;
    assert_int_equal(allocs, parts[0].allocs);
    assert_int_equal(allocated, parts[0].allocated);
    assert_int_equal(live, (int64_t)(parts[0].allocated - parts[0].freed) + (int64_t)row->inherited_bytes);
    assert_int_equal(at_peak, parts[0].at_peak);
    assert_int_equal(temporary, parts[0].temporary);
}

static void threads_come_back_as_they_were(void **state) {
    (void)state;
    enum { THREADS = 80 };
    struct vbt_thread *first = thread;
    alloc(nodes[1], 5);
    for (uintptr_t i = 2; i <= THREADS; i++) {
        world_in_thread(be_a_thread, &i);
        thread = first;
        next_block += BLOCK_ROOM;
        world_free(thread, alloc(node_of_thread(i), 3));
    }
    vbt_thread_rows_look(77);
    tick = (struct vbt_tick){.time = 99};
    write_tick(0);
    write_threads(0);
    const struct trace *trace = read_trace();
    assert_int_equal(trace->threads, VBT_THREAD_LATER);
    for (uint32_t id = 1; id <= trace->threads; id++) {
        const struct vbt_thread_row *row = vbt_thread_row_at(id);
        struct vbt_totals totals[VBT_DOMAINS];
        vbt_books_row(id, totals);
        assert_int_equal(trace->thread[id].tid, row->tid);
        assert_int_equal(trace->thread[id].begun, row->begun);
        assert_int_equal(trace->thread[id].ended, id == 1 || id == VBT_THREAD_LATER ? 0 : 77);
        assert_int_equal(trace->thread[id].threads, id == VBT_THREAD_LATER ? THREADS - VBT_THREAD_ROWS : 1);
        assert_int_equal(trace->thread[id].name.size, strlen(row->name));
        for (int domain = 0; domain < VBT_DOMAIN_MAP; domain++)
            assert_memory_equal(trace->thread[id].totals[domain], &totals[domain], sizeof totals[domain]);
        assert_int_equal(trace->thread[id].totals[VBT_DOMAIN_MAP][0], 0);
    }
    for (uint32_t node = 1; node <= trace->nodes; node++) {
        assert_parts(trace, node);
        assert_true(trace->parts[node].count == 0 || trace->parts[node].time == 99);
    }
    assert_int_equal(trace->parts[nodes[2]].count, 1 + 21 + 1); /* the first, every third of the others with rows, the later ones */
}

/* More parts than one chunk takes; and then only what changed. */
static void threads_in_several_chunks(void **state) {
    (void)state;
    enum { NODES = 5000 };
    static uint32_t many[NODES];
    struct vbt_thread *first = thread;
    for (uint32_t i = 0; i < NODES; i++)
        many[i] = world_node(i == 0 ? 0 : many[i / 2], i % 2 ? "even" : "odd", VBT_DOMAIN_HEAP);
    world_in_thread(be_a_thread, &(uintptr_t){2});
    struct vbt_thread *other = thread;
    for (uint32_t i = 0; i < NODES; i++) {
        thread = i % 2 ? first : other;
        alloc(many[i], 10);
        thread = other;
        alloc(many[i], 20);
    }
    thread = first;
    uint64_t clock = write_tick(0);
    write_threads(0);
    const struct trace *trace = read_trace();
    assert_true(trace->chunks_of[VBT_CHUNK_THREAD_COUNTERS] >= 2);
    for (uint32_t node = 1; node <= trace->nodes; node++)
        assert_parts(trace, node);
    alloc(many[7], 10);
    tick.time = 1234;
    write_tick(clock);
    write_threads(clock);
    trace = read_trace();
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(trace->parts[many[i]].time, i == 7 ? 1234 : 0);
    assert_parts(trace, many[7]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, snapshot_begin, snapshot_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(threads_come_back_as_they_were),
        TEST(threads_in_several_chunks),
    };
    snapshot_world_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
