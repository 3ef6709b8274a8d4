/* See line_csv.h. */
#include "line_csv.h"

#include "analyzer/analysis/measure.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"

#include <stdlib.h>

/* What JSON has as null is an empty cell. */
static void put_known(struct vbt_csv *csv, bool known, uint64_t value) {
    if (known)
        vbt_csv_unsigned(csv, value);
    else
        vbt_csv_text(csv, NULL);
}

void vbt_line_csv_print(const struct vbt_lines *lines, uint64_t limit, struct vbt_sources *sources, FILE *out) {
    struct vbt_csv csv;
    vbt_csv_begin(&csv, out,
                  "file,line,function,source,allocs,frees,allocated_bytes,freed_bytes,live_blocks,live_bytes,at_peak_bytes,"
                  "temporary_allocs,min_bytes,max_bytes,max_rss_bytes");
    for (size_t i = 0; i < lines->count && i < limit; i++) {
        const struct vbt_source_place *place = lines->rows[i].place;
        const struct vbt_sums *s = &lines->rows[i].sums;
        bool any = s->smallest <= s->largest;
        size_t size;
        const char *source = vbt_source_of_place(sources, place, &size);
        char *text = source != NULL ? vbt_copy(source, size) : NULL;
        vbt_csv_text(&csv, place->file);
        vbt_csv_integer(&csv, place->line);
        vbt_csv_text(&csv, place->function);
        vbt_csv_text(&csv, text);
        vbt_csv_unsigned(&csv, s->allocs);
        vbt_csv_unsigned(&csv, s->frees);
        vbt_csv_unsigned(&csv, s->allocated);
        vbt_csv_unsigned(&csv, s->freed);
        vbt_csv_integer(&csv, s->live_blocks);
        vbt_csv_integer(&csv, s->live_bytes);
        if (vbt_measure_is_known(VBT_MEASURE_PEAK))
            vbt_csv_integer(&csv, s->at_peak_bytes);
        else
            vbt_csv_text(&csv, NULL);
        vbt_csv_unsigned(&csv, s->temporary);
        put_known(&csv, any, s->smallest);
        put_known(&csv, any, s->largest);
        put_known(&csv, s->max_rss_bytes > 0, s->max_rss_bytes);
        vbt_csv_end_row(&csv);
        free(text);
    }
}
