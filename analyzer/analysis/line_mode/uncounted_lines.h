/* What line mode was asked to count and did not: it is easy to give a name that nothing has. */
#ifndef VBT_UNCOUNTED_LINES_H
#define VBT_UNCOUNTED_LINES_H

#include "analyzer/trace/model.h"

/* Why lines that were asked for are missing, "no line was counted: ..." or "no function that ran is
 * called ...", without a full stop, for the caller to free. NULL if none were asked for or all are
 * there. */
char *vbt_uncounted_lines(const struct vbt_model *model);

/* The number-th sentence, from 0 on, in which the process says that it stopped to count lines, or
 * never began; NULL after the last. */
const char *vbt_uncounted_since(const struct vbt_model *model, size_t number);

#endif
