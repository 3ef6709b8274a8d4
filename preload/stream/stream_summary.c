/* See stream_summary.h. */
#include "stream_summary.h"

#include "stream.h"
#include "preload/process/process.h"
#include "preload/shared/options.h"
#include "preload/shared/say.h"

static const char *plural(uint64_t count) { return count == 1 ? "" : "s"; }

void vbt_stream_print_summary(void) {
    struct vbt_summary summary;
    vbt_stream_summary(&summary);
    if (summary.failure != NULL)
        vbt_say("%s", summary.failure);
    if (!summary.written || vbt_options.quiet)
        return;
    vbt_say("%s: %lu allocation%s, %lu byte%s; at most %ld byte%s at a time; %lu event%s lost", vbt_program_name(),
            (unsigned long)summary.allocs, plural(summary.allocs), (unsigned long)summary.allocated, plural(summary.allocated),
            (long)summary.peak, plural((uint64_t)summary.peak), (unsigned long)summary.lost, plural(summary.lost));
    vbt_say("trace: %s (%lu bytes)", summary.path, (unsigned long)summary.file_bytes);
    vbt_say("next: vbtrace report %s", summary.path);
}
