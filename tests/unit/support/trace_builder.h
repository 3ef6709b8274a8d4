/* Writes traces for tests, chunk by chunk, without the library: as in FORMAT.md, or against it on
 * purpose. */
#ifndef VBT_TRACE_BUILDER_H
#define VBT_TRACE_BUILDER_H

#include "format/format.h"
#include "format/varint.h"

#include <stddef.h>

struct trace_builder {
    uint8_t *bytes; /* the file so far */
    size_t size, capacity;
    uint64_t sequence;
    struct vbt_writer w; /* the payload of the open chunk */
    uint8_t *payload;
    /* Definitions so far. */
    uint64_t strings, codes, sites, nodes, modules;
};

/* A file with nothing but its header. */
void tb_begin(struct trace_builder *b);
void tb_free(struct trace_builder *b);

/* Between these two the payload is written with vbt_put_… to b->w. */
void tb_open(struct trace_builder *b);
void tb_close(struct trace_builder *b, enum vbt_chunk_kind kind);

/* A chunk whose header claims a raw size other than the payload's. */
void tb_close_lying(struct trace_builder *b, enum vbt_chunk_kind kind, uint32_t raw_size);

/* One chunk each. The definitions return the id of what they define. */
void tb_process(struct trace_builder *b, const char *const *keys_and_values); /* NULL-terminated */
uint32_t tb_string(struct trace_builder *b, const char *text);
uint32_t tb_code(struct trace_builder *b, const char *file, const char *function, unsigned first_line, unsigned flags);
uint32_t tb_site(struct trace_builder *b, enum vbt_site_kind kind, uint64_t a, int64_t line);
uint32_t tb_node(struct trace_builder *b, uint32_t parent, uint32_t site, enum vbt_domain domain);
/* A native site in a module that was defined with an id. */
uint32_t tb_native_site(struct trace_builder *b, uint64_t address, int64_t in_main, uint32_t module);

/* A mapped part of a file, or a whole module with the next id, which is returned. */
uint32_t tb_loaded_module(struct trace_builder *b, uint64_t start, uint64_t end, uint64_t linked, const void *build_id,
                          size_t build_id_size, const char *path);
void tb_module(struct trace_builder *b, uint64_t start, uint64_t end, uint64_t offset, const char *path);
void tb_timeline(struct trace_builder *b, size_t count, const uint64_t *times, const int64_t *rss, const int64_t *heap,
                 const int64_t *python);
void tb_end(struct trace_builder *b, uint64_t time, const char *reason);

struct tb_counters {
    uint32_t node;
    unsigned size_count;
    uint64_t allocs, allocated, temporary, smallest, largest, max_rss_kib;
    int64_t live_blocks, live_bytes, at_peak_bytes;
    uint64_t inherited_blocks, inherited_bytes;
    uint64_t sizes[4][2]; /* bucket, allocations */
};

void tb_counters(struct trace_builder *b, const struct tb_counters *rows, size_t count);

/* Pairs of key and value; ends at key 0. */
void tb_state(struct trace_builder *b, const int64_t (*pairs)[2]);

struct tb_interval {
    uint64_t id, kind, from, to, label, count, iterations, unended;
    double m2;
    int64_t of[VBT_QUANTITIES][3]; /* minimum, maximum, total */
};

void tb_intervals(struct trace_builder *b, const struct tb_interval *rows, size_t count);
void tb_interval_site(struct trace_builder *b, uint64_t interval, uint32_t node, uint64_t allocs, uint64_t frees,
                      uint64_t allocated, uint64_t freed);

/* Writes the file to a new name under /tmp; returns the name, valid until the next call. */
const char *tb_save(const struct trace_builder *b);

/* The same for any bytes. */
const char *tb_save_bytes(const void *bytes, size_t size);

/* A complete Python trace, used by several tests:
 *
 *     /proj/bench.py, user:  1 def work(n):   3 a = np.ones(n)   4 return a.sum()   8 work(10)
 *     /usr/lib/python3/dist-packages/numpy/core/numeric.py:  200 a = empty(shape)
 *
 *     node                                         domain   requests   bytes   live blocks, bytes
 *     1  bench.py:8 <module>                       python          3      90   1, 30
 *     2    bench.py:3 work                         python         10     240   0, 0
 *     3      numeric.py:200 ones                   python          5     500   0, 0
 *     4        native 0x5010 (malloc, library)     heap            5    5000   1, 1000
 *     5    bench.py:4 work                         python          7     168   0, 0
 *     6  [vbtrace]                                 heap            2     200   2, 200
 *     7  native 0x6020, not the main program       heap            4     400   0, 0
 *     in all: heap 11 of 5,600 bytes, Python 25 of 998; peak 2,300 bytes */
void tb_sample(struct trace_builder *b);

#endif
