/* See page.h. */
#include "page.h"

#include "page_columns.h"
#include "page_pack.h"
#include "page_sources.h"
#include "page_tables.h"
#include "page_template.h"
#include "page_timeline.h"
#include "analyzer/analysis/moments.h"
#include "analyzer/analysis/notes.h"
#include "analyzer/base/allocate.h"
#include "analyzer/report/command_line.h"
#include "analyzer/report/interval_report.h"
#include "analyzer/report/line_mode/line_profile_data.h"
#include "analyzer/report/merged_report.h"
#include "analyzer/report/report_json.h"

#include <stdlib.h>
#include <string.h>

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

struct vbt_text_buffer vbt_page_data(const struct vbt_page_content *content) {
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
    struct vbt_json json;
    vbt_json_begin(&json, out, "html");
    write_header(&json, content);
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
