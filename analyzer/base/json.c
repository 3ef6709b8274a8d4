/* See json.h. */
#include "json.h"

#include "allocate.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void vbt_json_begin(struct vbt_json *json, FILE *out) {
    *json = (struct vbt_json){.out = out, .first = true};
    fputs("{\n", out);
}

void vbt_json_end(struct vbt_json *json) {
    fputs("\n}\n", json->out);
    free(json->text);
}

static int collect(const char *piece, size_t size, void *data) {
    struct vbt_json *json = data;
    json->text = vbt_grow(json->text, &json->capacity, json->size + size, 1);
    memcpy(json->text + json->size, piece, size);
    json->size += size;
    return 0;
}

static void dump(struct vbt_json *json, json_t *value) {
    json->size = 0;
    json_dump_callback(value, collect, json, JSON_ENCODE_ANY);
    fwrite(json->text, 1, json->size, json->out);
    json_decref(value);
}

static void name_member(struct vbt_json *json, const char *name) {
    fprintf(json->out, "%s\"%s\": ", json->first ? "" : ",\n", name);
    json->first = false;
}

void vbt_json_member(struct vbt_json *json, const char *name, json_t *value) {
    name_member(json, name);
    dump(json, value);
}

void vbt_json_array_begin(struct vbt_json *json, const char *name) {
    name_member(json, name);
    putc('[', json->out);
    json->first = true;
}

void vbt_json_begin_item(struct vbt_json *json) {
    fputs(json->first ? "\n " : ",\n ", json->out);
    json->first = false;
}

void vbt_json_item(struct vbt_json *json, json_t *value) {
    vbt_json_begin_item(json);
    dump(json, value);
}

void vbt_json_array_end(struct vbt_json *json) {
    fputs(json->first ? "]" : "\n]", json->out);
    json->first = false;
}

static json_t *text_of(const char *bytes, size_t size) {
    json_t *as_it_is = json_stringn(bytes, size); /* NULL if it is not UTF-8 */
    if (as_it_is != NULL)
        return as_it_is;
    char *valid = vbt_utf8_valid(bytes, size);
    json_t *value = json_string(valid);
    free(valid);
    return value;
}

json_t *vbt_json_text(const char *text) { return text != NULL ? text_of(text, strlen(text)) : json_null(); }

json_t *vbt_json_unsigned(uint64_t n) { return json_integer(n <= INT64_MAX ? (json_int_t)n : INT64_MAX); }

json_t *vbt_json_real(double x) { return isfinite(x) ? json_real(x) : json_null(); }

json_t *vbt_json_place(const struct vbt_place *place, struct vbt_sources *sources) {
    static const char *const kinds[] = {
        [VBT_PLACE_PYTHON] = "python", [VBT_PLACE_NATIVE] = "native", [VBT_PLACE_SPECIAL] = "special"};
    json_t *row = json_object();
    json_object_set_new(row, "file", vbt_json_text(place->file));
    json_object_set_new(row, "line", json_integer(place->line));
    json_object_set_new(row, "function", vbt_json_text(place->function));
    if (sources == NULL)
        return row;
    size_t size;
    const char *source = vbt_source_line(sources, place->file, place->line, &size);
    json_object_set_new(row, "source", source != NULL ? text_of(source, size) : json_null());
    json_object_set_new(row, "kind", json_string(kinds[place->kind]));
    json_object_set_new(row, "user", json_boolean(place->user));
    if (place->module != NULL)
        json_object_set_new(row, "module", vbt_json_text(place->module));
    return row;
}

/* [[smallest size of the bucket, allocations], ...], the buckets that have any. */
static json_t *sizes_of(const uint64_t *sizes) {
    json_t *list = json_array();
    for (int i = 0; i < VBT_SIZE_BUCKETS; i++)
        if (sizes[i] != 0) {
            json_t *pair = json_array();
            json_array_append_new(pair, vbt_json_unsigned(i == 0 ? 0 : UINT64_C(1) << (i - 1)));
            json_array_append_new(pair, vbt_json_unsigned(sizes[i]));
            json_array_append_new(list, pair);
        }
    return list;
}

json_t *vbt_json_line(const struct vbt_line *line, struct vbt_sources *sources) {
    const struct vbt_sums *s = &line->sums;
    bool any = s->smallest <= s->largest;
    json_t *row = vbt_json_place(line->place, sources);
    json_object_set_new(row, "allocs", vbt_json_unsigned(s->allocs));
    json_object_set_new(row, "frees", vbt_json_unsigned(s->frees));
    json_object_set_new(row, "allocated_bytes", vbt_json_unsigned(s->allocated));
    json_object_set_new(row, "freed_bytes", vbt_json_unsigned(s->freed));
    json_object_set_new(row, "live_blocks", json_integer(s->live_blocks));
    json_object_set_new(row, "live_bytes", json_integer(s->live_bytes));
    json_object_set_new(row, "at_peak_bytes", json_integer(s->at_peak_bytes));
    json_object_set_new(row, "temporary_allocs", vbt_json_unsigned(s->temporary));
    json_object_set_new(row, "min_bytes", any ? vbt_json_unsigned(s->smallest) : json_null());
    json_object_set_new(row, "max_bytes", any ? vbt_json_unsigned(s->largest) : json_null());
    json_object_set_new(row, "max_rss_bytes", s->max_rss_bytes > 0 ? vbt_json_unsigned(s->max_rss_bytes) : json_null());
    json_object_set_new(row, "hits", line->hits > 0 ? vbt_json_unsigned(line->hits) : json_null());
    if (line->sizes != NULL)
        json_object_set_new(row, "sizes", sizes_of(line->sizes));
    return row;
}
