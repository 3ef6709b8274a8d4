/* The content of a trace in memory: definitions in dense arrays indexed by id, the newest value of
 * everything else.
 *
 * Every id was checked when it was read: a site's code, a node's parent or an interval's label can
 * be used as an index without another check. */
#ifndef VBT_MODEL_H
#define VBT_MODEL_H

#include "section_times.h"
#include "analyzer/base/arrays/packed_rows.h"
#include "format/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct vbt_model_pair {
    const char *key, *value;
};

struct vbt_model_code {
    uint32_t file, name; /* strings */
    uint32_t flags;
    int64_t first_line;
};

/* Is it the user's own code, and not vbtrace's Python module, wherever that is installed? */
static inline bool vbt_model_code_is_users(const struct vbt_model_code *code) {
    return (code->flags & (VBT_CODE_USER | VBT_CODE_OWN)) == VBT_CODE_USER;
}

struct vbt_model_site {
    uint64_t a;
    int64_t b;
    uint32_t module; /* native: id of its module; 0: only the address is known */
    uint8_t kind;
};

/* A trace may have millions: 12 bytes. */
struct vbt_model_node {
    uint32_t parent;
    uint32_t site;
    uint32_t counters : VBT_PACKED_BITS; /* its row, see counters.h; 0: nothing was counted here */
    uint32_t domain : 2;
};

_Static_assert(VBT_DOMAINS <= 4, "they fit");

struct vbt_model_bucket {
    uint32_t bucket;
    uint64_t allocs;
};

/* A histogram of request sizes; without rows, all requests are in the bucket of the smallest. */
struct vbt_model_sizes {
    struct vbt_model_bucket *rows;
    uint32_t count;
};

/* A COUNTERS chunk. */
struct vbt_model_counter_chunk {
    uint64_t time, rss_kib;
};

struct vbt_model_module {
    uint64_t start, end;
    uint64_t offset; /* offset of start in the file; only if id is 0 */
    uint64_t linked; /* address that start is linked at; only if id is not 0 */
    uint64_t generation;
    uint32_t id; /* 0: a mapped part of a file, otherwise a whole file */
    uint32_t build_id_size;
    uint8_t build_id[VBT_BUILD_ID_MAX];
    char *path;
};

struct vbt_model_thread_totals {
    uint64_t allocs, frees, allocated, freed, temporary;
};

/* A thread; the last row may stand for all later threads together. */
struct vbt_model_thread {
    uint32_t tid;
    uint64_t threads;      /* how many the row stands for */
    uint64_t begun, ended; /* ns; ended 0: its end was not seen */
    struct vbt_model_thread_totals totals[VBT_DOMAINS];
    char *name;
};

/* What one thread did at a node. */
struct vbt_model_node_part {
    uint32_t thread; /* index into threads, from 1 */
    uint64_t allocs, frees, allocated, freed, temporary;
    int64_t at_peak_bytes;
};

/* The parts of a node, in order of thread. The first has what the others leave, and holds no
 * numbers. */
struct vbt_model_node_parts {
    uint32_t first, count, capacity; /* into model->parts; count 0: unknown */
    uint64_t time;
};

/* What vbtrace symbolize added to the trace: the functions at a native site. */
struct vbt_named_frame {
    uint32_t function, file, declared_file; /* strings */
    int64_t line, declared_line;
};

struct vbt_named_site {
    uint32_t first, count; /* into named_frames; count 0: unknown */
    enum vbt_binary_state state;
};

/* A line of source code. */
struct vbt_model_source_row {
    uint32_t file; /* string */
    int64_t line;
    size_t text, size; /* in source_text */
    bool changed;      /* the file is newer than the trace */
};

struct vbt_model_tick {
    uint64_t time;
    int64_t rss, heap, python;
};

struct vbt_model_ticks {
    struct vbt_model_tick *rows; /* rows first to count - 1, in order of time */
    size_t first, count, capacity;
};

struct vbt_model_quantities {
    int64_t min, max, total;
};

struct vbt_model_interval {
    uint64_t id;
    uint64_t order; /* of its row in the file */
    uint32_t kind, from, to, label;
    uint64_t count, iterations;
    uint64_t unended; /* sections: repetitions that began and have not ended; in none of the other numbers */
    bool ran_before;  /* a part of a run began after its first repetition: least and most are not known */
    double time_m2;
    struct vbt_model_quantities of[VBT_QUANTITIES];
};

struct vbt_model_interval_site {
    uint64_t interval;
    uint64_t order;
    uint32_t node;
    uint64_t allocs, frees, allocated, freed;
};

/* What a line did, or what the functions it called did. Times are in ns and include the cost of
 * measuring; `events` is how many events cost that. */
struct vbt_model_line_sums {
    int64_t time, events;
    int64_t allocs, frees, allocated, freed, temporary;
    int64_t objects; /* created; see VBT_STATE_OBJECTS for which */
};

/* What line mode counted for a line; its whole cost is own + called. */
struct vbt_model_line_counts {
    uint32_t site;
    bool decorated; /* of a function that carries @profile */
    uint64_t hits, entries;
    struct vbt_model_line_sums own, called;
    int64_t least, most; /* of the heap's change in one execution */
    int64_t high;        /* live bytes of the process */
    bool ran_before;     /* a part of a run began after it ran: least, most and high are not known */
    uint64_t rss;
};

/* A breakdown of the resident set. */
struct vbt_model_resident {
    bool known;
    uint64_t time;
    int64_t live_heap, live_python; /* bytes at that time */
    uint64_t bytes[VBT_RESIDENT_CLASSES];
};

/* The part of the run that the model shows: what happened between two states of the trace. */
struct vbt_model_window {
    bool asked;            /* a part was asked for, though it may turn out to be the whole run */
    bool is_part;          /* false: it is the whole run */
    bool peak_unknown;     /* the heap was higher before, so what was live at this part's peak is not known */
    bool rss_unknown;      /* likewise for the resident set */
    uint64_t from, to;     /* times of the two states, ns; from 0: the start of the run */
    uint64_t last;         /* time of the newest state of all, 0 if that is `to` */
    int64_t details;       /* bits of enum vbt_detail: what is known of it besides call paths */
    uint64_t begun, ended; /* when the sections that it was named by began and ended, ns; 0: it was not */
};

/* Is that known of a part of a run? */
static inline bool vbt_part_knows(const struct vbt_model_window *part, enum vbt_detail detail) {
    return (part->details >> (int)detail & 1) != 0;
}

/* What a forked process inherited and may still have, or had at its peak: the sum of traces leaves
 * it to the parent. */
struct vbt_model_taken {
    uint64_t blocks[VBT_DOMAINS], bytes[VBT_DOMAINS], peak;
    uint64_t undecided_blocks, undecided_bytes; /* of these, how much may be the process's own */
};

/* When the processes of a merged trace had most memory together: heap and Python bytes without what
 * was inherited, ns since the first began, how many ran. */
struct vbt_model_together {
    int64_t bytes;
    uint64_t time;
    uint32_t processes;
    bool by_path;          /* what nodes had at the peak is what they had then, as far as it is known: */
    int64_t by_path_bytes; /* so much of the bytes, */
    uint64_t farthest;     /* from states or peaks so near to that moment, ns */
};

/* What a process of a merged trace counted at a node, see process_shares.h. */
struct vbt_model_process_part {
    uint32_t node, process, row;
};

/* Number and size of the chunks of one kind. */
struct vbt_model_chunk_sums {
    uint64_t count, stored, raw;
};

struct vbt_model {
    const char *path;
    uint64_t file_bytes;                                 /* bytes that were read and are valid */
    struct vbt_model_chunk_sums chunks[VBT_CHUNK_KINDS]; /* index 0: kinds that this version does not know */
    bool with_sizes;

    struct vbt_model_pair *process;
    char *process_text; /* the text that they point into */
    size_t process_count;

    /* Definitions: rows 1 to count; row 0 is that of id 0. */
    size_t *string_at;
    size_t string_count, string_capacity;
    char *text;
    size_t text_size, text_capacity;
    struct vbt_model_code *codes;
    size_t code_count, code_capacity;
    struct vbt_model_site *sites;
    size_t site_count, site_capacity;
    struct vbt_model_node *nodes;
    size_t node_count, node_capacity;
    struct vbt_model_module *modules;
    size_t module_count, module_capacity;
    uint32_t *module_by_id; /* index into modules */
    size_t module_id_count, module_id_capacity;

    bool symbolized;                    /* names and source lines come from the trace alone */
    struct vbt_named_site *named_sites; /* by site; may be shorter */
    size_t named_site_count, named_site_capacity;
    struct vbt_named_frame *named_frames;
    size_t named_frame_count, named_frame_capacity;
    struct vbt_model_source_row *source_rows;
    size_t source_row_count, source_row_capacity;
    char *source_text;
    size_t source_text_size, source_text_capacity;

    struct vbt_packed_rows counters; /* see counters.h */
    size_t counted_nodes;
    struct vbt_model_counter_chunk *counter_chunks; /* row 0 is empty */
    size_t counter_chunk_count, counter_chunk_capacity;
    struct vbt_model_sizes *sizes; /* row 0 is empty */
    size_t sizes_count, sizes_capacity;

    struct vbt_model_thread *threads; /* rows 1 to thread_count; none: one thread, or threads are not distinguished */
    size_t thread_count;
    struct vbt_model_node_parts *node_parts; /* by node; may be shorter */
    size_t node_parts_count, node_parts_capacity;
    struct vbt_model_node_part *parts;
    size_t part_count, part_capacity;
    struct vbt_model_line_counts *line_counts;
    size_t line_counts_count, line_counts_capacity;
    uint32_t *line_of_site; /* 1 + index into line_counts, 0: none; may be shorter */
    size_t line_of_site_count, line_of_site_capacity;

    bool has_state, has_maps;
    bool any_inherited; /* blocks of a parent process, at some node */
    struct vbt_model_window window;
    struct vbt_counter_base *base;    /* while a part of a run is loaded, see counters.h */
    struct vbt_window_states *states; /* likewise, see window.h */
    struct vbt_changes *changes;      /* NULL, or see changes.h */
    int64_t state[VBT_STATE_KEYS];
    uint64_t maps[VBT_MAP_KINDS][VBT_FIELDS];
    struct vbt_model_resident resident[VBT_RESIDENT_TIMES];
    struct vbt_model_ticks ticks;   /* while loading, those of STATE chunks; then all */
    struct vbt_model_ticks thinned; /* while loading, those of the newest TIMELINE chunk */

    struct vbt_model_interval *intervals; /* in order of id */
    size_t interval_count, interval_capacity, interval_compacted;
    struct vbt_model_interval_site *interval_sites; /* in order of interval and node */
    size_t interval_site_count, interval_site_capacity, interval_site_compacted;
    uint64_t rows_seen;
    struct vbt_sections sections; /* when they ran; not of a merged trace */

    /* Of a merged trace: its processes, each with what ran, its totals, its course of memory and
     * its end. None: it is the trace of one process. */
    struct vbt_model *processes;
    size_t process_rows, process_capacity;
    struct vbt_model_process_part *process_parts; /* in order of node and process */
    uint32_t *process_part_at;                    /* by node: its first part; one more than there are nodes */
    size_t process_part_count, process_part_capacity;
    size_t process_tick_count; /* of all of them, while loading */
    struct vbt_packed_rows process_counters;
    struct vbt_model_together together;
    struct vbt_model_taken taken; /* of a process of a merged trace */

    bool ended; /* the last chunk is an END */
    char *end_reason;
    uint64_t end_time;

    char *damage; /* NULL, or why the rest of the file was not read */
    uint64_t damage_offset;
};

void vbt_model_free(struct vbt_model *model);

/* Frees the nodes and their counters. */
void vbt_model_forget_paths(struct vbt_model *model);

/* Frees rows 1 to count and the array. */
void vbt_model_threads_free(struct vbt_model_thread *threads, size_t count);

/* What goes before the reason of the end in a sentence: "ended by exit", but "ended unseen". */
static inline const char *vbt_model_ended_how(const struct vbt_model *model) {
    return strcmp(model->end_reason, "unseen") == 0 ? "ended " : "ended by ";
}

/* Was the trace written to its end, so that nothing is missing? */
static inline bool vbt_model_complete(const struct vbt_model *model) { return model->ended && model->damage == NULL; }

static inline const char *vbt_model_string(const struct vbt_model *model, uint32_t id) {
    return model->text + model->string_at[id];
}

/* Is it the sum of several traces? */
static inline bool vbt_model_is_merged(const struct vbt_model *model) { return model->process_rows > 0; }

/* The first value of a key of the PROCESS chunk; NULL if there is none. */
const char *vbt_model_process(const struct vbt_model *model, const char *key);

/* A key of the PROCESS chunk as a number; 0 if there is none. */
int64_t vbt_model_process_number(const struct vbt_model *model, const char *key);

/* The functions that the trace names at a native site, or NULL. */
static inline const struct vbt_named_site *vbt_model_named_site(const struct vbt_model *model, uint32_t site) {
    return site < model->named_site_count && model->named_sites[site].count > 0 ? &model->named_sites[site] : NULL;
}

static inline int64_t vbt_model_domain(const struct vbt_model *model, enum vbt_domain domain, enum vbt_domain_field field) {
    return model->state[VBT_STATE_DOMAIN + 16 * (int)domain + (int)field];
}

/* The interval of an id; NULL if there is none. */
const struct vbt_model_interval *vbt_model_interval_of(const struct vbt_model *model, uint64_t id);

/* Time of the last known event of the process, in ns since its start. */
uint64_t vbt_model_duration(const struct vbt_model *model);

#endif
