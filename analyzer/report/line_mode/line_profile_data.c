/* See line_profile_data.h. */
#include "line_profile_data.h"

#include "analyzer/base/allocate.h"
#include "analyzer/base/csv.h"
#include "analyzer/base/wrapping.h"
#include "analyzer/report/json_rows.h"
#include "format/count.h"

#include <stdlib.h>

static void put_sums(json_t *to, const char *prefix, const struct vbt_profile_sums *s) {
    const struct {
        const char *name;
        int64_t value;
    } members[] = {
        {"time_ns", s->time},
        {"overhead_ns", s->overhead},
        {"allocs", s->allocs},
        {"frees", s->frees},
        {"allocated_bytes", s->allocated},
        {"freed_bytes", s->freed},
        {"temporary_allocs", s->temporary},
        {"objects", s->objects},
    };
    for (size_t i = 0; i < VBT_COUNT(members); i++) {
        char *name = vbt_text("%s%s", prefix, members[i].name);
        json_object_set_new(to, name, json_integer(members[i].value));
        free(name);
    }
}

static json_t *json_of_extreme(const struct vbt_profile_line *line, int64_t value) {
    return line->ran_before ? json_null() : json_integer(value);
}

static json_t *line_object(const struct vbt_profile_function *function, const struct vbt_profile_line *line,
                           struct vbt_sources *sources) {
    size_t size;
    const char *source = sources != NULL ? vbt_source_line(sources, function->place->file, line->line, &size) : NULL;
    char *text = source != NULL ? vbt_copy(source, size) : NULL;
    json_t *object = json_object();
    json_object_set_new(object, "line", json_integer(line->line));
    json_object_set_new(object, "source", vbt_json_text(text));
    json_object_set_new(object, "hits", vbt_json_unsigned(line->hits));
    json_object_set_new(object, "entries", vbt_json_unsigned(line->entries));
    put_sums(object, "", &line->all);
    put_sums(object, "own_", &line->own);
    json_object_set_new(object, "net_bytes", json_integer(vbt_minus(line->all.allocated, line->all.freed)));
    json_object_set_new(object, "net_min_bytes", json_of_extreme(line, line->least));
    json_object_set_new(object, "net_max_bytes", json_of_extreme(line, line->most));
    json_object_set_new(object, "high_bytes", json_of_extreme(line, line->high));
    json_object_set_new(object, "max_rss_bytes", line->ran_before && line->rss == 0 ? json_null() : vbt_json_unsigned(line->rss));
    json_object_set_new(object, "allocs_per_hit",
                        line->hits > 0 ? vbt_json_real((double)line->all.allocs / (double)line->hits) : json_null());
    free(text);
    return object;
}

void vbt_json_line_profile(struct vbt_json *json, const struct vbt_line_profile *profile, uint64_t limit,
                           struct vbt_sources *sources) {
    json_t *events = json_object();
    json_object_set_new(events, "event_cost_ns", vbt_json_real((double)profile->event_cost / 1000));
    json_object_set_new(events, "overhead_ns", json_integer(profile->overhead));
    static const char *const objects[] = {"none", "all", "allocated"};
    json_object_set_new(events, "objects", json_string((unsigned)profile->objects < 3 ? objects[profile->objects] : "unknown"));
    vbt_json_member(json, "line_events", events);
    vbt_json_array_begin(json, "line_profile");
    for (size_t i = 0; i < profile->count && i < limit; i++) {
        const struct vbt_profile_function *function = &profile->functions[i];
        json_t *object = vbt_json_place(function->place, NULL), *lines = json_array();
        json_object_set_new(object, "decorated", json_boolean(function->decorated));
        json_object_set_new(object, "time_ns", json_integer(function->time));
        for (size_t k = 0; k < function->count; k++)
            json_array_append_new(lines, line_object(function, &function->lines[k], sources));
        json_object_set_new(object, "lines", lines);
        vbt_json_item(json, object);
    }
    vbt_json_array_end(json);
}

static void put_known(struct vbt_csv *csv, bool known, int64_t value) {
    if (known)
        vbt_csv_integer(csv, value);
    else
        vbt_csv_text(csv, NULL);
}

static void put_csv_sums(struct vbt_csv *csv, const struct vbt_profile_sums *s) {
    const int64_t cells[] = {s->time, s->overhead, s->allocs, s->frees, s->allocated, s->freed, s->temporary, s->objects};
    for (size_t i = 0; i < VBT_COUNT(cells); i++)
        vbt_csv_integer(csv, cells[i]);
}

void vbt_line_profile_csv_print(const struct vbt_line_profile *profile, uint64_t limit, struct vbt_sources *sources, FILE *out) {
    struct vbt_csv csv;
    vbt_csv_begin(
        &csv, out,
        "file,function,function_line,line,source,hits,time_ns,overhead_ns,allocs,frees,allocated_bytes,freed_bytes,"
        "temporary_allocs,objects,own_time_ns,own_overhead_ns,own_allocs,own_frees,own_allocated_bytes,own_freed_bytes,"
        "own_temporary_allocs,own_objects,net_bytes,net_min_bytes,net_max_bytes,high_bytes,max_rss_bytes,allocs_per_hit,entries");
    for (size_t i = 0; i < profile->count && i < limit; i++)
        for (size_t k = 0; k < profile->functions[i].count; k++) {
            const struct vbt_profile_function *function = &profile->functions[i];
            const struct vbt_profile_line *line = &function->lines[k];
            size_t size;
            const char *source = vbt_source_line(sources, function->place->file, line->line, &size);
            char *text = source != NULL ? vbt_copy(source, size) : NULL;
            vbt_csv_text(&csv, function->place->file);
            vbt_csv_text(&csv, function->place->function);
            vbt_csv_integer(&csv, function->place->line);
            vbt_csv_integer(&csv, line->line);
            vbt_csv_text(&csv, text);
            vbt_csv_unsigned(&csv, line->hits);
            put_csv_sums(&csv, &line->all);
            put_csv_sums(&csv, &line->own);
            vbt_csv_integer(&csv, vbt_minus(line->all.allocated, line->all.freed));
            put_known(&csv, !line->ran_before, line->least);
            put_known(&csv, !line->ran_before, line->most);
            put_known(&csv, !line->ran_before, line->high);
            put_known(&csv, !line->ran_before || line->rss > 0, (int64_t)line->rss);
            vbt_csv_real(&csv, line->hits > 0 ? (double)line->all.allocs / (double)line->hits : 0);
            vbt_csv_unsigned(&csv, line->entries);
            vbt_csv_end_row(&csv);
            free(text);
        }
}
