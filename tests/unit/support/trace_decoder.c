/* See trace_decoder.h. */
#include "trace_decoder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>
#include <cmocka.h>

enum { FILE_HEADER = 16, CHUNK_HEADER = 32, RAW_MAX = 1 << 20, PAYLOADS_MAX = 256 << 20 };

static struct trace *trace;
static uint8_t *file;
static size_t file_size;
static uint8_t *payloads; /* all payloads read, one after another: strings point into them */
static size_t payloads_used;

/* The payload that is being read. */
static const uint8_t *at, *end;

static uint64_t little_endian(const uint8_t *bytes, int count) {
    uint64_t value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

static uint64_t varint(void) {
    uint64_t value = 0;
    for (int i = 0; i < 10; i++) {
        assert_true(at < end);
        uint8_t byte = *at++;
        assert_true(i < 9 || byte <= 1);
        value |= (uint64_t)(byte & 127) << (7 * i);
        if (byte < 128) {
            assert_true(i == 0 || byte != 0); /* in its shortest form */
            return value;
        }
    }
    fail_msg("a varint of more than 10 bytes");
    return 0;
}

static int64_t zigzag(void) {
    uint64_t value = varint();
    return value % 2 == 0 ? (int64_t)(value / 2) : -(int64_t)(value / 2) - 1;
}

static struct trace_string string(void) {
    uint64_t size = varint();
    assert_true(size <= (uint64_t)(end - at));
    struct trace_string result = {(const char *)at, (size_t)size};
    at += size;
    return result;
}

static double f64(void) {
    assert_true(end - at >= 8);
    uint64_t bits = little_endian(at, 8);
    double value;
    memcpy(&value, &bits, 8);
    at += 8;
    return value;
}

/* The head of a definition chunk: rows first to the result, inclusive. */
static uint32_t definitions(uint32_t known, uint64_t *first) {
    *first = varint();
    uint64_t count = varint();
    assert_int_equal(*first, known + 1);
    assert_true(count > 0 && known + count < TRACE_ROWS);
    return (uint32_t)(known + count);
}

#define COLUMN(first, last, field, value)                                                                                          \
    for (uint64_t id = first; id <= (last); id++)                                                                                  \
        (field) = (value);

static void read_strings(void) {
    uint64_t first;
    uint32_t last = definitions(trace->strings, &first);
    COLUMN(first, last, trace->string[id], string())
    trace->strings = last;
}

static void read_codes(void) {
    uint64_t first;
    uint32_t last = definitions(trace->codes, &first);
    COLUMN(first, last, trace->code[id].file, varint())
    COLUMN(first, last, trace->code[id].name, varint())
    COLUMN(first, last, trace->code[id].first_line, varint())
    COLUMN(first, last, trace->code[id].flags, varint())
    for (uint64_t id = first; id <= last; id++)
        assert_true(trace->code[id].file <= trace->strings && trace->code[id].name <= trace->strings);
    trace->codes = last;
}

static void read_sites(void) {
    uint64_t first;
    uint32_t last = definitions(trace->sites, &first);
    COLUMN(first, last, trace->site[id].kind, varint())
    COLUMN(first, last, trace->site[id].a, varint())
    COLUMN(first, last, trace->site[id].b, zigzag())
    COLUMN(first, last, trace->site[id].module, varint())
    for (uint64_t id = first; id <= last; id++) {
        assert_true(trace->site[id].kind <= 2);
        assert_true(trace->site[id].kind != 0 || trace->site[id].a <= trace->codes);
        assert_true(trace->site[id].kind != 2 || trace->site[id].a <= trace->strings);
        assert_true(trace->site[id].module <= trace->module_ids);
    }
    trace->sites = last;
}

static void read_nodes(void) {
    uint64_t first, site = 0;
    uint32_t last = definitions(trace->nodes, &first);
    COLUMN(first, last, trace->node[id].parent, id - varint())
    COLUMN(first, last, trace->node[id].site, (site += (uint64_t)zigzag()))
    COLUMN(first, last, trace->node[id].domain, varint())
    for (uint64_t id = first; id <= last; id++)
        assert_true(trace->node[id].parent < id && trace->node[id].site <= trace->sites && trace->node[id].domain <= 2);
    trace->nodes = last;
}

static void read_modules(void) {
    assert_int_equal(varint(), 0);
    uint32_t first = trace->modules;
    uint64_t count = varint();
    assert_true(first + count < TRACE_MODULES);
    uint32_t last = trace->modules = first + (uint32_t)count;
    for (uint32_t row = first; row < last; row++) {
        trace->module[row].start = varint();
        trace->module[row].end = varint();
        trace->module[row].offset = varint();
        trace->module[row].path = string();
    }
    if (at == end)
        return;
    COLUMN(first + 1, last, trace->module[id - 1].id, varint())
    COLUMN(first + 1, last, trace->module[id - 1].linked, varint())
    COLUMN(first + 1, last, trace->module[id - 1].generation, varint())
    COLUMN(first + 1, last, trace->module[id - 1].build_id, string())
    for (uint32_t row = first; row < last; row++)
        if (trace->module[row].id != 0)
            assert_int_equal(trace->module[row].id, ++trace->module_ids);
}

static void read_process(void) {
    uint64_t count = varint();
    assert_true(count < 1024);
    for (trace->pairs = 0; trace->pairs < count; trace->pairs++) {
        trace->pair[trace->pairs].key = string();
        trace->pair[trace->pairs].value = string();
    }
}

static void read_state(void) {
    while (at < end) { /* what is not given keeps its value */
        uint64_t key = varint();
        assert_true(key < TRACE_STATES);
        trace->state[key] = zigzag();
    }
}

static void read_counters(void) {
    static struct trace_counters rows[TRACE_ROWS];
    static uint64_t entries[TRACE_ROWS];
    uint64_t time = varint(), count = varint(), node = 0;
    assert_true(count > 0 && count < TRACE_ROWS);
    memset(rows, 0, count * sizeof rows[0]);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t difference = varint();
        assert_true(i == 0 || difference > 0);
        rows[i].node = node += difference;
        rows[i].time = time;
        assert_true(node <= trace->nodes);
    }
#define EACH(field, value)                                                                                                         \
    for (uint64_t i = 0; i < count; i++)                                                                                           \
        (field) = (value);
    EACH(rows[i].allocs, varint())
    EACH(rows[i].live_blocks, zigzag())
    EACH(rows[i].allocated, varint())
    EACH(rows[i].live_bytes, zigzag())
    EACH(rows[i].at_peak, rows[i].live_bytes + zigzag())
    EACH(rows[i].temporary, varint())
    EACH(rows[i].smallest, varint())
    EACH(rows[i].largest, rows[i].smallest + varint())
    EACH(rows[i].rss_kib, varint())
    EACH(rows[i].inherited_blocks, varint())
    EACH(rows[i].inherited_bytes, varint())
    EACH(entries[i], varint())
    for (uint64_t i = 0; i < count; i++) {
        uint64_t sum = 0;
        for (uint64_t n = 0; n < entries[i]; n++) {
            uint64_t bucket = varint();
            assert_true(bucket < TRACE_BUCKETS);
            sum += rows[i].buckets[bucket] = varint();
        }
        if (entries[i] == 0) {
            unsigned bucket = 0;
            while (bucket < TRACE_BUCKETS - 1 && rows[i].smallest >> bucket != 0)
                bucket++;
            rows[i].buckets[bucket] = sum = rows[i].allocs;
        }
        assert_int_equal(sum, rows[i].allocs);
        trace->counters[rows[i].node] = rows[i];
    }
}

static void read_intervals(void) {
    static uint32_t places[TRACE_ROWS];
    uint64_t count = varint();
    assert_true(count <= TRACE_ROWS);
    for (uint64_t n = 0; n < count; n++) {
        struct trace_interval row = {.id = varint()};
        row.kind = varint();
        row.from = varint();
        row.to = varint();
        row.label = varint();
        row.count = varint();
        row.iterations = varint();
        row.m2 = f64();
        for (int quantity = 0; quantity < 7; quantity++)
            for (int i = 0; i < 3; i++)
                row.stats[quantity][i] = zigzag();
        assert_true(row.kind <= 1 && row.from <= trace->sites && row.to <= trace->sites && row.label <= trace->strings);
        uint32_t i = 0;
        while (i < trace->intervals && trace->interval[i].id != row.id)
            i++;
        trace->intervals += i == trace->intervals;
        trace->interval[i] = row;
        places[n] = i;
    }
    for (uint64_t n = 0; n < count; n++)
        trace->interval[places[n]].unended = varint();
}

static void read_interval_sites(void) {
    static struct trace_interval_site rows[TRACE_ROWS];
    uint64_t count = varint(), interval = 0, node = 0;
    assert_true(count > 0 && count < TRACE_ROWS);
    EACH(rows[i].interval, (interval += (uint64_t)zigzag()))
    EACH(rows[i].node, (node += (uint64_t)zigzag()))
    EACH(rows[i].allocs, varint())
    EACH(rows[i].frees, rows[i].allocs + (uint64_t)zigzag())
    EACH(rows[i].allocated, varint())
    EACH(rows[i].freed, rows[i].allocated + (uint64_t)zigzag())
    for (uint64_t i = 0; i < count; i++) {
        uint32_t n = 0;
        assert_true(rows[i].node <= trace->nodes);
        while (n < trace->interval_sites &&
               (trace->interval_site[n].interval != rows[i].interval || trace->interval_site[n].node != rows[i].node))
            n++;
        trace->interval_sites += n == trace->interval_sites;
        trace->interval_site[n] = rows[i];
    }
}

static void read_timeline(void) {
    uint64_t count = varint(), time = 0;
    int64_t value = 0;
    assert_true(count <= 4096);
    trace->points = (uint32_t)count;
    EACH(trace->point[i].time, (time += varint()))
    EACH(trace->point[i].rss, (value = (i == 0 ? 0 : value) + zigzag()))
    EACH(trace->point[i].heap, (value = (i == 0 ? 0 : value) + zigzag()))
    EACH(trace->point[i].python, (value = (i == 0 ? 0 : value) + zigzag()))
}

static void read_end(void) {
    trace->end_time = varint();
    trace->end_reason = string();
}

static void read_threads(void) {
    uint64_t count = varint();
    assert_true(count >= trace->threads && count < TRACE_THREADS);
    trace->threads = (uint32_t)count;
    for (uint32_t id = 1; id <= count; id++) {
        trace->thread[id].tid = varint();
        trace->thread[id].name = string();
        trace->thread[id].begun = varint();
        trace->thread[id].ended = varint();
        trace->thread[id].threads = varint();
        for (int domain = 0; domain < 3; domain++)
            for (int field = 0; field < 5; field++)
                trace->thread[id].totals[domain][field] = varint();
    }
}

static void read_thread_counters(void) {
    static uint64_t nodes[TRACE_ROWS];
    uint64_t time = varint(), count = varint(), node = 0;
    assert_true(count > 0 && count < TRACE_ROWS);
    EACH(nodes[i], (node += varint()))
    assert_true(node <= trace->nodes);
    for (uint64_t i = 0; i < count; i++) {
        assert_true(i == 0 || nodes[i] > nodes[i - 1]);
        free(trace->parts[nodes[i]].part);
        trace->parts[nodes[i]].time = time;
        trace->parts[nodes[i]].count = varint();
        assert_true(trace->parts[nodes[i]].count > 0 && trace->parts[nodes[i]].count <= trace->threads);
        trace->parts[nodes[i]].part = calloc(trace->parts[nodes[i]].count, sizeof(struct trace_part));
    }
#define EACH_PART(from, statement)                                                                                                 \
    for (uint64_t i = 0; i < count; i++)                                                                                           \
        for (uint64_t k = from; k < trace->parts[nodes[i]].count; k++) {                                                           \
            struct trace_part *part = &trace->parts[nodes[i]].part[k];                                                             \
            statement;                                                                                                             \
        }
    EACH_PART(0, part->thread = varint();
              assert_true(part->thread > (k == 0 ? 0 : part[-1].thread) && part->thread <= trace->threads))
    EACH_PART(1, part->allocs = varint())
    EACH_PART(1, part->frees = part->allocs + (uint64_t)zigzag())
    EACH_PART(1, part->allocated = varint())
    EACH_PART(1, part->freed = part->allocated + (uint64_t)zigzag())
    EACH_PART(1, part->at_peak = (int64_t)(part->allocated - part->freed) + zigzag())
    EACH_PART(1, part->temporary = varint())
}

static void read_section_times(void) {
    uint64_t count = varint();
    assert_true(count > 0);
    for (uint64_t n = 0; n < count; n++) {
        struct trace_section row = {.name = string()};
        uint32_t i = 0;
        while (i < trace->sections && (trace->section[i].name.size != row.name.size ||
                                       memcmp(trace->section[i].name.bytes, row.name.bytes, row.name.size) != 0))
            i++;
        trace->sections += i == trace->sections;
        assert_true(trace->sections <= TRACE_SECTIONS);
        row.count = varint();
        row.first = varint();
        row.latest = varint();
        assert_true(row.first + row.latest <= 256 && row.first + row.latest <= row.count);
        for (uint64_t k = 0; k < row.first + row.latest; k++) {
            row.run[k].begun = (k > 0 ? row.run[k - 1].begun : 0) + (uint64_t)zigzag();
            row.run[k].length = varint();
        }
        trace->section[i] = row;
    }
    trace->section_runs_unnamed = varint();
}

static void read_payload(uint8_t kind) {
    static void (*const readers[])(void) = {
        [1] = read_process,   [2] = read_strings,          [3] = read_codes,          [4] = read_sites,
        [5] = read_nodes,     [6] = read_modules,          [7] = read_state,          [8] = read_counters,
        [9] = read_intervals, [10] = read_interval_sites,  [11] = read_timeline,      [12] = read_end,
        [17] = read_threads,  [19] = read_thread_counters, [23] = read_section_times,
    };
    trace->end_reason.bytes = NULL;
    if (kind >= sizeof readers / sizeof *readers || readers[kind] == NULL)
        return;
    trace->chunks_of[kind]++;
    readers[kind]();
    assert_ptr_equal(at, end); /* this version has no further fields */
}

/* Reads the chunk at `offset` of the file; returns its size, 0 if it is incomplete. */
static size_t read_chunk(size_t offset) {
    const uint8_t *header = file + offset;
    if (file_size - offset < CHUNK_HEADER || memcmp(header, "VBTC", 4) != 0)
        return 0;
    uint64_t stored = little_endian(header + 8, 4), raw = little_endian(header + 12, 4);
    if (raw > RAW_MAX || stored > file_size - offset - CHUNK_HEADER || little_endian(header + 16, 8) != trace->chunks)
        return 0;
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    XXH64_update(&state, header, 24);
    XXH64_update(&state, header + CHUNK_HEADER, stored);
    if (XXH64_digest(&state) != little_endian(header + 24, 8))
        return 0;
    assert_int_equal(header[5] | header[6] | header[7], 0);
    assert_int_equal(ZSTD_getFrameContentSize(header + CHUNK_HEADER, stored), raw);
    assert_int_equal(ZSTD_findFrameCompressedSize(header + CHUNK_HEADER, stored), stored);
    assert_true(payloads_used + raw <= PAYLOADS_MAX);
    at = payloads + payloads_used;
    end = at + raw;
    assert_int_equal(ZSTD_decompress(payloads + payloads_used, raw, header + CHUNK_HEADER, stored), raw);
    payloads_used += raw;
    read_payload(header[4]);
    return CHUNK_HEADER + (size_t)stored;
}

static void load(const char *path) {
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    fseek(in, 0, SEEK_END);
    file_size = (size_t)ftell(in);
    rewind(in);
    free(file);
    file = malloc(file_size + 1);
    assert_non_null(file);
    assert_int_equal(fread(file, 1, file_size, in), file_size);
    fclose(in);
}

const struct trace *trace_read(const char *path) {
    static const uint8_t magic[] = {0x93, 'V', 'B', 'T', 0x0d, 0x0a, 0x1a, 0x0a, 1, 1, 8, 0, 0, 0, 0, 0};
    for (uint32_t node = 0; trace != NULL && node < TRACE_ROWS; node++)
        free(trace->parts[node].part);
    free(trace);
    free(payloads);
    trace = calloc(1, sizeof *trace);
    payloads = malloc(PAYLOADS_MAX);
    payloads_used = 0;
    assert_true(trace != NULL && payloads != NULL);
    load(path);
    assert_true(file_size >= FILE_HEADER);
    assert_memory_equal(file, magic, sizeof magic);
    trace->version = file[8];
    trace->bytes_read = FILE_HEADER;
    for (size_t size; (size = read_chunk(trace->bytes_read)) > 0; trace->chunks++)
        trace->bytes_read += size;
    return trace;
}

const char *trace_pair(const struct trace *from, const char *key) {
    static char value[8192];
    for (uint32_t i = 0; i < from->pairs; i++) {
        if (from->pair[i].key.size == strlen(key) && memcmp(from->pair[i].key.bytes, key, strlen(key)) == 0) {
            assert_true(from->pair[i].value.size < sizeof value);
            memcpy(value, from->pair[i].value.bytes, from->pair[i].value.size);
            value[from->pair[i].value.size] = '\0';
            return value;
        }
    }
    return NULL;
}

int trace_string_is(const struct trace *from, uint64_t id, const char *text) {
    return id <= from->strings && from->string[id].size == strlen(text) && memcmp(from->string[id].bytes, text, strlen(text)) == 0;
}
