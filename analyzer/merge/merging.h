/* The sum of several traces while it is made: for the files of this folder. */
#ifndef VBT_MERGING_H
#define VBT_MERGING_H

#include "moment.h"
#include "analyzer/base/arrays/id_table.h"
#include "analyzer/symbols/native/address_map.h"
#include "analyzer/trace/changes.h"
#include "analyzer/trace/model.h"

/* Ids of the sum are in order of discovery until vbt_merging_order. Until then a native site's
 * address is one in its file, and its module the row of the model's modules, plus 1. */
struct vbt_merging {
    struct vbt_model sum;
    struct vbt_id_table strings, codes, modules, sites, nodes, intervals, interval_sites, lines, sources, pairs;
    bool by_process;  /* what each process counted at a node is kept apart, too */
    bool with_moment; /* what was live then is taken for what was live at the peak */
    int64_t moment_started;
    uint64_t moment, farthest;
    bool any_unnamed; /* a trace with native sites and without names */
};

/* From the ids of a trace to those of the sum; 0: not asked for yet. */
struct vbt_translation {
    const struct vbt_model *from;
    struct vbt_address_map map;
    uint32_t *strings, *codes, *sites, *modules, *nodes, *intervals;
    uint32_t *processes; /* of its rows of processes */
    bool program_is_users;
};

/* merged_definitions.c: what ids stand for. */
void vbt_translation_begin(struct vbt_translation *translation, struct vbt_merging *merging, const struct vbt_model *from);
void vbt_translation_end(struct vbt_translation *translation);
uint32_t vbt_merged_string(struct vbt_merging *merging, struct vbt_translation *translation, uint32_t id);
uint32_t vbt_merged_site(struct vbt_merging *merging, struct vbt_translation *translation, uint32_t id);
uint32_t vbt_merged_text(struct vbt_merging *merging, const char *text);
void vbt_merging_add_nodes(struct vbt_merging *merging, struct vbt_translation *translation);

/* merged_counts.c: what was counted at nodes, and the totals. keep: by process of the trace,
 * whether it counts; NULL: all do. moment: if not NULL, when the peak is. */
void vbt_merging_add_counts(struct vbt_merging *merging, const struct vbt_translation *translation, const bool *keep,
                            const struct vbt_moment *moment);

/* merged_details.c: source lines; of all processes of the trace, intervals and counted lines, too:
 * these are not known by process. */
void vbt_merging_add_details(struct vbt_merging *merging, struct vbt_translation *translation, bool all);

/* merged_processes.c: the table of processes. Takes what it needs out of the trace. */
void vbt_merging_add_processes(struct vbt_merging *merging, struct vbt_translation *translation, struct vbt_model *from,
                               const bool *keep);
/* After the last trace: what they have in common. */
void vbt_merging_describe(struct vbt_merging *merging);

/* merged_order.c: puts everything into an order that depends on its content alone. */
void vbt_merging_order(struct vbt_merging *merging);

#endif
