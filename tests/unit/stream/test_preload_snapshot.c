/* Definitions and values as they are written into a trace: read back by the test's own decoder, and compared with what happened. */
#include "preload/stream/snapshot.h"

#include "preload/ledger/interval.h"
#include "preload/ledger/ledger.h"
#include "preload/thread/thread_rows.h"
#include "preload/process/process.h"
#include "preload/tree/modules.h"
#include "tests/unit/support/preload_world.h"
#include "tests/unit/support/trace_decoder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct vbt_thread *thread;
static struct vbt_chunk_writer writer;
static struct vbt_dictionary written;
static struct vbt_tick tick;
static char path[64];
static uint32_t nodes[3];
static uintptr_t next_block = 0x10000;

static int begin(void **state) {
    world_reset(state);
    thread = vbt_thread_begin();
    strcpy(path, "/tmp/vbt-snapshot-XXXXXX");
    close(mkstemp(path));
    written = (struct vbt_dictionary){0};
    tick = (struct vbt_tick){0};
    vbt_snapshot_after_fork();
    vbt_interval_groups_forget();
    return !(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
}

/* Everything that is live ends, so that the next test inherits nothing. */
static int end(void **state) {
    (void)state;
    for (uintptr_t block = 0x10000; block < next_block; block += 16)
        world_free(vbt_self, block);
    vbt_books_inherit();
    vbt_chunk_writer_close(&writer);
    return unlink(path);
}

static uintptr_t alloc(uint32_t node, size_t size) {
    uintptr_t block = next_block;
    next_block += 16;
    world_alloc(thread, node, block, size);
    return block;
}

/* What a tick does: definitions and the values that changed since. Returns the clock of this tick. */
static uint64_t write_tick(uint64_t since) {
    uint64_t now = atomic_fetch_add(&vbt_clock, 1) + 1;
    struct vbt_books books;
    vbt_books_read(&books);
    struct vbt_dictionary defined = vbt_dictionary_now();
    vbt_dictionary_write(&writer, &written, defined);
    vbt_snapshot_counters(&writer, &books, &tick, &defined, since);
    vbt_snapshot_intervals(&writer, &defined, since);
    vbt_snapshot_state(&writer, &books, &tick);
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.lost, 0);
    return now;
}

static const struct trace *read_trace(void) {
    const struct trace *trace = trace_read(path);
    assert_int_equal(trace->bytes_read, writer.file_size);
    return trace;
}

static void assert_defined(const struct trace *trace) {
    assert_int_equal(trace->strings, vbt_tree.strings.count - 1);
    assert_int_equal(trace->codes, vbt_tree.codes.count - 1);
    assert_int_equal(trace->sites, vbt_tree.sites.count - 1);
    assert_int_equal(trace->nodes, vbt_tree.nodes.count - 1);
    for (uint32_t id = 1; id <= trace->strings; id++) {
        assert_int_equal(trace->string[id].size, vbt_string_at(id)->size);
        assert_memory_equal(trace->string[id].bytes, vbt_string_at(id)->bytes, vbt_string_at(id)->size);
    }
    for (uint32_t id = 1; id <= trace->codes; id++) {
        assert_int_equal(trace->code[id].file, vbt_code_at(id)->file);
        assert_int_equal(trace->code[id].name, vbt_code_at(id)->name);
        assert_int_equal(trace->code[id].first_line, vbt_code_at(id)->first_line);
        assert_int_equal(trace->code[id].flags, vbt_code_at(id)->flags);
    }
    for (uint32_t id = 1; id <= trace->sites; id++) {
        assert_int_equal(trace->site[id].kind, vbt_site_at(id)->kind);
        assert_int_equal(trace->site[id].a, vbt_site_at(id)->a);
        assert_int_equal(trace->site[id].b, vbt_site_at(id)->b);
        assert_int_equal(trace->site[id].module, vbt_site_at(id)->module);
    }
    for (uint32_t id = 1; id <= trace->nodes; id++) {
        assert_int_equal(trace->node[id].parent, vbt_node_at(id)->parent);
        assert_int_equal(trace->node[id].site, vbt_node_at(id)->site);
        assert_int_equal(trace->node[id].domain, vbt_node_at(id)->domain);
    }
}

/* What the loader tells of a module comes back as it was; of the main program with the name of its file. */
static void modules_come_back_as_they_were(void **state) {
    (void)state;
    vbt_native_site((uintptr_t)&modules_come_back_as_they_were + 1);
    vbt_native_site((uintptr_t)&snprintf + 1);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    const struct trace *trace = read_trace();
    assert_true(vbt_modules.count >= 3);
    assert_int_equal(trace->modules, vbt_modules.count - 1);
    for (uint32_t id = 1; id < vbt_modules.count; id++) {
        const struct vbt_module *module = vbt_module_at(id);
        const struct trace_string *read_path = &trace->module[id - 1].path, *build_id = &trace->module[id - 1].build_id;
        char name[4096];
        snprintf(name, sizeof name, "%.*s", (int)read_path->size, read_path->bytes);
        assert_string_equal(name, module->path_size == 0 ? vbt_program_path() : module->path);
        assert_int_equal(trace->module[id - 1].start, module->start);
        assert_int_equal(trace->module[id - 1].end, module->end);
        assert_int_equal(trace->module[id - 1].linked, module->start - module->bias);
        assert_int_equal(trace->module[id - 1].generation, module->generation);
        assert_int_equal(build_id->size, module->build_id_size);
        assert_memory_equal(build_id->bytes, module->build_id, build_id->size);
    }
}

static void define_something(uint32_t seed) {
    char text[32];
    vbt_lock(&vbt_tree.lock);
    uint32_t name = vbt_intern_string(text, (size_t)snprintf(text, sizeof text, "name %u", seed));
    uint32_t code = vbt_intern_code(1000 + seed, name, name, seed, seed % 3);
    uint32_t site = vbt_intern_python_site(code, (int32_t)seed - 5);
    vbt_unlock(&vbt_tree.lock);
    uint32_t parent = vbt_node_of(0, site, VBT_DOMAIN_PYTHON);
    vbt_node_of(parent, vbt_native_site(0x7f0000000000 + 37 * seed), VBT_DOMAIN_HEAP);
}

static void definitions_come_back_as_they_were(void **state) {
    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        define_something(i);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_defined(read_trace());
}

static void what_is_defined_is_written_once(void **state) {
    (void)state;
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    uint64_t size = writer.file_size;
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_int_equal(writer.file_size, size);
    define_something(100);
    struct vbt_dictionary now = vbt_dictionary_now();
    define_something(101); /* after the tick began: left for the next one */
    vbt_dictionary_write(&writer, &written, now);
    assert_int_equal(read_trace()->codes, now.codes);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    assert_defined(read_trace());
}

/* More rows than one chunk takes, and strings whose bytes fill several. */
static void many_definitions_take_several_chunks(void **state) {
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof text);
    vbt_lock(&vbt_tree.lock);
    for (int i = 0; i < 500; i++) {
        snprintf(text, 32, "long %d", i);
        assert_int_not_equal(vbt_intern_string(text, sizeof text), 0);
    }
    vbt_unlock(&vbt_tree.lock);
    for (uint32_t i = 0; i < 20000; i++)
        define_something(1000 + i);
    vbt_dictionary_write(&writer, &written, vbt_dictionary_now());
    const struct trace *trace = read_trace();
    assert_true(trace->chunks_of[VBT_CHUNK_STRINGS] >= 3);
    assert_true(trace->chunks_of[VBT_CHUNK_NODES] >= 3);
    assert_defined(trace);
}

static void assert_counters(const struct trace *trace, uint32_t node) {
    struct vbt_books books;
    struct vbt_node_sum sum;
    vbt_books_read(&books);
    bool any = vbt_books_node(&books, node, &sum);
    const struct trace_counters *row = &trace->counters[node];
    if (!any) {
        assert_int_equal(row->allocs, 0);
        return;
    }
    assert_int_equal(row->node, node);
    assert_int_equal(row->allocs, sum.totals.allocs);
    assert_int_equal(row->live_blocks, sum.totals.inherited_blocks + sum.totals.allocs - sum.totals.frees);
    assert_int_equal(row->allocated, sum.totals.allocated);
    assert_int_equal(row->live_bytes, sum.totals.inherited_bytes + sum.totals.allocated - sum.totals.freed);
    assert_int_equal(row->at_peak, sum.totals.at_peak);
    assert_int_equal(row->temporary, sum.totals.temporary);
    assert_int_equal(row->smallest, sum.totals.min_size);
    assert_int_equal(row->largest, sum.totals.max_size);
    assert_int_equal(row->inherited_blocks, sum.totals.inherited_blocks);
    assert_int_equal(row->inherited_bytes, sum.totals.inherited_bytes);
    if (sum.totals.buckets > 1)
        assert_memory_equal(row->buckets, sum.sizes, sizeof sum.sizes);
}

static void counters_come_back_as_they_were(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 24, 24, 5000, (size_t)70 << 30};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        alloc(nodes[0], 24); /* one size */
        uintptr_t block = alloc(nodes[1], sizes[i]);
        if (i % 2 == 0)
            world_free(thread, block);
    }
    world_free(thread, alloc(nodes[2], 0));
    tick = (struct vbt_tick){.time = 5, .rss = 12345 * 1024, .max_rss = 99 << 20, .peak_time = 4};
    write_tick(0);
    const struct trace *trace = read_trace();
    for (uint32_t node = 1; node <= trace->nodes; node++)
        assert_counters(trace, node);
    assert_int_equal(trace->counters[nodes[0]].time, 5);
    assert_int_equal(trace->counters[nodes[0]].rss_kib, 12345);
    assert_int_equal(trace->counters[nodes[1]].live_bytes, 1 + 24 + ((int64_t)70 << 30));
    assert_int_equal(trace->counters[nodes[2]].temporary, 1);
}

static void a_tick_writes_what_changed_since_the_one_before(void **state) {
    (void)state;
    alloc(nodes[0], 1);
    alloc(nodes[1], 1);
    tick = (struct vbt_tick){.time = 1, .rss = 20 << 20};
    uint64_t first = write_tick(0);
    alloc(nodes[1], 2);
    tick = (struct vbt_tick){.time = 2, .rss = 10 << 20};
    uint64_t second = write_tick(first);
    const struct trace *trace = read_trace();
    assert_int_equal(trace->counters[nodes[0]].time, 1);
    assert_int_equal(trace->counters[nodes[1]].time, 2);
    assert_int_equal(trace->counters[nodes[1]].rss_kib, 20 << 10); /* the largest */
    assert_int_equal(trace->state[VBT_STATE_TIME], 2);
    for (int i = 0; i < 3; i++)
        assert_counters(trace, nodes[i]);
    uint32_t before = trace->chunks_of[VBT_CHUNK_COUNTERS];
    write_tick(second);
    assert_int_equal(read_trace()->chunks_of[VBT_CHUNK_COUNTERS], before);
}

/* Random events and a tick now and then; in the end all that is in the file holds, though most was written long before. */
static void ticks_add_up_to_the_whole(void **state) {
    (void)state;
    enum { NODES = 300, BLOCKS = 400 };
    uint32_t many[NODES];
    uintptr_t blocks[BLOCKS] = {0};
    uint64_t seed = 41, since = 0;
    for (uint32_t i = 0; i < NODES; i++)
        many[i] = world_node(i < 2 ? 0 : many[i / 2], i % 2 ? "right" : "left", i % 5 ? VBT_DOMAIN_PYTHON : VBT_DOMAIN_HEAP);
    for (int step = 0; step < 5000; step++) {
        uint32_t i = (uint32_t)(world_random(&seed) % BLOCKS);
        if (blocks[i] != 0)
            world_free(thread, blocks[i]);
        blocks[i] = blocks[i] != 0 ? 0 : alloc(many[world_random(&seed) % NODES], world_random(&seed) % 3000);
        if (step % 500 == 499)
            since = write_tick(since);
    }
    const struct trace *trace = read_trace();
    struct vbt_books books;
    vbt_books_read(&books);
    uint64_t allocs[VBT_DOMAINS] = {0}, allocated[VBT_DOMAINS] = {0};
    for (uint32_t node = 1; node <= trace->nodes; node++) {
        assert_int_equal(trace->counters[node].allocs != 0, vbt_books_node(&books, node, &(struct vbt_node_sum){0}));
        allocs[trace->node[node].domain] += trace->counters[node].allocs;
        allocated[trace->node[node].domain] += trace->counters[node].allocated;
    }
    for (int domain = 0; domain < 2; domain++) {
        assert_int_equal(allocs[domain], trace->state[VBT_STATE_DOMAIN + 16 * domain + VBT_FIELD_ALLOCS]);
        assert_int_equal(allocated[domain], trace->state[VBT_STATE_DOMAIN + 16 * domain + VBT_FIELD_ALLOCATED]);
        assert_int_equal(allocs[domain], books.totals[domain].allocs);
    }
    assert_int_equal(trace->state[VBT_STATE_PEAK], books.peak);
}

/* A trace that is cut off after any tick: what the nodes held at the peak adds up to it, those that did not change since included. */
static void at_every_tick_the_nodes_add_up_to_the_peak(void **state) {
    (void)state;
    uint64_t since = 0;
    for (int step = 0; step < 4; step++) {
        tick = (struct vbt_tick){.time = 10 + step, .peak_time = 10 + step}; /* each step has a new peak */
        uintptr_t block = alloc(nodes[step % 3], (size_t)1000 << step);
        if (step != 1)
            world_free(thread, block);
        since = write_tick(since);
        const struct trace *trace = read_trace();
        int64_t sum = 0;
        for (uint32_t node = 1; node <= trace->nodes; node++)
            sum += trace->counters[node].time < (uint64_t)tick.peak_time ? trace->counters[node].live_bytes
                                                                         : trace->counters[node].at_peak;
        assert_int_equal(sum, trace->state[VBT_STATE_PEAK]);
    }
}

static void more_nodes_than_a_chunk_takes(void **state) {
    (void)state;
    enum { NODES = 10000 };
    uint32_t node = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        node = vbt_node_of(i % 20 == 0 ? 0 : node, vbt_native_site(0x600000 + i), VBT_DOMAIN_HEAP);
        for (uint32_t n = 0; n <= i % 4; n++)
            alloc(node, (size_t)1 << (4 * n));
    }
    write_tick(0);
    const struct trace *trace = read_trace();
    assert_true(trace->chunks_of[VBT_CHUNK_COUNTERS] >= 3);
    for (uint32_t id = 1; id <= trace->nodes; id += 3)
        assert_counters(trace, id);
}

static void the_state_says_what_the_books_say(void **state) {
    (void)state;
    static struct vbt_books books;
    for (int domain = 0; domain < VBT_DOMAINS; domain++) {
        uint64_t base = 100 * (uint64_t)domain;
        books.totals[domain] = (struct vbt_totals){base + 1, base + 2, base + 3, base + 4, base + 5};
        books.inherited_blocks[domain] = base + 6;
        books.inherited_bytes[domain] = base + 7;
        books.unknown_frees[domain] = base + 8;
    }
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        books.lost[reason] = 1000 + (uint64_t)reason;
    books.truncated = 9;
    books.threads = 10;
    books.peak = INT64_C(1) << 45;
    books.peak_error = 40960;
    tick = (struct vbt_tick){.time = 11, .rss = 12, .max_rss = 13, .peak_time = 14};
    vbt_snapshot_state(&writer, &books, &tick);
    const int64_t *told = read_trace()->state;
    assert_int_equal(told[VBT_STATE_TIME], 11);
    assert_int_equal(told[VBT_STATE_RSS], 12);
    assert_int_equal(told[VBT_STATE_MAX_RSS], 13);
    assert_int_equal(told[VBT_STATE_PEAK_TIME], 14);
    assert_int_equal(told[VBT_STATE_THREADS], 10);
    assert_int_equal(told[VBT_STATE_PEAK], INT64_C(1) << 45);
    assert_int_equal(told[VBT_STATE_PEAK_ERROR], 40960);
    assert_int_equal(told[VBT_STATE_STACKS_TRUNCATED], 9);
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        for (int field = 0; field < VBT_FIELDS; field++)
            assert_int_equal(told[VBT_STATE_DOMAIN + 16 * domain + field], 100 * domain + field + 1);
    for (int domain = 0; domain < VBT_DOMAINS; domain++)
        assert_int_equal(told[VBT_STATE_UNKNOWN_FREES + domain], 100 * domain + 8);
    for (int reason = 0; reason < VBT_LOST_KINDS; reason++)
        assert_int_equal(told[VBT_STATE_LOST + reason], 1000 + reason);
}

static uint32_t node_of_thread(uintptr_t number) { return nodes[number % 3]; }

/* Allocates `number` times, and again in a place of its own; frees the latest block of the thread that made it. */
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
    vbt_snapshot_threads(&writer, &books, &tick, &defined, since);
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.lost, 0);
}

/* What the file says of each thread at a node, with the first part made of what the others leave; compared with the books. */
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
        next_block += 16;
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
    assert_int_equal(trace->parts[nodes[2]].count, 1 + 21 + 1); /* the first, of the others with rows every third, the later ones */
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

static void intervals_and_their_call_sites_come_back(void **state) {
    (void)state;
    uint32_t from = vbt_node_at(nodes[0])->site, to = vbt_node_at(nodes[1])->site;
    uint32_t label = (uint32_t)vbt_site_at(to)->a;
    for (int64_t i = 0; i < 3; i++) {
        world_reading(&thread->ledger, from, 100 * i);
        vbt_intervals_section_begin(&thread->ledger, from, label, 5, 100 * i);
        uintptr_t block = alloc(nodes[2], 10);
        alloc(nodes[0], 7);
        world_free(thread, block);
        vbt_intervals_section_end(&thread->ledger, to, label, 100 * i + 10 * i);
        world_reading(&thread->ledger, to, 100 * i + 50);
    }
    write_tick(0);
    const struct trace *trace = read_trace();
    uint32_t found = 0;
    for (uint32_t i = 0; i < trace->intervals; i++) {
        const struct trace_interval *row = &trace->interval[i];
        if (row->from != from || row->to != to)
            continue;
        bool section = row->kind == VBT_INTERVAL_SECTION;
        found += section ? 1 : 2;
        assert_int_equal(row->count, 3);
        assert_int_equal(row->iterations, section ? 15 : 0);
        assert_int_equal(row->label, section ? label : 0);
        assert_int_equal(row->stats[VBT_Q_TIME][0], section ? 0 : 50);
        assert_int_equal(row->stats[VBT_Q_TIME][1], section ? 20 : 50);
        assert_int_equal(row->stats[VBT_Q_TIME][2], section ? 30 : 150);
        assert_true(row->m2 > (section ? 199.9 : -0.1) && row->m2 < (section ? 200.1 : 0.1));
        assert_int_equal(row->stats[VBT_Q_ALLOCS][2], 6);
        assert_int_equal(row->stats[VBT_Q_FREES][2], 3);
        assert_int_equal(row->stats[VBT_Q_ALLOCATED][2], 51);
        assert_int_equal(row->stats[VBT_Q_FREED][2], 30);
        assert_int_equal(row->stats[VBT_Q_NET][1], 7);
        assert_int_equal(row->stats[VBT_Q_HIGH][1], 17);
        uint32_t sites = 0;
        for (uint32_t n = 0; n < trace->interval_sites; n++) {
            const struct trace_interval_site *site = &trace->interval_site[n];
            if (site->interval != row->id)
                continue;
            sites++;
            assert_true(site->node == nodes[0] || site->node == nodes[2]);
            assert_int_equal(site->allocs, 3);
            assert_int_equal(site->frees, site->node == nodes[2] ? 3 : 0);
            assert_int_equal(site->allocated, site->node == nodes[2] ? 30 : 21);
            assert_int_equal(site->freed, site->node == nodes[2] ? 30 : 0);
        }
        assert_int_equal(sites, 2);
    }
    assert_int_equal(found, 3); /* one of each kind */
}

static void intervals_whose_sites_are_not_defined_yet_wait(void **state) {
    (void)state;
    uint32_t from = vbt_node_at(nodes[0])->site;
    struct vbt_dictionary before = vbt_dictionary_now();
    uint32_t to = vbt_native_site(0x123450 + next_block);
    world_reading(&thread->ledger, from, 0);
    world_reading(&thread->ledger, to, 1);
    vbt_dictionary_write(&writer, &written, before);
    vbt_snapshot_intervals(&writer, &before, 0);
    assert_int_equal(read_trace()->intervals, 0);
    write_tick(0);
    assert_int_equal(read_trace()->intervals, 1);
}

static void the_timeline_comes_back_as_it_was(void **state) {
    (void)state;
    static struct vbt_timeline timeline;
    vbt_snapshot_timeline(&writer, &timeline); /* none yet: nothing */
    assert_int_equal(writer.sequence, 0);
    uint64_t seed = 51;
    for (int64_t i = 0; i < 5000; i++)
        vbt_timeline_add(&timeline,
                         (struct vbt_timeline_point){10 * i, (int64_t)(world_random(&seed) >> 20), (int64_t)i - 2500, -i});
    vbt_snapshot_timeline(&writer, &timeline);
    const struct trace *trace = read_trace();
    assert_int_equal(trace->points, timeline.count);
    for (uint32_t i = 0; i < timeline.count; i++) {
        assert_int_equal(trace->point[i].time, timeline.points[i].time);
        assert_int_equal(trace->point[i].rss, timeline.points[i].rss);
        assert_int_equal(trace->point[i].heap, timeline.points[i].heap);
        assert_int_equal(trace->point[i].python, timeline.points[i].python);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(definitions_come_back_as_they_were),
        TEST(modules_come_back_as_they_were),
        TEST(what_is_defined_is_written_once),
        TEST(counters_come_back_as_they_were),
        TEST(a_tick_writes_what_changed_since_the_one_before),
        TEST(ticks_add_up_to_the_whole),
        TEST(at_every_tick_the_nodes_add_up_to_the_peak),
        TEST(more_nodes_than_a_chunk_takes),
        TEST(the_state_says_what_the_books_say),
        TEST(intervals_and_their_call_sites_come_back),
        TEST(intervals_whose_sites_are_not_defined_yet_wait),
        TEST(the_timeline_comes_back_as_it_was),
        TEST(threads_come_back_as_they_were),
        TEST(threads_in_several_chunks),
        TEST(many_definitions_take_several_chunks),
    };
    static const char *const names[] = {"first", "second", "third"};
    world_init();
    for (int i = 0; i < 3; i++)
        nodes[i] = world_node(i > 0 ? nodes[i - 1] : 0, names[i], i == 1 ? VBT_DOMAIN_HEAP : VBT_DOMAIN_PYTHON);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
