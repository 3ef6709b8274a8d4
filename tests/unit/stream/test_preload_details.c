/* What the history keeps of threads, intervals, counted lines and mapped memory: each state that is
 * kept has them as they were then. The ticks are made up; the file is real. */
#include "preload/stream/history/details.h"

#include "preload/stream/history/history.h"
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

enum { IDS = 300, SITES = 5000, ROWS = 400, THREADS = 30, LINE_COLUMNS = 24, TICKS = 40000 };

/* A program: at each tick, some of everything changes. */
struct busy_program {
    uint64_t seed, intervals[IDS], lines[ROWS], threads[THREADS], maps;
    bool changed_interval[IDS], changed_line[ROWS];
    int64_t time;
};

static uint64_t site_of(uint32_t line) { return 1 + (uint64_t)line * 37 % SITES; }

static void go_on(struct busy_program *p) {
    memset(p->changed_interval, 0, sizeof p->changed_interval);
    memset(p->changed_line, 0, sizeof p->changed_line);
    p->time += SECOND / 10;
    for (int i = 0; i < 5; i++) {
        uint64_t id = world_random(&p->seed) % IDS, line = world_random(&p->seed) % ROWS;
        p->intervals[id]++;
        p->changed_interval[id] = true;
        p->lines[line] += 3;
        p->changed_line[line] = true;
        p->threads[world_random(&p->seed) % THREADS] += 7;
    }
    p->maps += world_random(&p->seed) % 10 == 0;
}

static struct vbt_chunk_writer writer;
static char path[64];

static void put_numbers(struct vbt_writer *w, uint64_t number, int count) {
    while (count-- > 0)
        vbt_put_varint(w, number);
}

static void write_intervals(const struct busy_program *p, bool all) {
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    uint8_t *start = vbt_chunk_counted_begin(&writer);
    uint64_t count = 0;
    for (uint64_t id = 0; id < IDS; id++)
        if ((all && p->intervals[id] > 0) || p->changed_interval[id]) {
            vbt_put_varint(w, id + 1);
            put_numbers(w, 1, 4);
            put_numbers(w, p->intervals[id], 2);
            vbt_put_f64(w, (double)p->intervals[id] / 3);
            put_numbers(w, p->intervals[id] << id % 40, 3 * VBT_QUANTITIES);
            count++;
        }
    for (uint64_t id = 0; id < IDS; id++)
        if ((all && p->intervals[id] > 0) || p->changed_interval[id])
            vbt_put_varint(w, id);
    vbt_chunk_counted_end(&writer, start, count);
    vbt_chunk_end(&writer, VBT_CHUNK_INTERVALS);
}

static void write_lines(const struct busy_program *p, bool all) {
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    uint8_t *start = vbt_chunk_counted_begin(&writer);
    uint64_t count = 0;
    for (int column = 0; column < LINE_COLUMNS; column++) {
        int64_t before = 0;
        for (uint32_t line = 0; line < ROWS; line++) {
            if (!(all && p->lines[line] > 0) && !p->changed_line[line])
                continue;
            int64_t site = (int64_t)site_of(line);
            if (column == 0)
                vbt_put_zigzag(w, site - before);
            else
                vbt_put_varint(w, p->lines[line] + (uint64_t)column);
            before = site;
            count += column == 0;
        }
    }
    vbt_chunk_counted_end(&writer, start, count);
    vbt_chunk_end(&writer, VBT_CHUNK_LINES);
}

static void write_whole(enum vbt_chunk_kind kind, const uint64_t *numbers, int count) {
    struct vbt_writer *w = vbt_chunk_begin(&writer);
    vbt_put_varint(w, (uint64_t)count);
    for (int i = 0; i < count; i++)
        vbt_put_varint(w, numbers[i]);
    vbt_chunk_end(&writer, kind);
}

/* What the stream does at a tick. Call paths by thread and intervals' call sites are not kept. */
static void write_tick(const struct busy_program *p, bool all) {
    static const uint64_t nothing[1];
    struct vbt_history_mark mark = {.time = p->time, .counters = writer.file_size};
    write_whole(VBT_CHUNK_THREADS, p->threads, THREADS);
    write_whole(VBT_CHUNK_THREAD_COUNTERS, nothing, 1);
    write_intervals(p, all);
    write_whole(VBT_CHUNK_INTERVAL_SITES, nothing, 1);
    write_lines(p, all);
    if (all || p->maps % 3 == 0) /* changed or not */
        write_whole(VBT_CHUNK_MAPS, &p->maps, 1);
    mark.state = writer.file_size;
    write_whole(VBT_CHUNK_STATE, (const uint64_t *)&p->time, 1);
    mark.state_size = (uint32_t)(writer.file_size - mark.state);
    vbt_history_add(&mark);
    assert_int_equal(writer.error, 0);
}

static bool write_again(const struct busy_program *p) {
    struct vbt_chunk_writer old = writer;
    char part[80];
    snprintf(part, sizeof part, "%s.part", path);
    assert_true(vbt_chunk_writer_open(&writer, part));
    const struct vbt_history_order order = {.from = &old, .to = &writer, .sites = SITES, .now = p->time};
    vbt_history_begin();
    bool carried = vbt_history_carry(&order);
    write_tick(p, true);
    vbt_history_end(true);
    assert_int_equal(rename(part, path), 0);
    vbt_chunk_writer_close(&old);
    return carried;
}

/* What the file says so far. */
static struct {
    uint64_t intervals[IDS], lines[ROWS], threads[THREADS], maps;
    uint64_t chunks[VBT_CHUNK_KINDS];
} said;

static void read_intervals(struct vbt_reader *r) {
    uint64_t count = vbt_get_varint(r), ids[IDS];
    assert_true(count <= IDS);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = ids[i] = vbt_get_varint(r) - 1, n;
        assert_true(id < IDS);
        for (int k = 0; k < 4; k++)
            assert_int_equal(vbt_get_varint(r), 1);
        n = said.intervals[id] = vbt_get_varint(r);
        assert_int_equal(vbt_get_varint(r), n);
        assert_true(vbt_get_f64(r) == (double)n / 3);
        for (int k = 0; k < 3 * VBT_QUANTITIES; k++)
            assert_int_equal(vbt_get_varint(r), n << id % 40);
    }
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(vbt_get_varint(r), ids[i]);
}

static void read_lines(struct vbt_reader *r) {
    static uint32_t line_of[SITES + 1];
    uint64_t count = vbt_get_varint(r), site = 0, lines[ROWS];
    for (uint32_t line = 0; line < ROWS; line++)
        line_of[site_of(line)] = line;
    assert_true(count <= ROWS);
    for (uint64_t i = 0; i < count; i++) {
        site += (uint64_t)vbt_get_zigzag(r);
        assert_true(site > 0 && site <= SITES);
        lines[i] = line_of[site];
    }
    for (uint64_t column = 1; column < LINE_COLUMNS; column++)
        for (uint64_t i = 0; i < count; i++) {
            uint64_t number = vbt_get_varint(r) - column;
            assert_true(column == 1 || number == said.lines[lines[i]]);
            said.lines[lines[i]] = number;
        }
}

static void read_chunk(const struct vbt_chunk_header *header, struct vbt_reader r, struct busy_program *again) {
    said.chunks[header->kind]++;
    if (header->kind == VBT_CHUNK_INTERVALS)
        read_intervals(&r);
    else if (header->kind == VBT_CHUNK_LINES)
        read_lines(&r);
    uint64_t count = r.at < r.end ? vbt_get_varint(&r) : 0;
    if (header->kind == VBT_CHUNK_THREADS)
        for (uint64_t i = 0; i < count; i++)
            said.threads[i] = vbt_get_varint(&r);
    if (header->kind == VBT_CHUNK_MAPS)
        said.maps = vbt_get_varint(&r);
    if (header->kind == VBT_CHUNK_STATE) {
        uint64_t time = vbt_get_varint(&r);
        while ((uint64_t)again->time < time)
            go_on(again);
        assert_int_equal(again->time, time);
        assert_memory_equal(said.intervals, again->intervals, sizeof said.intervals);
        assert_memory_equal(said.lines, again->lines, sizeof said.lines);
        assert_memory_equal(said.threads, again->threads, sizeof said.threads);
        assert_true(said.maps == again->maps || again->maps % 3 != 0);
    }
}

/* The program is run once more, from state to state. Returns the size of the file. */
static size_t check_file(struct busy_program *again) {
    static uint8_t raw[VBT_CHUNK_RAW_MAX], bytes[64 << 20];
    struct vbt_chunk_header header;
    uint64_t sequence = 0;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    unlink(path);
    vbt_chunk_writer_close(&writer);
    memset(&said, 0, sizeof said);
    for (uint8_t *at = bytes + VBT_FILE_HEADER_SIZE; at < bytes + size; at += VBT_CHUNK_HEADER_SIZE + header.stored_size) {
        assert_null(vbt_unpack_chunk_header(at, &header));
        assert_int_equal(header.sequence, sequence++);
        assert_int_equal(ZSTD_decompress(raw, sizeof raw, at + VBT_CHUNK_HEADER_SIZE, header.stored_size), header.raw_size);
        read_chunk(&header, (struct vbt_reader){raw, raw + header.raw_size, false}, again);
    }
    return size;
}

static void begin_file(struct busy_program *p) {
    strcpy(path, "/tmp/vbt-details-XXXXXX");
    close(mkstemp(path));
    vbt_history_after_fork();
    assert_true(vbt_chunk_writer_init(&writer) && vbt_chunk_writer_open(&writer, path));
    writer.level = 1;
    vbt_history_begin();
    go_on(p);
    write_tick(p, true);
    vbt_history_end(true);
}

static void states_have_all_that_had_changed(void **state) {
    (void)state;
    static struct busy_program p, again;
    p = again = (struct busy_program){.seed = 5};
    begin_file(&p);
    uint64_t rewritten = writer.file_size, largest = 0, rewrites = 0;
    for (int i = 0; i < TICKS; i++) {
        go_on(&p);
        if (vbt_history_is_full() || writer.file_size > vbt_history_file_limit(rewritten)) {
            assert_true(write_again(&p));
            rewritten = writer.file_size;
            rewrites++;
        } else {
            write_tick(&p, false);
        }
        largest = writer.file_size > largest ? writer.file_size : largest;
    }
    write_again(&p);
    size_t size = check_file(&again);
    print_message("%llu states in %zu bytes, at most %llu\n", (unsigned long long)said.chunks[VBT_CHUNK_STATE], size,
                  (unsigned long long)largest);
    assert_true(rewrites >= 3);
    assert_true(said.chunks[VBT_CHUNK_STATE] > 200);
    assert_int_equal(said.chunks[VBT_CHUNK_THREAD_COUNTERS], 1); /* the newest */
    assert_int_equal(said.chunks[VBT_CHUNK_INTERVAL_SITES], 1);
    assert_true(largest < 20 << 20);
}

/* A chunk that cannot be what it says is not carried: then the file has no history. */
static void what_makes_no_sense_is_not_carried(void **state) {
    (void)state;
    static const uint64_t claims[][3] = {{VBT_CHUNK_INTERVALS, 1, 1 << 20},
                                         {VBT_CHUNK_INTERVALS, 5000, 1},
                                         {VBT_CHUNK_LINES, 5000, 1},
                                         {VBT_CHUNK_LINES, 1, 4 * SITES},
                                         {VBT_CHUNK_LINES, 1, 3}};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        static struct busy_program p;
        p = (struct busy_program){.seed = 6};
        begin_file(&p);
        struct vbt_history_mark mark = {.time = p.time += SECOND / 10, .counters = writer.file_size};
        struct vbt_writer *w = vbt_chunk_begin(&writer);
        put_numbers(w, claims[i][1], 1);
        put_numbers(w, claims[i][2], 60);
        vbt_chunk_end(&writer, (enum vbt_chunk_kind)claims[i][0]);
        mark.state = writer.file_size;
        write_whole(VBT_CHUNK_STATE, (const uint64_t *)&p.time, 1);
        mark.state_size = (uint32_t)(writer.file_size - mark.state);
        vbt_history_add(&mark);
        for (int k = 0; k < 100; k++) { /* so that both become one */
            go_on(&p);
            p.time += 1000 * SECOND;
        }
        assert_false(write_again(&p));
        unlink(path);
        vbt_chunk_writer_close(&writer);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_all_that_had_changed),
        cmocka_unit_test(what_makes_no_sense_is_not_carried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
