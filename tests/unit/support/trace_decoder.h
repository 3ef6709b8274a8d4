/* A small reader of traces for tests, written from format/FORMAT.md alone: it shares only zstd and
 * xxHash with the library and the analyzer. It keeps a trace's contents in plain arrays, and fails
 * the test at anything that the format does not allow. */
#ifndef TRACE_DECODER_H
#define TRACE_DECODER_H

#include <stddef.h>
#include <stdint.h>

enum {
    TRACE_THREADS = 256,
    TRACE_ROWS = 1 << 17,
    TRACE_STATES = 128,
    TRACE_BUCKETS = 48,
    TRACE_MODULES = 8192,
    TRACE_SECTIONS = 1100
};

struct trace_string {
    const char *bytes;
    size_t size;
};

struct trace_counters {
    uint64_t time, node, allocs, allocated, temporary, smallest, largest, rss_kib, inherited_blocks, inherited_bytes;
    int64_t live_blocks, live_bytes, at_peak;
    uint64_t buckets[TRACE_BUCKETS];
};

struct trace_part {
    uint64_t thread, allocs, frees, allocated, freed, temporary;
    int64_t at_peak;
};

struct trace_interval {
    uint64_t id, kind, from, to, label, count, iterations, unended;
    double m2;
    int64_t stats[7][3]; /* minimum, maximum, total */
};

struct trace_interval_site {
    uint64_t interval, node, allocs, frees, allocated, freed;
};

struct trace_section {
    struct trace_string name;
    uint64_t count, first, latest;
    struct {
        uint64_t begun, length; /* ns; length 0: it has not ended, else one more */
    } run[256];
};

struct trace {
    int version;
    uint32_t chunks;        /* complete ones */
    uint32_t chunks_of[32]; /* by kind */
    size_t bytes_read;      /* up to the end of the last complete chunk */
    uint32_t strings, codes, sites, nodes, modules, module_ids, pairs, intervals, interval_sites, points;
    struct trace_string string[TRACE_ROWS]; /* by id */
    struct {
        uint64_t file, name, first_line, flags;
    } code[TRACE_ROWS];
    struct {
        uint64_t kind, a;
        int64_t b;
        uint64_t module;
    } site[TRACE_ROWS];
    struct {
        uint64_t parent, site, domain;
    } node[TRACE_ROWS];
    struct {
        uint64_t start, end, offset, id, linked, generation;
        struct trace_string path, build_id;
    } module[TRACE_MODULES]; /* rows 0 to modules - 1 */
    struct {
        struct trace_string key, value;
    } pair[1024];
    uint32_t threads;
    struct {
        uint64_t tid, begun, ended, threads, totals[3][5];
        struct trace_string name;
    } thread[TRACE_THREADS]; /* by id */
    struct {
        uint64_t time, count;
        struct trace_part *part; /* of the first only `thread` is written */
    } parts[TRACE_ROWS];         /* by node */
    int64_t state[TRACE_STATES];
    struct trace_counters counters[TRACE_ROWS]; /* by node; allocs and live_blocks are 0 if there are none */
    struct trace_interval interval[TRACE_ROWS];
    struct trace_interval_site interval_site[TRACE_ROWS];
    struct {
        uint64_t time;
        int64_t rss, heap, python;
    } point[4096];
    uint32_t sections;
    struct trace_section section[TRACE_SECTIONS]; /* in order of their first mention */
    uint64_t section_runs_unnamed;
    uint64_t end_time;
    struct trace_string end_reason; /* bytes NULL: the last chunk is not END */
};

/* Reads a file up to its last complete chunk; fails the test if there is none. The result is valid
 * until the next call. */
const struct trace *trace_read(const char *path);

/* The value of the first pair with this key of the newest PROCESS chunk; NULL: none. */
const char *trace_pair(const struct trace *trace, const char *key);

int trace_string_is(const struct trace *trace, uint64_t id, const char *text);

#endif
