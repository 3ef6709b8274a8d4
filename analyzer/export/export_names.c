/* See export_names.h. */
#include "export_names.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/json.h"
#include "analyzer/base/message.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <stdlib.h>
#include <string.h>

size_t vbt_export_events(struct vbt_export_event events[VBT_EXPORT_EVENTS], const struct vbt_query *query, const char *format) {
    static const struct vbt_export_event all[] = {
        {"Bytes", "Bytes allocated", VBT_MEASURE_BYTES},
        {"Allocs", "Allocations", VBT_MEASURE_ALLOCS},
        {"PeakBytes", "Bytes live at the peak", VBT_MEASURE_PEAK},
        {"LiveBytes", "Bytes live at the end", VBT_MEASURE_LIVE},
        {"LiveBlocks", "Blocks live at the end", VBT_MEASURE_LIVE_BLOCKS},
        {"Temporary", "Temporary allocations", VBT_MEASURE_TEMPORARY},
    };
    _Static_assert(VBT_COUNT(all) == VBT_EXPORT_EVENTS, "all of them fit");
    enum vbt_measure first = query->measure == VBT_MEASURE_LEAKS ? VBT_MEASURE_LIVE : query->measure;
    size_t count = 0;
    for (int others = 0; others < 2; others++)
        for (size_t i = 0; i < VBT_EXPORT_EVENTS; i++)
            if ((all[i].measure != first) == (others == 1) && vbt_measure_is_known(all[i].measure))
                events[count++] = all[i];
    if (!vbt_measure_is_known(VBT_MEASURE_PEAK))
        vbt_warn("%s: %s: PeakBytes is left out, since it is not known of this part of the run", query->trace, format);
    return count;
}

char *vbt_export_name(const char *name) { return vbt_utf8_printable(name, strlen(name)); }

void vbt_export_json_text(const char *text, FILE *out) {
    json_t *json = vbt_json_text(text);
    char *quoted = json_dumps(json, JSON_ENCODE_ANY);
    if (quoted == NULL)
        vbt_out_of_memory();
    fputs(quoted, out);
    free(quoted);
    json_decref(json);
}
