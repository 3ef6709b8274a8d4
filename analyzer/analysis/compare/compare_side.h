/* One side of a comparison: what its runs did, without their traces. */
#ifndef VBT_COMPARE_SIDE_H
#define VBT_COMPARE_SIDE_H

#include "compare_course.h"
#include "match/compare_places.h"
#include "compare_values.h"
#include "analyzer/analysis/query.h"

/* What is known of a run as a whole. Texts are NULL if they are not known. */
struct vbt_compared_run {
    char *name;                              /* the trace, or the folder */
    char *program, *python, *libc, *vbtrace; /* what ran, and versions */
    char *exe, *host, *native, *cwd;
    char *allocator; /* the library that takes the place of the C library's; NULL: none is known */
    char *libraries; /* lines of "name build-id", sorted, without the program's own */
    size_t processes;
    int64_t threads;
    bool complete;
    uint64_t lost, duration; /* events; ns */
    int64_t peak, peak_error, max_rss;
    int64_t counts[VBT_C_KINDS];
    bool apart; /* these were not added up from call paths, but for what was live at the peak */
    struct vbt_course course;
};

/* A call path: a frame below a path. Row 0 is the root, which is no frame. */
struct vbt_compared_path {
    uint32_t parent; /* smaller than its own index */
    uint32_t place;
    bool inlined; /* into its parent */
};

/* What sections and intervals have in vbt_values. */
enum vbt_section_number {
    VBT_S_COUNT,
    VBT_S_ITERATIONS, /* 0: unknown */
    VBT_S_ALLOCS,
    VBT_S_FREES,
    VBT_S_BYTES,
    VBT_S_FREED,
    VBT_S_NET,
    VBT_S_HIGH, /* the highest point above the start, of all repetitions */
    VBT_S_TIME,
    VBT_S_NUMBERS
};

struct vbt_compared_section {
    bool section;      /* false: between two clock readings */
    char *label;       /* "" between two clock readings */
    uint32_t from, to; /* places */
};

struct vbt_side {
    struct vbt_compared_run *runs;
    size_t run_count, added; /* how many there will be, and are */
    struct vbt_compared_places places;
    struct vbt_values lines; /* by place: what is attributed to it */
    struct vbt_compared_path *paths;
    size_t path_count, path_capacity;
    struct vbt_id_table path_table;
    struct vbt_values path_values; /* what was counted at the path itself */
    char **modules;                /* names, from 1 */
    size_t module_count, module_capacity;
    struct vbt_values module_values; /* what the code of a module asked for itself */
    struct vbt_compared_section *sections;
    size_t section_count, section_capacity;
    struct vbt_id_table section_table;
    struct vbt_values section_values;
    bool any_full;         /* a run has whole native stacks */
    size_t without_source; /* lines of the user's own whose text is not to be had */
};

void vbt_side_begin(struct vbt_side *side, size_t run_count);
void vbt_side_free(struct vbt_side *side);

/* Loads the traces that the query names as the next run, and frees them again. False after a
 * message. name: of the run. */
bool vbt_side_add(struct vbt_side *side, const struct vbt_query *query, const char *name);

#endif
