/* What a person has to know to read the numbers right. */
#ifndef VBT_NOTES_H
#define VBT_NOTES_H

#include "conservation.h"
#include "trace.h"

struct vbt_notes {
    char **text; /* sentences */
    size_t count, capacity;
};

/* Call it when everything that is reported was looked up: it also says which sources and binaries are newer than the trace. */
void vbt_notes_collect(struct vbt_notes *notes, const struct vbt_trace *trace, const struct vbt_conservation *conservation);
void vbt_notes_free(struct vbt_notes *notes);

/* Short name of a reason for lost events, for JSON ("signal"). */
const char *vbt_lost_name(enum vbt_lost reason);

/* All that was lost, whatever the reason. */
uint64_t vbt_lost_total(const struct vbt_model *model);

#endif
