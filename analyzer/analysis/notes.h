/* What a person must know to read the numbers correctly. */
#ifndef VBT_NOTES_H
#define VBT_NOTES_H

#include "conservation.h"
#include "intervals.h"
#include "trace.h"

struct vbt_notes {
    char **text; /* sentences */
    size_t count, capacity;
};

/* Call it after everything in the report has been looked up: it also names the sources and binaries
 * that are newer than the trace. */
void vbt_notes_collect(struct vbt_notes *notes, const struct vbt_trace *trace, const struct vbt_conservation *conservation,
                       const struct vbt_interval_list *intervals);
void vbt_notes_free(struct vbt_notes *notes);

/* The short name of a reason for lost events, for JSON ("signal"). */
const char *vbt_lost_name(enum vbt_lost reason);

/* What was lost for a reason as a sentence, for the caller to free; NULL: nothing. */
char *vbt_lost_note(const struct vbt_model *model, enum vbt_lost reason);

/* The number of lost events of all reasons. */
uint64_t vbt_lost_total(const struct vbt_model *model);

#endif
