/* What a comparison finds: which differences say something, in which order, and what has to be
 * known to read them right. */
#ifndef VBT_FINDINGS_H
#define VBT_FINDINGS_H

#include "compare_order.h"
#include "comparison.h"

struct vbt_table_findings {
    struct vbt_judgement judgement;
    struct vbt_ranking changes;
};

struct vbt_findings {
    const struct vbt_comparison *comparison;
    struct vbt_judgement totals, whole, sections;
    struct vbt_table_findings lines, functions, paths, modules;
    size_t moved;     /* lines that are the same, but elsewhere in their files */
    char *difference; /* see vbt_comparison_difference */
    char **notes;     /* sentences */
    size_t note_count, note_capacity;
};

/* sort: one of vbt_change_keys. all: tables list rows that did not change, too. The comparison must
 * live longer. */
void vbt_findings_get(struct vbt_findings *findings, const struct vbt_comparison *comparison, const struct vbt_least_effect *least,
                      const char *sort, bool all);
void vbt_findings_free(struct vbt_findings *findings);

/* Is anything different that says something, in any table? */
bool vbt_findings_any(const struct vbt_findings *findings);

/* How a pair of lines, or of functions, is not what it was; bits. */
enum { VBT_LINE_MOVED = 1, VBT_LINE_EDITED = 2, VBT_FUNCTION_RENAMED = 4, VBT_FILE_MOVED = 8 };
unsigned vbt_place_changes(const struct vbt_comparison *comparison, uint32_t place_pair);
unsigned vbt_function_changes(const struct vbt_comparison *comparison, uint32_t function_pair);

/* Adds a sentence and takes ownership of it; one that is there already is not added. */
void vbt_findings_note(struct vbt_findings *findings, char *note);

/* Adds what has to be known: see compare_notes.c. */
void vbt_findings_notes(struct vbt_findings *findings);

#endif
