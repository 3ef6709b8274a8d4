/* What line mode was to count and did not: a name that nothing has is easily given. */
#ifndef VBT_UNCOUNTED_LINES_H
#define VBT_UNCOUNTED_LINES_H

#include "analyzer/trace/model.h"

/* Why lines that were asked for are not there, "no line was counted: ..." or "no function that ran is called ...", without a full stop,
 * for the caller to free; NULL if nobody asked, or all that was asked for is there. */
char *vbt_uncounted_lines(const struct vbt_model *model);

#endif
