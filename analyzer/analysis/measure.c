/* See measure.h. */
#include "measure.h"

#include "query.h"

#include <stddef.h>

const char *const vbt_measure_names[] = {"bytes", "allocs", "peak", "leaks", "temporary", "grown", NULL};

static bool peak_is_unknown;

void vbt_measure_peak_is_known(bool known) { peak_is_unknown = !known; }

bool vbt_measure_is_known(enum vbt_measure measure) { return measure != VBT_MEASURE_PEAK || !peak_is_unknown; }

const char *const vbt_group_nouns[VBT_GROUPS] = {
    [VBT_BY_NOTHING] = "",        [VBT_BY_MODULE] = "module",   [VBT_BY_THREAD] = "thread", [VBT_BY_DOMAIN] = "domain",
    [VBT_BY_PROCESS] = "process", [VBT_BY_PROGRAM] = "program", [VBT_BY_RANK] = "rank",     [VBT_BY_HOST] = "host"};
