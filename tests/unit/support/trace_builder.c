/* See trace_builder.h. */
#include "trace_builder.h"

#include "format/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

static void append(struct trace_builder *b, const void *bytes, size_t size) {
    if (b->size + size > b->capacity) {
        b->capacity = 2 * (b->size + size);
        b->bytes = realloc(b->bytes, b->capacity);
    }
    memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

void tb_begin(struct trace_builder *b) {
    uint8_t header[VBT_FILE_HEADER_SIZE];
    *b = (struct trace_builder){.payload = malloc(VBT_CHUNK_RAW_MAX)};
    vbt_pack_file_header(header);
    append(b, header, sizeof header);
}

void tb_free(struct trace_builder *b) {
    free(b->bytes);
    free(b->payload);
    *b = (struct trace_builder){0};
}

void tb_open(struct trace_builder *b) { b->w = (struct vbt_writer){.at = b->payload, .end = b->payload + VBT_CHUNK_RAW_MAX}; }

void tb_close_lying(struct trace_builder *b, enum vbt_chunk_kind kind, uint32_t raw_size) {
    size_t raw = (size_t)(b->w.at - b->payload), bound = ZSTD_compressBound(raw);
    uint8_t *stored = malloc(bound), header[VBT_CHUNK_HEADER_SIZE];
    size_t size = ZSTD_compress(stored, bound, b->payload, raw, 1);
    const struct vbt_chunk_header fields = {
        .kind = kind, .stored_size = (uint32_t)size, .raw_size = raw_size, .sequence = b->sequence++};
    vbt_pack_chunk_header(&fields, stored, header);
    append(b, header, sizeof header);
    append(b, stored, size);
    free(stored);
}

void tb_close(struct trace_builder *b, enum vbt_chunk_kind kind) { tb_close_lying(b, kind, (uint32_t)(b->w.at - b->payload)); }

static void put_text(struct trace_builder *b, const char *text) { vbt_put_string(&b->w, text, strlen(text)); }

void tb_process(struct trace_builder *b, const char *const *keys_and_values) {
    size_t count = 0;
    while (keys_and_values[count] != NULL)
        count++;
    tb_open(b);
    vbt_put_varint(&b->w, count / 2);
    for (size_t i = 0; i < count; i++)
        put_text(b, keys_and_values[i]);
    tb_close(b, VBT_CHUNK_PROCESS);
}

/* The start of a chunk that defines one row. */
static uint32_t open_definition(struct trace_builder *b, uint64_t *defined) {
    tb_open(b);
    vbt_put_varint(&b->w, ++*defined);
    vbt_put_varint(&b->w, 1);
    return (uint32_t)*defined;
}

uint32_t tb_string(struct trace_builder *b, const char *text) {
    uint32_t id = open_definition(b, &b->strings);
    put_text(b, text);
    tb_close(b, VBT_CHUNK_STRINGS);
    return id;
}

uint32_t tb_code(struct trace_builder *b, const char *file, const char *function, unsigned first_line, unsigned flags) {
    uint32_t file_id = tb_string(b, file), function_id = tb_string(b, function);
    uint32_t id = open_definition(b, &b->codes);
    vbt_put_varint(&b->w, file_id);
    vbt_put_varint(&b->w, function_id);
    vbt_put_varint(&b->w, first_line);
    vbt_put_varint(&b->w, flags);
    tb_close(b, VBT_CHUNK_CODES);
    return id;
}

uint32_t tb_site(struct trace_builder *b, enum vbt_site_kind kind, uint64_t a, int64_t line) {
    uint32_t id = open_definition(b, &b->sites);
    vbt_put_varint(&b->w, kind);
    vbt_put_varint(&b->w, a);
    vbt_put_zigzag(&b->w, line);
    tb_close(b, VBT_CHUNK_SITES);
    return id;
}

uint32_t tb_node(struct trace_builder *b, uint32_t parent, uint32_t site, enum vbt_domain domain) {
    uint32_t id = open_definition(b, &b->nodes);
    vbt_put_varint(&b->w, id - parent);
    vbt_put_zigzag(&b->w, site);
    vbt_put_varint(&b->w, domain);
    tb_close(b, VBT_CHUNK_NODES);
    return id;
}

void tb_module(struct trace_builder *b, uint64_t start, uint64_t end, uint64_t offset, const char *path) {
    tb_open(b);
    vbt_put_varint(&b->w, 0);
    vbt_put_varint(&b->w, 1);
    vbt_put_varint(&b->w, start);
    vbt_put_varint(&b->w, end);
    vbt_put_varint(&b->w, offset);
    put_text(b, path);
    tb_close(b, VBT_CHUNK_MODULES);
}

uint32_t tb_native_site(struct trace_builder *b, uint64_t address, int64_t in_main, uint32_t module) {
    uint32_t id = open_definition(b, &b->sites);
    vbt_put_varint(&b->w, VBT_SITE_NATIVE);
    vbt_put_varint(&b->w, address);
    vbt_put_zigzag(&b->w, in_main);
    vbt_put_varint(&b->w, module);
    tb_close(b, VBT_CHUNK_SITES);
    return id;
}

uint32_t tb_loaded_module(struct trace_builder *b, uint64_t start, uint64_t end, uint64_t linked, const void *build_id,
                          size_t build_id_size, const char *path) {
    tb_open(b);
    vbt_put_varint(&b->w, 0);
    vbt_put_varint(&b->w, 1);
    vbt_put_varint(&b->w, start);
    vbt_put_varint(&b->w, end);
    vbt_put_varint(&b->w, 0);
    put_text(b, path);
    vbt_put_varint(&b->w, ++b->modules);
    vbt_put_varint(&b->w, linked);
    vbt_put_varint(&b->w, 1);
    vbt_put_string(&b->w, build_id, build_id_size);
    tb_close(b, VBT_CHUNK_MODULES);
    return (uint32_t)b->modules;
}

static void put_deltas(struct trace_builder *b, const int64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        vbt_put_zigzag(&b->w, values[i] - (i > 0 ? values[i - 1] : 0));
}

void tb_timeline(struct trace_builder *b, size_t count, const uint64_t *times, const int64_t *rss, const int64_t *heap,
                 const int64_t *python) {
    tb_open(b);
    vbt_put_varint(&b->w, count);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(&b->w, times[i] - (i > 0 ? times[i - 1] : 0));
    put_deltas(b, rss, count);
    put_deltas(b, heap, count);
    put_deltas(b, python, count);
    tb_close(b, VBT_CHUNK_TIMELINE);
}

void tb_end(struct trace_builder *b, uint64_t time, const char *reason) {
    tb_open(b);
    vbt_put_varint(&b->w, time);
    put_text(b, reason);
    tb_close(b, VBT_CHUNK_END);
}

void tb_counters(struct trace_builder *b, const struct tb_counters *rows, size_t count) {
    struct vbt_writer *w = &b->w;
    tb_open(b);
    vbt_put_varint(w, 2000000000); /* the last tick of every trace made here */
    vbt_put_varint(w, count);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].node - (i > 0 ? rows[i - 1].node : 0));
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].allocs);
    for (size_t i = 0; i < count; i++)
        vbt_put_zigzag(w, rows[i].live_blocks);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].allocated);
    for (size_t i = 0; i < count; i++)
        vbt_put_zigzag(w, rows[i].live_bytes);
    for (size_t i = 0; i < count; i++)
        vbt_put_zigzag(w, (int64_t)((uint64_t)rows[i].at_peak_bytes - (uint64_t)rows[i].live_bytes));
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].temporary);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].smallest);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].largest - rows[i].smallest);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].max_rss_kib);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].inherited_blocks);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].inherited_bytes);
    for (size_t i = 0; i < count; i++)
        vbt_put_varint(w, rows[i].size_count);
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < rows[i].size_count; k++) {
            vbt_put_varint(w, rows[i].sizes[k][0]);
            vbt_put_varint(w, rows[i].sizes[k][1]);
        }
    tb_close(b, VBT_CHUNK_COUNTERS);
}

void tb_state(struct trace_builder *b, const int64_t (*pairs)[2]) {
    tb_open(b);
    for (; (*pairs)[0] != 0; pairs++) {
        vbt_put_varint(&b->w, (uint64_t)(*pairs)[0]);
        vbt_put_zigzag(&b->w, (*pairs)[1]);
    }
    tb_close(b, VBT_CHUNK_STATE);
}

void tb_intervals(struct trace_builder *b, const struct tb_interval *rows, size_t count) {
    tb_open(b);
    vbt_put_varint(&b->w, count);
    for (size_t i = 0; i < count; i++) {
        const struct tb_interval *row = &rows[i];
        const uint64_t fields[] = {row->id, row->kind, row->from, row->to, row->label, row->count, row->iterations};
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            vbt_put_varint(&b->w, fields[k]);
        vbt_put_f64(&b->w, row->m2);
        for (int q = 0; q < VBT_QUANTITIES; q++)
            for (int k = 0; k < 3; k++)
                vbt_put_zigzag(&b->w, row->of[q][k]);
    }
    bool any = false; /* an older file has no such column */
    for (size_t i = 0; i < count; i++)
        any = any || rows[i].unended > 0;
    for (size_t i = 0; i < count && any; i++)
        vbt_put_varint(&b->w, rows[i].unended);
    tb_close(b, VBT_CHUNK_INTERVALS);
}

void tb_interval_site(struct trace_builder *b, uint64_t interval, uint32_t node, uint64_t allocs, uint64_t frees,
                      uint64_t allocated, uint64_t freed) {
    tb_open(b);
    vbt_put_varint(&b->w, 1);
    vbt_put_zigzag(&b->w, (int64_t)interval);
    vbt_put_zigzag(&b->w, node);
    vbt_put_varint(&b->w, allocs);
    vbt_put_zigzag(&b->w, (int64_t)(frees - allocs));
    vbt_put_varint(&b->w, allocated);
    vbt_put_zigzag(&b->w, (int64_t)(freed - allocated));
    tb_close(b, VBT_CHUNK_INTERVAL_SITES);
}

const char *tb_save_bytes(const void *bytes, size_t size) {
    static char path[64];
    if (path[0] != '\0')
        unlink(path);
    strcpy(path, "/tmp/vbtrace-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
        perror(path);
        exit(1);
    }
    close(fd);
    return path;
}

const char *tb_save(const struct trace_builder *b) { return tb_save_bytes(b->bytes, b->size); }

static const char *const sample_process[] = {
    "vbtrace",
    "0.1.0",
    "exe",
    "/usr/bin/python3",
    "cwd",
    "/proj",
    "host",
    "fjord",
    "arg",
    "python3",
    "arg",
    "bench.py",
    "arg",
    "a b",
    "pid",
    "4711",
    "ppid",
    "1",
    "started",
    "1700000000000000000",
    "python",
    "3.11.2",
    "python_status",
    "ok",
    "native",
    "leaf",
    "libc",
    "glibc 2.36",
    "tick_ns",
    "10000000",
    "page_size",
    "4096",
    "option",
    "VBTRACE_TICK=100",
    "note",
    "A note of the trace.",
    NULL,
};

static const struct tb_counters sample_counters[] = {
    {.node = 1,
     .allocs = 3,
     .allocated = 90,
     .live_blocks = 1,
     .live_bytes = 30,
     .at_peak_bytes = 60,
     .smallest = 30,
     .largest = 30,
     .max_rss_kib = 20480},
    {.node = 2,
     .allocs = 10,
     .allocated = 240,
     .at_peak_bytes = 24,
     .temporary = 9,
     .smallest = 24,
     .largest = 24,
     .max_rss_kib = 30720},
    {.node = 3,
     .allocs = 5,
     .allocated = 500,
     .at_peak_bytes = 16,
     .smallest = 50,
     .largest = 200,
     .max_rss_kib = 25600,
     .size_count = 2,
     .sizes = {{6, 3}, {8, 2}}},
    {.node = 4,
     .allocs = 5,
     .allocated = 5000,
     .live_blocks = 1,
     .live_bytes = 1000,
     .at_peak_bytes = 2000,
     .smallest = 1000,
     .largest = 1000,
     .max_rss_kib = 40960},
    {.node = 5, .allocs = 7, .allocated = 168, .at_peak_bytes = 0, .temporary = 7, .smallest = 24, .largest = 24},
    {.node = 6,
     .allocs = 2,
     .allocated = 200,
     .live_blocks = 2,
     .live_bytes = 200,
     .at_peak_bytes = 200,
     .smallest = 100,
     .largest = 100},
    {.node = 7, .allocs = 4, .allocated = 400, .smallest = 100, .largest = 100},
};

static const int64_t sample_state[][2] = {
    {VBT_STATE_TIME, 2000000000},
    {VBT_STATE_RSS, 40 << 20},
    {VBT_STATE_MAX_RSS, 48 << 20},
    {VBT_STATE_THREADS, 1},
    {VBT_STATE_PEAK, 2300},
    {VBT_STATE_PEAK_TIME, 1000000000},
    {VBT_STATE_DOMAIN + VBT_FIELD_ALLOCS, 11},
    {VBT_STATE_DOMAIN + VBT_FIELD_FREES, 8},
    {VBT_STATE_DOMAIN + VBT_FIELD_ALLOCATED, 5600},
    {VBT_STATE_DOMAIN + VBT_FIELD_FREED, 4400},
    {VBT_STATE_DOMAIN + 16 + VBT_FIELD_ALLOCS, 25},
    {VBT_STATE_DOMAIN + 16 + VBT_FIELD_FREES, 24},
    {VBT_STATE_DOMAIN + 16 + VBT_FIELD_ALLOCATED, 998},
    {VBT_STATE_DOMAIN + 16 + VBT_FIELD_FREED, 968},
    {VBT_STATE_DOMAIN + 16 + VBT_FIELD_TEMPORARY, 16},
    {VBT_STATE_STACKS_CAPTURED, 36},
    {0, 0},
};

void tb_sample(struct trace_builder *b) {
    tb_begin(b);
    tb_process(b, sample_process);
    uint32_t module = tb_code(b, "/proj/bench.py", "<module>", 1, VBT_CODE_USER);
    uint32_t work = tb_code(b, "/proj/bench.py", "work", 1, VBT_CODE_USER);
    uint32_t ones = tb_code(b, "/usr/lib/python3/dist-packages/numpy/core/numeric.py", "ones", 150, 0);
    uint32_t line_8 = tb_site(b, VBT_SITE_PYTHON, module, 8);
    uint32_t line_3 = tb_site(b, VBT_SITE_PYTHON, work, 3);
    uint32_t line_200 = tb_site(b, VBT_SITE_PYTHON, ones, 200);
    uint32_t malloc_5010 = tb_site(b, VBT_SITE_NATIVE, 0x5010, 0);
    uint32_t line_4 = tb_site(b, VBT_SITE_PYTHON, work, 4);
    uint32_t own = tb_site(b, VBT_SITE_SPECIAL, tb_string(b, "[vbtrace]"), 0);
    uint32_t malloc_6020 = tb_site(b, VBT_SITE_NATIVE, 0x6020, 0);
    uint32_t node_1 = tb_node(b, 0, line_8, VBT_DOMAIN_PYTHON);
    uint32_t node_2 = tb_node(b, node_1, line_3, VBT_DOMAIN_PYTHON);
    uint32_t node_3 = tb_node(b, node_2, line_200, VBT_DOMAIN_PYTHON);
    tb_node(b, node_3, malloc_5010, VBT_DOMAIN_HEAP);
    tb_node(b, node_1, line_4, VBT_DOMAIN_PYTHON);
    tb_node(b, 0, own, VBT_DOMAIN_HEAP);
    tb_node(b, 0, malloc_6020, VBT_DOMAIN_HEAP);
    tb_module(b, 0x5000, 0x6000, 0x1000, "/nowhere/libones.so");
    tb_module(b, 0x6000, 0x7000, 0, "/nowhere/libother.so");
    tb_counters(b, sample_counters, sizeof sample_counters / sizeof *sample_counters);
    uint32_t label = tb_string(b, "loop 10");
    const struct tb_interval intervals[] = {
        {.id = 1,
         .kind = VBT_INTERVAL_CLOCK,
         .from = line_3,
         .to = line_4,
         .count = 4,
         .m2 = 4e6,
         .of = {{1000, 4000, 10000}, {1, 4, 10}, {0, 4, 8}, {24, 96, 240}, {0, 96, 192}, {0, 24, 48}, {24, 48, 120}}},
        {.id = 2,
         .kind = VBT_INTERVAL_SECTION,
         .from = line_8,
         .to = line_8,
         .label = label,
         .count = 2,
         .iterations = 20,
         .m2 = 0,
         .of = {{50000, 50000, 100000}, {20, 21, 41}, {20, 20, 40}, {480, 504, 984}, {480, 480, 960}, {0, 24, 24}, {48, 48, 96}}},
    };
    tb_intervals(b, intervals, 2);
    tb_interval_site(b, 2, node_2, 10, 10, 240, 240);
    tb_interval_site(b, 2, node_3 + 1, 31, 30, 744, 720);
    tb_state(b, (const int64_t[][2]){{VBT_STATE_TIME, 500000000}, {VBT_STATE_RSS, 20 << 20}, {0, 0}});
    tb_state(b, sample_state);
    tb_end(b, 2000000001, "exit");
}
