/* The history in a trace: whatever is kept of it is right, and an hour or a week of it stay small.
 * The ticks and the clock are made up; the files are real. */
#include "preload/stream/history/history.h"

#include "format/varint.h"
#include "tests/unit/support/preload_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000000)

enum { NODES = 2000, MOST_CHANGES = 2000, MOST_ROWS = 512 };

/* A program: at each tick, some of its nodes change. The same again after it was begun again. */
struct program {
    uint64_t seed;
    int64_t step;                    /* ns between ticks */
    uint32_t changes, count;         /* at each tick; so far */
    uint32_t first_nodes, new_nodes; /* at the first tick, and more at each */
    int64_t time, peak, peak_time, total;
    uint64_t nodes, allocs[NODES + 1];
    int64_t live[NODES + 1], at_peak[NODES + 1];
    bool changed[NODES + 1];
};

static void go_on(struct program *p) {
    memset(p->changed, 0, sizeof p->changed);
    p->time += p->step;
    p->nodes = p->nodes == 0 ? p->first_nodes : p->nodes + p->new_nodes;
    p->nodes = p->nodes < NODES ? p->nodes : NODES;
    for (uint32_t i = 0; i < p->changes; i++) {
        uint64_t node = 1 + world_random(&p->seed) % p->nodes;
        int64_t live = (int64_t)(world_random(&p->seed) % (p->count % 1000 < 500 ? 5000 : 300));
        p->allocs[node]++;
        p->total += live - p->live[node];
        p->live[node] = live;
        p->changed[node] = true;
    }
    p->count++;
    if (p->total <= p->peak)
        return;
    p->peak = p->total;
    p->peak_time = p->time;
    memcpy(p->at_peak, p->live, sizeof p->at_peak);
}

static struct vbt_chunk_writer writer;
static char path[64];
static uint64_t rewritten, rewrites, largest;

static void put_column(struct vbt_writer *w, const struct program *p, const uint64_t *nodes, uint32_t count, int column) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t node = nodes[i], before = i > 0 ? nodes[i - 1] : 0;
        const uint64_t numbers[] = {node - before,
                                    p->allocs[node],
                                    vbt_zigzag(1),
                                    p->allocs[node] * 100,
                                    vbt_zigzag(p->live[node]),
                                    vbt_zigzag(p->at_peak[node] - p->live[node]),
                                    0,
                                    16,
                                    node,
                                    4000,
                                    0,
                                    0,
                                    node % 3 == 0 ? 2 : 0};
        vbt_put_varint(w, numbers[column]);
    }
}

/* Nodes that are divisible by 3 have a histogram. */
static void put_rows(const struct program *p, const uint64_t *nodes, uint32_t count) {
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    vbt_put_varint(w, (uint64_t)p->time);
    vbt_put_varint(w, count);
    for (int column = 0; column < 13; column++)
        put_column(w, p, nodes, count, column);
    for (uint32_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < 2 && nodes[i] % 3 == 0; k++) {
            vbt_put_varint(w, 5 + k);
            vbt_put_varint(w, p->allocs[nodes[i]] + k);
        }
    vbt_chunk_end(&writer, VBT_CHUNK_COUNTERS);
}

/* What the stream does at a tick; all: the nodes that have not changed, too. */
static void write_tick(const struct program *p, bool all, bool stays) {
    struct vbt_history_mark mark = {.time = p->time, .peak_time = p->peak_time, .counters = writer.file_size, .stays = stays};
    uint64_t nodes[MOST_ROWS];
    uint32_t count = 0;
    for (uint64_t node = 1; node <= p->nodes; node++) {
        if (!p->changed[node] && !all)
            continue;
        nodes[count++] = node;
        mark.rows++;
        if (count == MOST_ROWS) {
            put_rows(p, nodes, count);
            count = 0;
        }
    }
    if (count > 0)
        put_rows(p, nodes, count);
    mark.counters_size = (uint32_t)(writer.file_size - mark.counters);
    mark.state = writer.file_size;
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    vbt_put_varint(w, VBT_STATE_TIME);
    vbt_put_zigzag(w, p->time);
    vbt_put_varint(w, VBT_STATE_PEAK_TIME);
    vbt_put_zigzag(w, p->peak_time);
    vbt_chunk_end(&writer, VBT_CHUNK_STATE);
    mark.state_size = (uint32_t)(writer.file_size - mark.state);
    vbt_history_add(&mark);
    assert_int_equal(writer.error, 0);
    largest = writer.file_size > largest ? writer.file_size : largest;
}

static void begin_file(struct program *p) {
    strcpy(path, "/tmp/vbt-history-XXXXXX");
    close(mkstemp(path));
    vbt_history_after_fork();
    writer.lost = rewrites = largest = 0;
    assert_true(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
    writer.level = 1;
    vbt_history_begin();
    go_on(p);
    write_tick(p, true, false);
    vbt_history_end(true);
    rewritten = writer.file_size;
}

/* Writes the file again, as the stream does; the state of this tick comes last. */
static bool write_again(const struct program *p, bool at_end) {
    struct vbt_chunk_writer old = writer;
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    assert_true(vbt_chunk_writer_open(&writer, part));
    const struct vbt_history_order order = {
        .from = &old, .to = &writer, .nodes = (uint32_t)p->nodes, .counted = (uint32_t)p->nodes, .now = p->time, .at_end = at_end};
    vbt_history_begin();
    bool carried = vbt_history_carry(&order);
    write_tick(p, !carried, false);
    vbt_history_end(true);
    assert_int_equal(rename(part, path), 0);
    vbt_chunk_writer_close(&old);
    rewritten = writer.file_size;
    rewrites++;
    return carried;
}

static void run(struct program *p, uint32_t ticks, uint32_t stays) {
    begin_file(p);
    while (p->count < ticks) {
        go_on(p);
        if (vbt_history_is_full() || writer.file_size > vbt_history_file_limit(rewritten))
            assert_true(write_again(p, false));
        else
            write_tick(p, false, p->count == stays);
    }
    go_on(p);
    write_again(p, true);
}

static uint8_t *bytes;
static size_t size;

static void read_file(void) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    free(bytes);
    fseek(file, 0, SEEK_END);
    size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(size);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
    unlink(path);
    vbt_chunk_writer_close(&writer);
}

/* What the file says of the nodes so far. */
static struct {
    uint64_t time, allocs[NODES + 1], times[NODES + 1], histogram[NODES + 1];
    int64_t live[NODES + 1], at_peak[NODES + 1], peak_time;
} said;

static void read_counters(struct vbt_reader r) {
    uint64_t time = vbt_get_varint(&r), count = vbt_get_varint(&r), nodes[2 * MOST_CHANGES + 100], node = 0, entries = 0;
    assert_true(count > 0 && count <= sizeof nodes / sizeof *nodes);
    for (int column = 0; column < 13; column++)
        for (uint64_t i = 0; i < count; i++) {
            uint64_t number = vbt_get_varint(&r);
            if (column == 0) {
                assert_true(number > 0);
                nodes[i] = node += number;
                assert_true(node <= NODES);
                said.times[node] = time;
            }
            if (column == 1)
                said.allocs[nodes[i]] = number;
            if (column == 4)
                said.live[nodes[i]] = vbt_unzigzag(number);
            if (column == 5)
                said.at_peak[nodes[i]] = said.live[nodes[i]] + vbt_unzigzag(number);
            if (column == 8)
                assert_int_equal(number, nodes[i]);
            entries += column == 12 ? number : 0;
        }
    for (uint64_t i = 0; i < count; i++)
        for (uint64_t k = 0; k < 2 && nodes[i] % 3 == 0; k++, entries--) {
            assert_int_equal(vbt_get_varint(&r), 5 + k);
            said.histogram[nodes[i]] = vbt_get_varint(&r) - k;
        }
    assert_int_equal(entries, 0);
    assert_true(!r.bad && r.at == r.end);
}

/* The program is run once more, up to the time of the state. */
static void check_state(struct program *p) {
    while ((uint64_t)p->time < said.time)
        go_on(p);
    assert_int_equal(p->time, said.time);
    assert_int_equal(p->peak_time, said.peak_time);
    for (uint64_t node = 1; node <= p->nodes; node++) {
        bool is_older = (int64_t)said.times[node] < said.peak_time;
        assert_int_equal(said.allocs[node], p->allocs[node]);
        assert_int_equal(said.live[node], p->live[node]);
        assert_int_equal(is_older ? said.live[node] : said.at_peak[node], p->at_peak[node]);
        assert_true(node % 3 != 0 || said.histogram[node] == p->allocs[node]);
    }
}

/* Compares every state in the file with what the program was then. Returns how many there are; gap,
 * if not NULL: the longest time between two, by their age at the end; but for the last ticks. */
static uint32_t check_file(struct program *p, int64_t now, double *gap) {
    uint32_t states = 0;
    uint64_t sequence = 0, before = 0;
    struct vbt_chunk_header header;
    static uint8_t raw[VBT_CHUNK_RAW_MAX];
    memset(&said, 0, sizeof said);
    read_file();
    for (uint8_t *at = bytes + VBT_FILE_HEADER_SIZE; at < bytes + size; at += VBT_CHUNK_HEADER_SIZE + header.stored_size) {
        assert_null(vbt_unpack_chunk_header(at, &header));
        assert_int_equal(header.sequence, sequence++);
        assert_int_equal(header.checksum, vbt_chunk_checksum(at, at + VBT_CHUNK_HEADER_SIZE, header.stored_size));
        assert_int_equal(ZSTD_decompress(raw, sizeof raw, at + VBT_CHUNK_HEADER_SIZE, header.stored_size), header.raw_size);
        struct vbt_reader r = {raw, raw + header.raw_size, false};
        if (header.kind == VBT_CHUNK_COUNTERS) {
            read_counters(r);
            continue;
        }
        assert_int_equal(vbt_get_varint(&r), VBT_STATE_TIME);
        said.time = (uint64_t)vbt_get_zigzag(&r);
        vbt_get_varint(&r);
        said.peak_time = vbt_get_zigzag(&r);
        check_state(p);
        if (states++ > 0 && gap != NULL) {
            double apart = (double)(said.time - before) / (double)((uint64_t)now - before + 1);
            *gap = apart > *gap && now - (int64_t)said.time > 100 * p->step ? apart : *gap;
        }
        before = said.time;
    }
    return states;
}

static void all_states_are_kept_of_a_short_run(void **state) {
    (void)state;
    static struct program p, again;
    p = again = (struct program){.seed = 7, .step = SECOND / 100, .changes = 5, .first_nodes = 100, .new_nodes = 1};
    run(&p, 250, 0); /* hundredths of a second, a 256th of their age or more */
    assert_int_equal(rewrites, 1);
    assert_int_equal(check_file(&again, p.time, NULL), 251);
}

/* At ten ticks a second, more than are kept without being thinned. */
static void an_hour_stays_small_and_right(void **state) {
    (void)state;
    static struct program p, again;
    double gap = 0;
    p = again = (struct program){.seed = 1, .step = SECOND / 10, .changes = 20, .first_nodes = NODES};
    run(&p, 36000, 30000);
    assert_true(rewrites > 2);
    assert_true(largest < 20 << 20);
    uint32_t states = check_file(&again, p.time, &gap);
    print_message("an hour: %u states in %zu bytes, at most %llu; %.3f of their age apart\n", states, size,
                  (unsigned long long)largest, gap);
    assert_true(size < 20 << 20);
    assert_true(states > 200 && gap < 0.1);
}

static void a_week_stays_small_and_right(void **state) {
    (void)state;
    static struct program p, again;
    double gap = 0;
    p = again = (struct program){.seed = 2, .step = 20 * SECOND, .changes = 100, .first_nodes = 10, .new_nodes = 3};
    run(&p, 7 * 24 * 3600 / 20, 0);
    assert_true(largest < 200 << 20);
    uint32_t states = check_file(&again, p.time, &gap);
    print_message("a week: %u states in %zu bytes, at most %llu; %.3f of their age apart\n", states, size,
                  (unsigned long long)largest, gap);
    assert_true(states > 200 && gap < 0.1);
}

static void a_state_that_stays_stays(void **state) {
    (void)state;
    struct vbt_history_mark marks[1000];
    for (int i = 0; i < 1000; i++)
        marks[i] = (struct vbt_history_mark){.time = (i + 1) * SECOND, .stays = i == 3};
    for (int64_t resolution = VBT_HISTORY_FINEST; resolution >= VBT_HISTORY_COARSEST; resolution /= 2) {
        vbt_history_plan(marks, 1000, 1000 * SECOND, resolution);
        assert_true(marks[3].kept && marks[999].kept);
    }
    int kept = 0;
    for (int i = 0; i < 1000; i++)
        kept += marks[i].kept;
    assert_true(kept >= 8 && kept < 15); /* 1,000 s, 500 s, 250 s, … old */
}

/* A file that has lost something of its history is written in full again. */
static void what_cannot_be_read_is_not_carried(void **state) {
    (void)state;
    static struct program p, again;
    p = again = (struct program){.seed = 3, .step = SECOND, .changes = 50, .first_nodes = 500};
    begin_file(&p);
    for (int i = 0; i < 20; i++) {
        go_on(&p);
        write_tick(&p, false, false);
    }
    assert_int_equal(pwrite(writer.fd, "damage", 6, (off_t)writer.file_size - 20), 6);
    go_on(&p);
    assert_false(write_again(&p, false));
    go_on(&p);
    write_tick(&p, false, false);
    assert_int_equal(check_file(&again, p.time, NULL), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_states_are_kept_of_a_short_run), cmocka_unit_test(an_hour_stays_small_and_right),
        cmocka_unit_test(a_week_stays_small_and_right),       cmocka_unit_test(a_state_that_stays_stays),
        cmocka_unit_test(what_cannot_be_read_is_not_carried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
