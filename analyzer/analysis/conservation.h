/* Whether what was counted by call path, and by thread, adds up to the totals, which were counted
 * separately. Only a trace that was written to its end can be checked: in others the two were
 * written at different times. */
#ifndef VBT_CONSERVATION_H
#define VBT_CONSERVATION_H

#include "analyzer/trace/model.h"

struct vbt_conservation {
    bool checked;
    bool holds;       /* true if it could not be checked */
    char *difference; /* NULL, or the first difference as a sentence */
};

void vbt_conservation_check(struct vbt_conservation *conservation, const struct vbt_model *model);
void vbt_conservation_free(struct vbt_conservation *conservation);

#endif
