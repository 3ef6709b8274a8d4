/* See line_table.h: the columns of tables of lines. */
#include "line_table.h"

#include "analyzer/report/paragraph.h"
#include "analyzer/analysis/measure.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"

#include <stdlib.h>
#include <string.h>

/* Freed is Bytes minus Left; it, the number of frees, and what grew are shown only to whoever sorts
 * by them. Mem usage here is that of the ticks at which something had changed at the line, which is
 * seldom more than the size of the process. */
static const struct {
    struct vbt_column column;
    const char *key; /* of --sort */
} all[VBT_LINE_COLUMNS] = {
    [VBT_LINE_ALLOCS] = {{.title = "Allocs", .align = VBT_RIGHT, .gap = 2}, "allocs"},
    [VBT_LINE_BYTES] = {{.title = "Bytes", .align = VBT_RIGHT, .gap = 2, .width = 8}, "bytes"},
    [VBT_LINE_PEAK] = {{.title = "At peak", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 1}, "peak"},
    [VBT_LINE_LEFT] = {{.title = "Left", .align = VBT_RIGHT, .gap = 2, .width = 8, .drop = 2}, "net"},
    [VBT_LINE_TEMPORARY] = {{.title = "Temp", .align = VBT_RIGHT, .gap = 2, .drop = 3}, "temporary"},
    [VBT_LINE_FREES] = {{.title = "Frees", .align = VBT_RIGHT, .gap = 2}, "frees"},
    [VBT_LINE_FREED] = {{.title = "Freed", .align = VBT_RIGHT, .gap = 2, .width = 8}, "freed"},
    [VBT_LINE_GROWN] = {{.title = "Grown", .align = VBT_RIGHT, .gap = 2, .width = 8}, "grown"},
    [VBT_LINE_MEM_USAGE] = {{.title = "Mem usage", .align = VBT_RIGHT, .gap = 2}, "rss"},
};

static bool sorts_by(const char *sort, int column) { return strcmp(sort, all[column].key) == 0; }

void vbt_line_columns_choose(bool shown[VBT_LINE_COLUMNS], const struct vbt_sums *total, const char *sort) {
    for (int i = 0; i < VBT_LINE_COLUMNS; i++)
        shown[i] = i < VBT_LINE_FREES || sorts_by(sort, i);
    shown[VBT_LINE_PEAK] = vbt_measure_is_known(VBT_MEASURE_PEAK);
    if (total->live_bytes == 0 && total->live_blocks == 0 && !sorts_by(sort, VBT_LINE_LEFT))
        shown[VBT_LINE_LEFT] = false;
    if (total->temporary == 0 && !sorts_by(sort, VBT_LINE_TEMPORARY))
        shown[VBT_LINE_TEMPORARY] = false;
}

size_t vbt_line_columns_put(struct vbt_column *columns, const bool shown[VBT_LINE_COLUMNS], const char *sort) {
    size_t count = 0;
    for (int i = 0; i < VBT_LINE_COLUMNS; i++) {
        if (!shown[i])
            continue;
        columns[count] = all[i].column;
        if (sorts_by(sort, i))
            columns[count].drop = 0;
        count++;
    }
    return count;
}

static struct vbt_unit cell_of(int column, const struct vbt_sums *s) {
    switch (column) {
    case VBT_LINE_ALLOCS:
        return vbt_count((int64_t)s->allocs);
    case VBT_LINE_PEAK:
        return vbt_bytes(s->at_peak_bytes);
    case VBT_LINE_LEFT:
        return vbt_bytes(s->live_bytes);
    case VBT_LINE_TEMPORARY:
        return vbt_count((int64_t)s->temporary);
    case VBT_LINE_FREES:
        return vbt_count((int64_t)s->frees);
    case VBT_LINE_FREED:
        return vbt_bytes((int64_t)s->freed);
    case VBT_LINE_GROWN:
        return vbt_bytes(s->grown_bytes);
    case VBT_LINE_MEM_USAGE:
        return s->max_rss_bytes > 0 ? vbt_mib((int64_t)s->max_rss_bytes) : (struct vbt_unit){""};
    default:
        return vbt_bytes((int64_t)s->allocated);
    }
}

void vbt_line_cells_put(struct vbt_text_table *table, const bool shown[VBT_LINE_COLUMNS], const struct vbt_sums *sums) {
    for (int i = 0; i < VBT_LINE_COLUMNS; i++)
        if (shown[i])
            vbt_text_table_cell(table, "%s", cell_of(i, sums).text);
}

void vbt_line_columns_explain(const struct vbt_text_table *table, bool mem_usage, struct vbt_output *output) {
    const char *left_out = vbt_text_table_left_out(table);
    if (left_out[0] != '\0') {
        char *text = vbt_text("Omitted to fit the width: %s.", left_out);
        putc('\n', output->stream);
        vbt_paragraph_print(output, "", text, false);
        free(text);
    }
    if (mem_usage && strstr(left_out, all[VBT_LINE_MEM_USAGE].column.title) == NULL) {
        putc('\n', output->stream);
        vbt_paragraph_print(output, "", "Mem usage is the largest resident set seen at a line, vbtrace's own memory included.",
                            false);
    }
}
