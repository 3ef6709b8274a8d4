/* See page.h. */
#include "page.h"

#include "page_columns.h"
#include "page_pack.h"
#include "page_sources.h"
#include "page_tables.h"
#include "page_template.h"
#include "page_timeline.h"
#include "analyzer/analysis/cells/cells_fold.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/base/allocate.h"
#include "analyzer/base/units.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/interval_report.h"
#include "analyzer/report/line_mode/line_profile_data.h"
#include "analyzer/report/merged_report.h"
#include "analyzer/report/report_json.h"

#include <stdlib.h>
#include <string.h>

/* Larger pages are slow to load, send and keep; the template takes some 150 KB more. */
enum { MOST_BYTES = 4800000, MOST_ATTEMPTS = 3, LEAST_CALLS = 1000 };

static void write_intervals(struct vbt_json *json, const struct vbt_interval_list *intervals, uint64_t per) {
    vbt_json_array_begin(json, "intervals");
    for (size_t i = 0; i < intervals->count; i++)
        vbt_json_item(json, vbt_json_interval(&intervals->rows[i], per));
    vbt_json_array_end(json);
    vbt_json_unended(json, intervals);
}

static json_t *title_of(const struct vbt_model *model) {
    char *title = vbt_model_is_merged(model) ? vbt_processes_title(model) : vbt_command_line(model);
    json_t *text = vbt_json_text(title);
    free(title);
    return text;
}

static json_t *filters_of(const struct vbt_query *query) {
    json_t *filters = json_array();
    for (unsigned i = 0; i < query->filter_count; i++)
        json_array_append_new(filters, vbt_json_text(query->filters[i]));
    return filters;
}

static json_t *part_text_of(const struct vbt_page_content *content) {
    char *part = vbt_part_text(&content->trace->model, content->query);
    json_t *text = vbt_json_text(part);
    free(part);
    return text;
}

static void write_notes(struct vbt_json *json, const struct vbt_page_content *content) {
    struct vbt_notes notes;
    vbt_notes_collect(&notes, content->trace, content->conservation, content->intervals);
    vbt_json_array_begin(json, "notes");
    for (size_t i = 0; i < notes.count; i++)
        vbt_json_item(json, vbt_json_text(notes.text[i]));
    vbt_json_array_end(json);
    vbt_notes_free(&notes);
}

/* Everything but what goes with the columns. */
static void write_header(struct vbt_json *json, const struct vbt_page_content *content) {
    const struct vbt_trace *trace = content->trace;
    vbt_json_report_head(json, &trace->model, content->conservation);
    write_intervals(json, content->intervals, content->query->per);
    if (content->profile->count > 0)
        vbt_json_line_profile(json, content->profile, UINT64_MAX, content->query->no_source ? NULL : trace->sources);
    vbt_json_member(json, "title", title_of(&trace->model));
    vbt_json_member(json, "trace", vbt_json_text(content->query->trace));
    vbt_json_member(json, "part_text", part_text_of(content));
    vbt_json_member(json, "filters", filters_of(content->query));
    vbt_page_steps_write(json, trace);
    vbt_page_timeline_write(json, &trace->model);
}

/* A sentence on what is not told apart, for the caller to free. */
static char *folded_text(const struct vbt_folded *folded) {
    return vbt_text("The page would be larger than 5 MB: %s with the least are not told apart. What was counted at them (%s, %s) "
                    "stands at frames called " VBT_SMALLER_CALLS ", still by line.",
                    vbt_counted((int64_t)folded->calls, "call").text, vbt_counted((int64_t)folded->allocs, "allocation").text,
                    vbt_bytes((int64_t)folded->bytes).text);
}

static json_t *folded_of(const struct vbt_folded *folded) {
    if (folded->calls == 0)
        return json_null();
    json_t *object = json_object();
    char *text = folded_text(folded);
    json_object_set_new(object, "calls", json_integer((json_int_t)folded->calls));
    json_object_set_new(object, "bytes", vbt_json_unsigned(folded->bytes));
    json_object_set_new(object, "allocs", vbt_json_unsigned(folded->allocs));
    json_object_set_new(object, "text", json_string(text));
    free(text);
    return object;
}

/* before: how many calls there were. */
static struct vbt_text_buffer pack(const struct vbt_page_content *content, size_t before) {
    const struct vbt_trace *trace = content->trace;
    char *header = NULL;
    size_t size = 0;
    struct vbt_page_columns columns;
    struct vbt_page_frames frames;
    struct vbt_page_names *names = vbt_page_names_new();
    FILE *out = open_memstream(&header, &size);
    if (out == NULL)
        vbt_out_of_memory();
    vbt_page_columns_begin(&columns);
    vbt_page_frames_build(&frames, names, &content->cells->tree, trace);
    const struct vbt_folded folded = vbt_cells_folded(content->cells, before);
    struct vbt_json json;
    vbt_json_begin(&json, out, "html");
    write_header(&json, content);
    vbt_json_member(&json, "folded", folded_of(&folded));
    vbt_json_member(&json, "counts", vbt_page_tables_write(&columns, &frames, content->cells));
    vbt_page_sources_write(&json, names, &content->cells->tree, content->query->no_source ? NULL : trace->sources);
    vbt_page_names_write(names, &json);
    write_notes(&json, content); /* after all sources were looked up */
    vbt_json_member(&json, "columns", json_incref(columns.list));
    vbt_json_end(&json);
    if (fclose(out) != 0)
        vbt_out_of_memory();
    struct vbt_page_pack *pack = vbt_page_pack_begin();
    const uint8_t little_endian[4] = {(uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24)};
    vbt_page_pack_add(pack, little_endian, sizeof little_endian);
    vbt_page_pack_add(pack, header, size);
    vbt_page_pack_add(pack, columns.bytes.text, columns.bytes.size);
    free(header);
    vbt_page_columns_free(&columns);
    vbt_page_names_free(names);
    vbt_page_frames_free(&frames);
    return vbt_page_pack_end(pack);
}

/* About how many bytes of text the tables take: 2 a call and 1 a change, in base64. */
static size_t guess_size(const struct vbt_cells *cells) { return (2 * cells->tree.count + cells->change_count) * 4 / 3; }

/* Folds calls until the guess is at most so many bytes. */
static void fold(struct vbt_cells *cells, double bytes) {
    for (double most = (double)cells->tree.count; most > LEAST_CALLS && (double)guess_size(cells) > bytes; most *= 0.6)
        vbt_cells_fold(cells, (size_t)(most * 0.6));
}

struct vbt_text_buffer vbt_page_data(const struct vbt_page_content *content) {
    struct vbt_cells *cells = content->cells;
    size_t before = cells->tree.count;
    fold(cells, 2.0 * MOST_BYTES); /* what is far too much is not worth a try */
    struct vbt_text_buffer text = pack(content, before);
    for (int attempt = 0; attempt < MOST_ATTEMPTS && text.size > MOST_BYTES; attempt++) {
        fold(cells, 0.95 * MOST_BYTES / (double)text.size * (double)guess_size(cells));
        free(text.text);
        text = pack(content, before);
    }
    return text;
}

/* Prints the template up to a mark, and the text in its place. Returns what follows. */
static const char *print_until(const char *from, const char *mark, const struct vbt_text_buffer *text, FILE *out) {
    const char *at = strstr(from, mark);
    fwrite(from, 1, (size_t)(at - from), out);
    if (text->size > 0)
        fwrite(text->text, 1, text->size, out);
    return at + strlen(mark);
}

void vbt_page_print(const struct vbt_text_buffer *data, const struct vbt_text_buffer *against, FILE *out) {
    const char *rest = print_until(vbt_page_template, VBT_PAGE_DATA, data, out);
    fputs(print_until(rest, VBT_PAGE_AGAINST, against, out), out);
}
