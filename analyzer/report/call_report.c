/* See call_report.h. */
#include "call_report.h"

#include "json_rows.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/file_name.h"
#include "analyzer/base/utf8.h"
#include "format/count.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum vbt_measure measure;
    const char *name;
} fields[] = {
    {VBT_MEASURE_ALLOCS, "allocs"},        {VBT_MEASURE_BYTES, "allocated_bytes"},   {VBT_MEASURE_PEAK, "at_peak_bytes"},
    {VBT_MEASURE_LIVE, "live_bytes"},      {VBT_MEASURE_LIVE_BLOCKS, "live_blocks"}, {VBT_MEASURE_TEMPORARY, "temporary_allocs"},
    {VBT_MEASURE_LEAKS, "own_live_bytes"}, {VBT_MEASURE_BLOCKS, "own_live_blocks"},  {VBT_MEASURE_GROWN, "grown_bytes"},
};

/* The own ones came later; CSV has them in columns of their own, and none for the last. */
enum { FIELDS = VBT_COUNT(fields), OWN_FIELDS = FIELDS - 1, CSV_FIELDS = FIELDS - 3 };

const char *vbt_measure_title(enum vbt_measure measure) {
    static const char *const titles[VBT_MEASURES] = {
        [VBT_MEASURE_BYTES] = "Bytes allocated",           [VBT_MEASURE_ALLOCS] = "Allocations",
        [VBT_MEASURE_PEAK] = "Bytes live at the peak",     [VBT_MEASURE_LEAKS] = "Bytes live at the end",
        [VBT_MEASURE_TEMPORARY] = "Temporary allocations", [VBT_MEASURE_BLOCKS] = "Blocks live at the end",
        [VBT_MEASURE_GROWN] = "Growth of live bytes",
    };
    return titles[measure];
}

struct vbt_unit vbt_measure_text(enum vbt_measure measure, int64_t value) {
    return vbt_measure_is_bytes(measure) ? vbt_bytes(value) : vbt_count(value);
}

struct vbt_unit vbt_share(int64_t part, int64_t whole) {
    struct vbt_unit out = {""};
    double percent = whole > 0 ? 100 * (double)part / (double)whole : NAN;
    if (percent > 0 && percent < 0.005)
        strcpy(out.text, "<0.01%");
    else if (!isnan(percent))
        snprintf(out.text, sizeof out.text, "%.*f%%", fabs(percent) < 0.95 && percent != 0 ? 2 : 1, percent);
    return out;
}

char *vbt_change_text(enum vbt_measure measure, int64_t before, int64_t after) {
    int64_t change = (int64_t)((uint64_t)after - (uint64_t)before);
    if (change == 0)
        return vbt_text("the same");
    const char *sign = change > 0 ? "+" : "", *which = before == 0 ? "new" : "gone";
    char *share = before != 0 && after != 0 ? vbt_text("%s%s", sign, vbt_share(change, before).text) : vbt_text("%s", which);
    char *text = vbt_text("%s%s, %s", sign, vbt_measure_text(measure, change).text, share);
    free(share);
    return text;
}

char *vbt_call_name(const struct vbt_source_place *place) {
    if (place->kind == VBT_PLACE_SPECIAL)
        return vbt_copy(place->function, strlen(place->function));
    if (place->line > 0)
        return vbt_text("%s (%s:%lld)", place->function, vbt_file_name(place->file), (long long)place->line);
    if (vbt_place_is_address(place))
        return vbt_copy(place->function, strlen(place->function));
    return vbt_text("%s (%s)", place->function, vbt_file_name(place->file));
}

char *vbt_place_position(const struct vbt_source_place *place) {
    if (place->kind == VBT_PLACE_SPECIAL)
        return vbt_copy("", 0);
    return place->line > 0 ? vbt_text("%s:%lld", place->file, (long long)place->line) : vbt_text("%s", place->file);
}

const char *vbt_call_kind(const struct vbt_call_tree *tree, uint32_t call) {
    const struct vbt_source_place *place = vbt_call_place(tree, call);
    if (tree->calls[call].inlined)
        return "inlined";
    return place == NULL                     ? "special"
           : place->kind == VBT_PLACE_PYTHON ? "python"
           : place->kind == VBT_PLACE_NATIVE ? "native"
                                             : "special";
}

int64_t vbt_least(const struct vbt_query *query, int64_t whole) {
    double share = whole > 0 ? ceil(query->min_share * (double)whole) : 0;
    int64_t least = share > (double)query->min_value ? (int64_t)share : (int64_t)query->min_value;
    return least > 0 ? least : INT64_MIN;
}

void vbt_json_measures(json_t *row, const char *prefix, const int64_t of[VBT_MEASURES]) {
    for (int i = 0; i < FIELDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", prefix, fields[i].name);
        json_object_set_new(row, name, vbt_json_measure(fields[i].measure, of[fields[i].measure]));
    }
}

void vbt_buffer_json_measures(struct vbt_text_buffer *buffer, const char *prefix, const int64_t of[VBT_MEASURES]) {
    size_t length = strlen(prefix);
    for (int i = 0; i < FIELDS; i++) {
        vbt_buffer_text(buffer, i > 0 ? ", \"" : "\"");
        vbt_buffer_bytes(buffer, prefix, length);
        vbt_buffer_text(buffer, fields[i].name);
        vbt_buffer_text(buffer, "\": ");
        if (vbt_measure_is_known(fields[i].measure))
            vbt_buffer_integer(buffer, of[fields[i].measure]);
        else
            vbt_buffer_text(buffer, "null");
    }
}

static char *csv_titles(const char *prefix, int from, int to) {
    char *titles = vbt_copy("", 0);
    for (int i = from; i < to; i++) {
        char *longer = vbt_text("%s,%s%s", titles, prefix, fields[i].name);
        free(titles);
        titles = longer;
    }
    return titles;
}

char *vbt_csv_measure_titles(const char *prefix) { return csv_titles(prefix, 0, CSV_FIELDS); }

char *vbt_csv_own_titles(const char *prefix) { return csv_titles(prefix, CSV_FIELDS, OWN_FIELDS); }

void vbt_csv_measure(struct vbt_csv *csv, enum vbt_measure measure, int64_t value) {
    if (vbt_measure_is_known(measure))
        vbt_csv_integer(csv, value);
    else
        vbt_csv_text(csv, NULL);
}

static void csv_fields(struct vbt_csv *csv, const int64_t of[VBT_MEASURES], int from, int to) {
    for (int i = from; i < to; i++)
        vbt_csv_measure(csv, fields[i].measure, of[fields[i].measure]);
}

void vbt_csv_measures(struct vbt_csv *csv, const int64_t of[VBT_MEASURES]) { csv_fields(csv, of, 0, CSV_FIELDS); }

void vbt_csv_own(struct vbt_csv *csv, const int64_t of[VBT_MEASURES]) { csv_fields(csv, of, CSV_FIELDS, OWN_FIELDS); }

json_t *vbt_json_call(const struct vbt_call_tree *tree, uint32_t call) {
    const struct vbt_source_place *place = vbt_call_place(tree, call);
    json_t *row = vbt_json_place(place, NULL);
    json_object_set_new(row, "kind", json_string(vbt_call_kind(tree, call)));
    json_object_set_new(row, "module", vbt_json_text(place->module));
    return row;
}
